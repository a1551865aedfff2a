"""Units and trips: what is inside of them is where they are."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.ledger import ITEM, NOW, make_event, make_frame, make_id
from postroad.ledger.fold import fold_item
from postroad.ledger.store import Ledger
from postroad.ledger.tracking import track


def put(number, kind, after_min, subject, name, facility="HGH", unit=None, **rest):
    """An event about a unit or trip, or about the item."""
    columns = {f"{subject}_id": name} if subject == "item" else {"item_id": None, f"{subject}_id": name}
    related = [{"role": "unit", "id": unit}] if unit else None
    return make_event(number, kind, after_min, facility, **columns, related=related, **rest)


def fold(rows):
    """The item's state among events about anything."""
    about = defaultdict(list)
    for row in rows:
        subject = next(name for name in ("item", "unit", "trip") if row[f"{name}_id"])
        about[subject, row[f"{subject}_id"]].append(row)
    return fold_item(about["item", ITEM], lambda name, subject: about[subject, name])


def shown(item):
    """All that is known of an item."""
    told = [(finding.code, finding.value) for finding in item.findings]
    return replace(item, findings=None), told


def nested(depth=4):
    """An item in a bag in a cage in a container in a ULD that is loaded on a trip, which departs and arrives."""
    units = [f"U{level}" for level in range(depth)]
    rows = [put(1, "accepted", 0, "item", ITEM), put(2, "bagged", 10, "item", ITEM, unit=units[0])]
    for level in range(1, depth):
        rows.append(put(2 + level, "loaded", 10 + level, "unit", units[level - 1], unit=units[level]))
    rows += [
        put(20, "loaded", 30, "unit", units[-1], trip_id="T1"),
        put(21, "departed", 40, "trip", "T1"),
        put(22, "arrived", 400, "trip", "T1", "WUH"),
    ]
    return rows, units


@pytest.mark.parametrize("depth", [1, 2, 4, 7])
def test_an_item_is_where_its_units_trip_is(depth):
    rows, units = nested(depth)
    under_way = fold([row for row in rows if row["kind"] != "arrived"])
    assert (under_way.state, under_way.facility_id) == ("in_transit", None)
    assert under_way.carriers == (*(("unit", unit) for unit in units), ("trip", "T1"))
    there = fold(rows)
    assert (there.state, there.facility_id) == ("at_facility", "WUH")
    assert there.happenings[-1].carrier == ("trip", "T1")
    assert not there.findings


def test_unbagging_ends_it():
    rows, _ = nested(2)
    rows += [put(30, "unbagged", 410, "item", ITEM, "WUH"), put(31, "departed", 500, "trip", "T1", "WUH")]
    item = fold(rows)
    assert (item.state, item.facility_id, item.carriers) == ("at_facility", "WUH", ())


def test_a_unit_that_is_emptied_lets_go_of_all_it_holds():
    rows, units = nested(2)
    rows += [put(30, "unbagged", 410, "unit", units[0], "WUH"), put(31, "departed", 500, "trip", "T1", "WUH")]
    item = fold(rows)
    assert item.facility_id == "WUH"
    assert item.carriers == ()


def test_a_unit_taken_out_of_another_keeps_what_it_holds():
    rows, units = nested(2)
    rows += [
        put(30, "unbagged", 410, "unit", units[0], "WUH", unit=units[1]),
        put(31, "departed", 500, "trip", "T1", "WUH"),
        put(32, "arrived", 520, "unit", units[0], "WUH9"),
    ]
    item = fold(rows)
    assert (item.facility_id, item.carriers) == ("WUH9", (("unit", units[0]),))


def test_another_bag_or_a_delivery_ends_it():
    rows, _ = nested(1)
    again = fold([*rows, put(30, "bagged", 410, "item", ITEM, "WUH", unit="V")])
    assert again.carriers == (("unit", "V"),)
    done = fold([*rows, put(30, "delivered", 900, "item", ITEM, "WUH"), put(31, "departed", 950, "trip", "T1", "WUH")])
    assert (done.state, done.carriers) == ("delivered", ())


def test_an_item_aboard_a_trip_until_it_is_unloaded():
    rows = [
        put(1, "loaded", 10, "item", ITEM, trip_id="T1"),
        put(2, "departed", 20, "trip", "T1"),
        put(3, "delayed", 25, "trip", "T1", None, payload='{"delay_min": 40}'),
        put(4, "arrived", 90, "trip", "T1", "WUH"),
        put(5, "departed", 100, "trip", "T1", "WUH"),
        put(6, "arrived", 200, "trip", "T1", "CTU"),
    ]
    item = fold(rows)
    assert (item.facility_id, item.carriers) == ("CTU", (("trip", "T1"),))
    assert [one.kind for one in item.happenings] == ["loaded", "departed", "delayed", "arrived", "departed", "arrived"]
    unloaded = fold([*rows, put(7, "unloaded", 95, "item", ITEM, "WUH", trip_id="T1")])
    assert (unloaded.facility_id, unloaded.carriers) == ("WUH", ())


def test_own_scans_are_not_told_twice():
    rows = [
        put(1, "departed", 20, "item", ITEM, trip_id="T1"),
        put(2, "departed", 22, "trip", "T1"),
        put(3, "arrived", 90, "trip", "T1", "WUH"),
        put(4, "arrived", 95, "item", ITEM, "WUH", trip_id="T1"),
    ]
    assert [(one.kind, one.carrier) for one in fold(rows).happenings] == [("departed", None), ("arrived", None)]


def test_corrections_of_carriers_count():
    rows, _ = nested(1)
    rows.append(put(40, "correction", 500, "trip", "T1", follows=make_id(22)))
    assert fold(rows).state == "in_transit"


def test_a_unit_inside_itself_is_told():
    rows = [
        put(1, "bagged", 0, "item", ITEM, unit="A"),
        put(2, "loaded", 1, "unit", "A", unit="B"),
        put(3, "loaded", 2, "unit", "B", unit="A"),
        put(4, "arrived", 9, "unit", "B", "WUH"),
    ]
    item = fold(rows)
    assert "PR-L309" in [finding.code for finding in item.findings]
    assert item.facility_id == "WUH"
    assert item.carriers == (("unit", "A"), ("unit", "B"))


@given(st.permutations(range(10)), st.integers(1, 4))
def test_the_order_of_arrival_changes_nothing(places, depth):
    rows, _ = nested(depth)
    shuffled = [rows[place] for place in places if place < len(rows)] + rows[10:]
    missing = [row for row in rows if row not in shuffled]
    assert shown(fold(shuffled + missing)) == shown(fold(rows))


def test_tracking_follows_carriers(tmp_path):
    rows, units = nested(3)
    with Ledger.create(tmp_path) as ledger:
        ledger.append(make_frame(*rows), now=NOW)
        for _ in range(2):
            found = track(tmp_path, ITEM)
            assert found.place.id == "WUH"
            assert found.carriers[0] == ("unit", units[0])
            assert found.record()["steps"][-1]["carrier"] == {"subject": "trip", "id": "T1"}
            ledger.seal()
