"""Scenario files: the shipped ones load, and broken ones give all their findings."""

import re
from datetime import date

import pytest

from kit.feeds import FeedFolder, tiny
from postroad.core.errors import InputError, NotFound
from postroad.network.feed import read
from postroad.network.scenariofile import load_scenario, shipped_scenarios
from postroad.network.specification import SCENARIO_EXAMPLE


def written(folder, text, name="mine.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def findings_of(path, **values):
    with pytest.raises(InputError) as raised:
        load_scenario(path, **values)
    for finding in raised.value.findings:
        for language in ("en", "zh"):
            assert not re.search(r"\{\w+\}", finding.message(language) + finding.fix(language))
    return [(finding.code, finding.column) for finding in raised.value.findings]


def test_shipped_names():
    wanted = {"peak", "normal-2023", "surge-2023", "peak-on-2023", "peak-wuhan-closed", "tiny"}
    assert wanted <= set(shipped_scenarios())


def test_tiny():
    scenario = load_scenario("tiny")
    assert (scenario.name, scenario.n_days, scenario.day, scenario.sample) == ("tiny", 3, date(2025, 11, 11), 1)
    assert scenario.network.digest == tiny().digest
    assert scenario.name_zh and scenario.description_zh


def test_peak():
    scenario = load_scenario("peak")
    assert (scenario.to_items, scenario.day, scenario.days_before, scenario.days_after) == (
        1_200_000_000,
        date(2025, 11, 11),
        3,
        3,
    )
    assert scenario.base == "china-2025"
    assert scenario.beside == "peak-on-2023"


def test_peak_with_wuhan_closed():
    scenario = load_scenario("peak-wuhan-closed")
    closed = {row.facility_id for row in scenario.overlay if row.kind == "closure"}
    assert closed == {"WUH"}


@pytest.mark.parametrize(
    ("name", "items"), [("normal-2023", 361_835_616), ("surge-2023", 639_000_000), ("peak-on-2023", 1_200_000_000)]
)
def test_2023(name, items):
    scenario = load_scenario(name)
    assert scenario.to_items == items
    assert scenario.base == "china-2023"
    assert scenario.day.year == 2023


def test_the_example_of_the_specification(tmp_path):
    scenario = load_scenario(written(tmp_path, SCENARIO_EXAMPLE))
    assert (scenario.name, scenario.by) == ("hub-cut", 1.5)
    assert scenario.network.tables["facilities"]["sort_items_per_h"].to_list()[:3] == [1600, 1280, 1920]
    assert scenario.disruptions[0].disruption_id == "mine-1"


def test_a_folder_that_is_no_feed_does_not_hide_a_shipped_one(tmp_path):
    (tmp_path / "tiny").mkdir()
    assert load_scenario(written(tmp_path, 'base = "tiny"')).network.digest == tiny().digest


def test_what_stands_beside_is_looked_for_from_the_file(tmp_path):
    assert load_scenario(written(tmp_path, 'base = "tiny"\nbeside = "other.toml"')).beside == "other.toml"
    other = written(tmp_path, 'base = "tiny"', "other.toml")
    assert load_scenario(written(tmp_path, 'base = "tiny"\nbeside = "other.toml"')).beside == str(other)


def test_beta_changes_what_is_run_and_not_how_much(tmp_path):
    plain = load_scenario(written(tmp_path, 'base = "tiny"'))
    far = load_scenario(written(tmp_path, 'base = "tiny"\n[demand]\nbeta = 0.6'))
    assert (far.beta, far.by, far.to_items) == (0.6, 1.0, None)
    assert far.digest != plain.digest
    assert findings_of(written(tmp_path, 'base = "tiny"\n[demand]\nbeta = 0')) == [("PR-F204", "demand.beta")]


def test_the_normal_day_has_no_peak_about_it():
    assert load_scenario("normal-2023").days_by == "calendar"
    assert load_scenario("surge-2023").days_by == "profile"


def test_base_is_looked_for_beside_the_file(tmp_path):
    feed = FeedFolder(tmp_path / "tiny")
    feed.set("products", 2, mean_kg=9)
    scenario = load_scenario(written(tmp_path, 'base = "tiny"'))
    assert scenario.network.tables["products"]["mean_kg"][0] == 9
    assert (scenario.name, scenario.day) == ("mine", date(2025, 11, 11))


def test_a_network_at_hand_is_used(tmp_path):
    path = written(tmp_path, 'base = "nowhere"\n[demand]\nby = 2')
    scenario = load_scenario(path, network=tiny())
    assert scenario.network is tiny()
    assert scenario.by == 2


def test_level_is_passed_on(tmp_path):
    with pytest.raises(NotFound, match="PR-F128"):
        load_scenario(written(tmp_path, 'base = "tiny"\nlevel = "outlet"'))
    with pytest.raises(NotFound, match="PR-F128"):
        load_scenario("tiny", level="city")
    assert load_scenario("tiny", level="county").network.digest == read("tiny").digest


def test_sampled_pairs(tmp_path):
    path = written(tmp_path, 'base = "tiny"\nsample_pairs = [["330100", "420100"]]')
    assert load_scenario(path).sample_pairs == (("330100", "420100"),)


def test_unknown_scenario():
    with pytest.raises(NotFound, match="PR-F201") as raised:
        load_scenario("peek")
    assert raised.value.params["near"] == "peak"


def test_unknown_base(tmp_path):
    with pytest.raises(NotFound, match="PR-F101"):
        load_scenario(written(tmp_path, 'base = "nowhere"'))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("base = tiny", [("PR-F202", "")]),
        ("", [("PR-F205", "base")]),
        ('base = "tiny"\nsede = 3', [("PR-F203", "sede")]),
        ('base = "tiny"\n[demand]\nitems = 3', [("PR-F203", "demand.items")]),
        ('base = "tiny"\nseed = -1\ndays_before = "three"', [("PR-F204", "days_before"), ("PR-F204", "seed")]),
        ('base = "tiny"\ndate = "11 November"', [("PR-F204", "date")]),
        ('base = "tiny"\n[demand]\nto_items = 1.5', [("PR-F204", "demand.to_items")]),
        ('base = "tiny"\n[[changes]]\ntable = "trips"', [("PR-F205", "changes.1.set")]),
        ('base = "tiny"\nsample_pairs = [["330100"]]', [("PR-F204", "sample_pairs")]),
        ('base = "tiny"\nsample_pairs = [["330100", "339999"]]', [("PR-F208", "sample_pairs")]),
        (
            'base = "tiny"\n[[changes]]\ntable = "trip"\nset = { n_vehicles = 2 }\n'
            '[[changes]]\ntable = "trips"\nwhere = { trip_id = "none" }\nset = { n_vehicles = 2 }\n'
            '[[changes]]\ntable = "trips"\nset = { n_vehicles = "two" }\n'
            '[[disruptions]]\nkind = "closure"\nfacility_id = "H-WUX"\nfrom_at = "D+0 06:00"\nto_at = "D+0 05:00"\n',
            [
                ("PR-F206", ""),
                ("PR-F207", ""),
                ("PR-F212", "n_vehicles"),
                ("PR-F208", "facility_id"),
                ("PR-F209", "to_at"),
            ],
        ),
        (
            'base = "tiny"\n[[disruptions]]\nkind = "closure"\nfacility_id = "H-WUH"\n'
            'from_at = "soon"\nto_at = "D+0 05:00"\n',
            [("PR-F211", "from_at")],
        ),
    ],
)  # fmt: skip
def test_broken_files(tmp_path, text, found):
    assert findings_of(written(tmp_path, text)) == found


def test_scaling_twice(tmp_path):
    with pytest.raises(InputError, match="PR-F210"):
        load_scenario(written(tmp_path, 'base = "tiny"\n[demand]\nto_items = 5\nby = 2'))


def test_file_in_gbk(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes('base = "tiny"\nname_zh = "高峰"'.encode("gb18030"))
    assert findings_of(path) == [("PR-F202", "")]
