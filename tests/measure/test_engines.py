"""Every measure from its one definition, on DuckDB, PostgreSQL and Spark: equal to the last digit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kit.journeys import PRODUCT_IDS, random_journeys, small_dims
from kit.ledger import make_frame, make_life
from kit.sources import REPOSITORY
from postroad.core.errors import InputError
from postroad.ledger import Ledger, flows_from_journeys
from postroad.measure import GROUPINGS, Within, measure, measure_sql, measures, tally
from postroad.measure.engines import DuckEngine
from postroad.measure.rankings import distribute_hours, tabulate_destinations, tabulate_pairs
from postroad.measure.sql import EVERYTHING

DIMS = small_dims()
PAGE = REPOSITORY / "docs" / "how-to" / "postgres-and-spark.md"
OF_JOURNEYS = [one.name for one in measures().values() if one.is_of_journeys]
JOURNEYS = random_journeys(3, 4000)
EPOCH = datetime(2025, 11, 10, 16, tzinfo=UTC)
WITHIN = Within(
    origin_cities=frozenset(["310100", "420100"]),
    destination_cities=frozenset(["310100", "650100", "810100"]),
    scopes=frozenset(["intercity"]),
)
GROUPS = [(), ("product", "scope"), ("pair",), ("release_day", "release_hour"), tuple(GROUPINGS)]


def flows(journeys=JOURNEYS):
    return flows_from_journeys(journeys, DIMS.facilities["facility"].to_list(), PRODUCT_IDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with Ledger.create(tmp_path_factory.mktemp("engines") / "ledger", epoch=EPOCH) as ledger:
        ledger.append_flows(flows())
    return ledger


@pytest.fixture(scope="module")
def in_postgres(postgres):
    from postroad.ledger.postgres.store import PostgresLedger
    from postroad.measure.postgres import PostgresEngine

    with PostgresLedger.create(postgres, schema="engines", epoch=EPOCH) as ledger:
        ledger.append_flows(flows())
        with PostgresEngine(ledger, DIMS) as engine:
            yield engine


@pytest.fixture(scope="module")
def in_spark(spark, folder):
    from postroad.ledger.spark.store import SparkLedger
    from postroad.measure.spark import SparkEngine

    with SparkLedger(folder.folder, spark) as ledger, SparkEngine(ledger, DIMS) as engine:
        yield engine


def agree(engine, by, within=EVERYTHING):
    expected = measure_sql(JOURNEYS, DIMS, OF_JOURNEYS, by, within=within)
    assert_frame_equal(measure(engine, DIMS, OF_JOURNEYS, by, within=within), expected, check_exact=True)


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("within", [EVERYTHING, WITHIN])
def test_duckdb_agrees_over_the_flows_of_a_ledger(folder, by, within):
    with DuckEngine(folder, DIMS) as engine:
        agree(engine, by, within)


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("within", [EVERYTHING, WITHIN])
def test_postgresql_agrees(in_postgres, by, within):
    agree(in_postgres, by, within)


def test_spark_agrees_on_every_measure(in_spark):
    agree(in_spark, ("product",))


@pytest.mark.slow
@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("within", [EVERYTHING, WITHIN])
def test_spark_agrees(in_spark, by, within):
    agree(in_spark, by, within)


def test_spark_reads_the_journeys_of_many_runs(spark, tmp_path):
    from postroad.measure.spark import SparkEngine

    cut = [slice(0, 1500), slice(1500, 4000)]
    for number, part in enumerate(cut):
        (tmp_path / f"run{number}").mkdir()
        table = JOURNEYS.arrow().slice(part.start, part.stop - part.start)
        pl.DataFrame(table).write_parquet(tmp_path / f"run{number}" / "journeys.parquet")
        (tmp_path / f"run{number}" / "notes.txt").write_text("no journeys")
    names = ["n_items", "total_h", "total_p90_h", "reach_3d_share"]
    assert set(names) <= set(OF_JOURNEYS)
    with SparkEngine([tmp_path / "run0", tmp_path / "run1" / "journeys.parquet"], DIMS, spark) as engine:
        found = measure(engine, DIMS, names, ["product"])
    assert_frame_equal(found, measure_sql(JOURNEYS, DIMS, names, ["product"]), check_exact=True)


@pytest.mark.parametrize("name", ["folder", "in_postgres", "in_spark"])
def test_rankings_are_the_same_from_any_engine(request, name):
    given = request.getfixturevalue(name)
    engine = DuckEngine(given, DIMS) if name == "folder" else given
    summary = tally(JOURNEYS, DIMS)
    assert engine.n_items == summary.n_items
    assert_frame_equal(tabulate_pairs(engine, n=5), tabulate_pairs(summary, n=5), check_exact=True)
    assert_frame_equal(tabulate_destinations(engine), tabulate_destinations(summary), check_exact=True)
    spread = distribute_hours(engine, ["product", "scope"])
    assert_frame_equal(spread, distribute_hours(summary, ["product", "scope"]), check_exact=True)


@pytest.mark.parametrize("part", ["facility", "product", "outcome"])
def test_flows_of_another_network_are_refused(tmp_path, postgres, part):
    from postroad.ledger.postgres.store import PostgresLedger
    from postroad.measure.postgres import PostgresEngine

    journeys = replace(JOURNEYS, **{name: getattr(JOURNEYS, name)[:50] for name in JOURNEYS.__slots__})
    frame = pl.DataFrame(pl.from_arrow(flows(journeys)))
    column = {"facility": "origin_id", "product": "product_id", "outcome": "outcome"}[part]
    texts = frame[column].cast(pl.String).to_list()
    frame = frame.with_columns(pl.Series(column, ["nobody", *texts[1:]]))
    with (
        Ledger.create(tmp_path / "ledger", epoch=EPOCH) as ledger,
        PostgresLedger.create(postgres, schema=f"strangers_{part}", epoch=EPOCH) as other,
    ):
        for store, engine in ((ledger, DuckEngine), (other, PostgresEngine)):
            store.append_flows(frame)
            with pytest.raises(InputError) as caught:
                engine(store, DIMS)
            assert caught.value.code == "PR-M013"
            assert "1 of 50" in str(caught.value)


def test_a_ledger_without_flows_has_nothing_to_measure(tmp_path):
    with Ledger.create(tmp_path / "ledger", epoch=EPOCH) as ledger, DuckEngine(ledger, DIMS) as engine:
        assert engine.n_items == 0
        assert measure(engine, DIMS, ["n_items"])["n_items"].to_list() == [0]


def test_the_how_to_page_does_what_it_says(postgres, spark, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POSTROAD_POSTGRES", postgres)
    monkeypatch.chdir(tmp_path)
    given = {"frame": make_frame(*make_life()), "flows": flows(), "dims": DIMS}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), given)  # the session that runs is found, whatever master is asked for
        told = [line.strip()[2:] for line in block.splitlines() if line.strip().startswith("# ")]
        assert capsys.readouterr().out.splitlines() == told
