"""The state of an item: missing scans accepted, impossible ones told, order of arrival without effect."""

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.ledger import START, make_event, make_frame, make_id, make_life
from postroad.events.kinds import kinds
from postroad.ledger.fold import fold_item


def at(minutes):
    return START + timedelta(minutes=minutes)


def fold(*steps):
    """Fold steps (kind, minute, facility), each facility HGH when left out."""
    return fold_item(make_frame(*[make_event(n, *step) for n, step in enumerate(steps, start=1)]))


def view(item):
    """Everything of a state that can be compared."""
    parts = [getattr(item, name) for name in type(item).__slots__ if name != "findings"]
    return parts, [(finding.code, finding.message()) for finding in item.findings]


def test_a_whole_life():
    item = fold_item(make_frame(*make_life()))
    assert (item.state, item.is_ended, item.n_attempts, item.facility_id) == ("delivered", True, 2, "URC")
    assert (item.accepted_at, item.delivered_at, item.ended_at) == (at(30), at(3300), at(3300))
    assert len(item.findings) == 0
    assert [one.next_facility_id for one in item.happenings if one.kind == "departed"] == ["URC"]


@pytest.mark.parametrize(
    ("n_events", "state", "facility"),
    [
        (1, "accepted", "HGH"),
        (3, "at_facility", "HGH"),
        (4, "in_transit", None),
        (5, "at_facility", "URC"),
        (7, "out_for_delivery", "URC"),
        (8, "attempt_failed", "URC"),
        (10, "delivered", "URC"),
    ],
)
def test_the_state_on_the_way(n_events, state, facility):
    item = fold_item(make_frame(*make_life()[:n_events]))
    assert (item.state, item.facility_id, item.is_ended) == (state, facility, state == "delivered")


@given(st.sets(st.integers(0, 9), min_size=1))
def test_missing_scans_are_accepted(kept):
    life = make_life()
    item = fold_item(make_frame(*[life[place] for place in sorted(kept)]))
    assert len(item.findings) == 0
    assert item.state == kinds()[life[max(kept)]["kind"]].state


KINDS = [name for name, kind in kinds().items() if "item" in kind.subjects and name != "correction"]
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 3), st.sampled_from(["HGH", "URC", None])), max_size=9
)


@given(STEPS, st.lists(st.integers(1, 12), max_size=4), st.randoms(use_true_random=False))
def test_shuffled_and_doubled_events_give_the_same_state(steps, follows, chance):
    rows = [make_event(n, *step) for n, step in enumerate(steps, start=1)]
    rows += [
        make_event(20 + n, "correction", 9, None, follows=make_id(target if target < 10 else target + 10))
        for n, target in enumerate(follows)
    ]
    frame = make_frame(*rows)
    places = [*range(frame.height), *chance.sample(range(frame.height), k=frame.height // 2)]
    chance.shuffle(places)
    assert view(fold_item(frame[places])) == view(fold_item(frame))


@pytest.mark.parametrize("end", ["delivered", "returned", "destroyed"])
@pytest.mark.parametrize("later", ["arrived", "delivered", "accepted", "return_started", "lost"])
def test_nothing_follows_the_end(end, later):
    item = fold(("accepted", 0), (end, 60), (later, 90))
    assert item.state == kinds()[end].state
    assert item.ended_at == at(60)
    assert item.findings.counts == {"PR-L303": 1}
    assert [one.is_odd for one in item.happenings] == [False, False, True]


def test_a_claim_of_damage_after_delivery_is_not_odd():
    item = fold(("accepted", 0), ("delivered", 60), ("damaged", 90))
    assert (item.state, len(item.findings)) == ("delivered", 0)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("sorted", "accepted"),
        ("arrived_inward_office", "arrived_outward_office"),
        ("import_customs_presented", "arrived_inward_office"),
        ("out_for_delivery", "import_customs_held"),
        ("departed_outward_office", "accepted"),
    ],
)
def test_going_back_is_told_and_changes_nothing(earlier, later):
    item = fold((earlier, 0), (later, 60))
    assert item.state == kinds()[earlier].state
    assert item.findings.counts == {"PR-L304": 1}
    assert item.happenings[1].is_odd


@pytest.mark.parametrize(
    "chain",
    [
        "accepted arrived_outward_office export_customs_presented export_customs_held export_customs_released "
        "departed_outward_office arrived_transit_office departed_transit_office arrived_inward_office "
        "import_customs_presented import_customs_held import_customs_released departed_inward_office arrived departed "
        "arrived_delivery_office out_for_delivery attempt_failed out_for_delivery delivered",
        "accepted departed_outward_office arrived_inward_office departed_transit_office arrived_inward_office "
        "delivered",
        "accepted arrived_delivery_office out_for_delivery attempt_failed delivery_office_held ready_for_pickup "
        "delivered",
        "accepted out_for_delivery attempt_failed arrived departed arrived_delivery_office out_for_delivery delivered",
        "announced accepted export_cancelled return_started arrived returned",
        "accepted sorted lost found sorted delivered",
        "accepted held released intercepted return_started sorted departed arrived_delivery_office returned",
    ],
)
def test_legal_lives(chain):
    names = chain.split()
    item = fold(*[(name, 60 * n) for n, name in enumerate(names)])
    assert len(item.findings) == 0
    assert item.state == kinds()[names[-1]].state


def test_on_the_way_back_the_state_is_a_return():
    steps = [("accepted", 0), ("attempt_failed", 60), ("return_started", 61), ("sorted", 90), ("departed", 120)]
    item = fold(*steps)
    assert (item.state, item.is_ended, item.n_attempts) == ("returning", False, 1)
    assert fold(*steps, ("returned", 200)).state == "returned"


def test_a_lost_item_that_is_seen_again_is_open():
    item = fold(("accepted", 0), ("lost", 60), ("arrived", 90))
    assert (item.state, item.is_ended, item.ended_at) == ("at_facility", False, None)
    assert item.findings.counts == {"PR-L306": 1}


def test_two_places_at_once_are_told():
    item = fold(("arrived", 0, "HGH"), ("sorted", 0, "URC"))
    assert item.findings.counts == {"PR-L305": 1}
    assert "URC" in next(iter(item.findings)).message()


def test_an_unknown_kind_changes_nothing():
    item = fold(("accepted", 0), ("unknown", 60))
    assert (item.state, len(item.happenings), len(item.findings)) == ("accepted", 2, 0)
    assert fold(("unknown", 60)).state == "unknown"


def test_a_correction_takes_an_event_back_and_another_gives_it_back():
    rows = [make_event(1, "accepted"), make_event(2, "delivered", 60)]
    one = make_event(3, "correction", 70, None, follows=make_id(2))
    two = make_event(4, "correction", 80, None, follows=make_id(3))
    item = fold_item(make_frame(*rows, one))
    assert (item.state, item.delivered_at, item.n_attempts) == ("accepted", None, 0)
    assert [(happening.kind, happening.is_void) for happening in item.happenings] == [
        ("accepted", False),
        ("delivered", True),
    ]
    assert fold_item(make_frame(*rows, one, two)).state == "delivered"


def test_a_correction_of_nothing_is_told():
    item = fold_item(make_frame(make_event(1, "accepted"), make_event(3, "correction", 9, follows=make_id(2))))
    assert item.state == "accepted"
    assert item.findings.counts == {"PR-L307": 1}


def test_corrections_in_a_circle_have_no_effect():
    rows = [
        make_event(1, "accepted"),
        make_event(2, "correction", 8, follows=make_id(3)),
        make_event(3, "correction", 9, follows=make_id(2)),
    ]
    item = fold_item(make_frame(*rows))
    assert item.state == "accepted"
    assert item.findings.counts == {"PR-L308": 1}


def test_a_departure_says_where_it_goes_before_the_arrival():
    rows = [make_event(1, "accepted"), make_event(2, "departed", 60, related=[{"role": "to", "id": "WUH"}])]
    assert fold_item(make_frame(*rows)).happenings[1].next_facility_id == "WUH"
    assert fold_item(make_frame(*rows[:1], make_event(2, "departed", 60))).happenings[1].next_facility_id is None


def test_no_event_is_no_state():
    item = fold_item(make_frame())
    assert (item.state, item.is_ended, item.happenings) == ("", False, ())


def test_corrections_do_not_depend_on_how_they_are_sent():
    """A long chain of corrections, each of the one before, in any order: the parity decides."""
    for length in range(6):
        rows = [make_event(1, "accepted"), make_event(2, "delivered", 60)]
        rows += [make_event(3 + n, "correction", 70, None, follows=make_id(2 + n)) for n in range(length)]
        random.Random(length).shuffle(rows)
        assert fold_item(make_frame(*rows)).state == ("delivered" if length % 2 == 0 else "accepted")


def test_labels_and_frames_of_categories_are_read():
    frame = make_frame(*make_life()).with_columns(pl.col("kind").cast(pl.Categorical))
    assert fold_item(frame).state == "delivered"
