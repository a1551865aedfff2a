"""What ships in data/sources: licences, labels, sizes, and that no rule number is dead."""

from __future__ import annotations

from pathlib import Path

import polars as pl

import postroad.reference
from postroad.network.schema import LABELS

PACKAGE = Path(postroad.reference.__file__).parents[1]
SOURCES = PACKAGE / "data" / "sources"
MIB = 2**20


def test_every_source_file_has_a_licence_and_an_attribution():
    listed = pl.read_csv(SOURCES / "licences.csv")
    present = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*") if path.is_file()} - {"licences.csv"}
    assert set(listed["path"]) == present
    assert listed.null_count().sum_horizontal().item() == 0
    assert listed["label"].is_in(["measured", "derived", "modelled", "unverified"]).all()


def test_share_alike_files_stand_apart():
    listed = pl.read_csv(SOURCES / "licences.csv")
    share_alike = listed.filter(pl.col("licence") == "ODbL-1.0")["path"].to_list()
    assert {path.split("/")[0] for path in share_alike} == {"network_osm", "international_osm", "modelled"}


def test_the_data_stay_small():
    sizes = [path.stat().st_size for folder in ("sources", "feeds") for path in (PACKAGE / "data" / folder).rglob("*")]
    assert max(sizes) < 10 * MIB
    assert sum(sizes) < 40 * MIB


def test_every_rule_number_says_what_it_is():
    numbers = pl.read_csv(SOURCES / "rules" / "numbers.csv")
    assert numbers["rule_id"].is_unique().all()
    assert numbers["label"].is_in(LABELS).all()
    assert (numbers["source"].str.len_chars() > 10).all()


def test_no_rule_number_is_dead():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "reference").glob("*.py"))
    formed = {
        "hub_handling_min",
        "centre_handling_min",
        "hub_dest_min",
        "centre_dest_min",
        "hub_cost_yuan",
        "centre_cost_yuan",
    }
    formed |= {f"{name}_{year}_items" for name in ("mean_day", "surge", "international") for year in (2023, 2025)}
    numbers = pl.read_csv(SOURCES / "rules" / "numbers.csv")["rule_id"]
    assert [name for name in numbers if name not in formed and f"rules.{name}" not in code] == []


def test_rules_name_places_that_exist():
    cities = set(pl.read_csv(SOURCES / "admin" / "cities.csv", infer_schema_length=0)["city_code"])
    for table in ("hubs", "exchanges", "airport_city", "waterways", "pinyin"):
        codes = pl.read_csv(SOURCES / "rules" / f"{table}.csv", infer_schema_length=0)["city_code"].drop_nulls()
        assert set(codes) <= cities, table
