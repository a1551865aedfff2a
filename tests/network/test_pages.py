"""The starter feed, the summary, and the page that specifies the format."""

import re

import pytest

from kit.feeds import tiny
from postroad.core.errors import InputError, registry
from postroad.network.feed import examine, read
from postroad.network.schema import FACILITY_KINDS, known_parameters, tables
from postroad.network.specification import EXAMPLE, write_page, write_page_zh
from postroad.network.summary import services_on, summarise
from postroad.network.templates import create_template

PAGES = {"en": write_page(), "zh": write_page_zh()}


def test_empty_template_checks_clean(tmp_path):
    path = create_template(tmp_path / "my feed")
    survey = examine(path)
    assert list(survey.findings) == []
    assert survey.network.meta.name == "my-feed"
    assert {file.stem for file in path.iterdir() if file.suffix == ".csv"} == set(tables())
    assert dict(survey.network.parameters) == {name: known.default for name, known in known_parameters().items()}


def test_template_explains_every_column(tmp_path):
    guide = (create_template(tmp_path / "feed") / "README.md").read_text(encoding="utf-8")
    for table in tables().values():
        assert f"## {table.name}" in guide
        for column in table.declared:
            assert f"- `{column.name}`" in guide
            assert column.description_zh in guide


def test_example_template_is_the_tiny_feed(tmp_path):
    assert read(create_template(tmp_path / "feed", example=True)).digest == tiny().digest


def test_template_does_not_overwrite(tmp_path):
    create_template(tmp_path / "feed")
    with pytest.raises(InputError, match="PR-C030"):
        create_template(tmp_path / "feed", example=True)


def test_summary_of_tiny():
    summary = summarise(tiny())
    assert summary.n_facilities == {"outlet": 2, "sorting": 3, "hub": 1, "airport": 2, "railhead": 3}
    assert list(summary.n_facilities) == [kind for kind in FACILITY_KINDS if kind in summary.n_facilities]
    assert summary.n_rows["trips"] == 42
    assert (summary.n_endpoints, summary.demand_items, summary.wave_items) == (6, 28290, 39400)
    assert {mode: entry.n_trips for mode, entry in summary.modes.items()} == {"road": 38, "air": 2, "rail": 2}
    rail = summary.modes["rail"]
    assert (rail.payload_kg, rail.distance_km, rail.n_lanes) == (40000, 2 * (177 + 750), 0)
    assert sum(summary.label_share.values()) == pytest.approx(1)
    assert (summary.sort_items_per_h, summary.n_unlimited_sort) == (15000, 2)
    assert summary.digest == tiny().digest


@pytest.mark.parametrize(
    ("day", "runs"),
    [
        ("2025-11-11", {"daily", "six_days"}),  # a Tuesday
        ("2025-11-17", {"daily"}),  # a Monday
        ("2025-11-10", {"daily", "six_days"}),  # a Monday with an exception
        ("2025-01-29", {"daily"}),  # a Wednesday taken out
        ("2027-01-05", set()),
    ],
)
def test_services_on_a_day(day, runs):
    from_text = type(tiny().meta.base_date).fromisoformat
    assert set(services_on(tiny(), from_text(day))) == runs


def test_summary_of_an_empty_feed(tmp_path):
    summary = summarise(read(create_template(tmp_path / "feed")))
    assert (summary.n_facilities, summary.modes, summary.wave_items) == ({}, {}, 0)


def test_example_of_the_page_checks_clean(tmp_path):
    for name, text in EXAMPLE.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(examine(tmp_path).findings) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_is_complete(language):
    page = PAGES[language]
    for table in tables().values():
        assert f"\n### {table.name}\n" in page
        for column in table.declared:
            assert f"| `{column.name}` |" in page or column.name in ("label", "source")
    for name in known_parameters():
        assert f"| `{name}` |" in page
    for code in registry():
        assert code.startswith(("PR-F", "PR-T", "PR-N")) == (f"| {code} |" in page)
    for name, text in EXAMPLE.items():
        assert f"`{name}`" in page and text in page
    for key in ("timezone", "base_date", "extends", "days_before", "sample_pairs", "to_items"):
        assert f"| `{key}` |" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_tables_of_the_page_are_well_formed(language):
    for block in re.findall(r"(?:^\|.*\n)+", PAGES[language], re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block.splitlines()[0]


def test_pages_agree_on_structure():
    english, chinese = (re.findall(r"^#+ ", PAGES[language], re.MULTILINE) for language in ("en", "zh"))
    assert english == chinese
