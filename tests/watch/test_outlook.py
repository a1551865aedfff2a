"""The timetable's expectation is what happens when nothing is full: held against the twin, event by event."""

import numpy as np
import pytest

from kit.twin import run_flows
from kit.watch import histories_of, quiet_case
from postroad.routing.outlook import OUT, SORTED, UNDERWAY, WAITING, Outlook
from postroad.routing.ways import MOST_HOPS
from postroad.twin.simulation import Sample
from postroad.watch.features import stand
from postroad.watch.histories import DELIVERED
from postroad.watch.trips import Connections


@pytest.mark.parametrize("seed", range(6))
def test_where_nothing_is_full_each_event_foretells_the_wave(seed):
    case = quiet_case(seed)
    histories = histories_of(case, run_flows(case, Sample(every=1, n_days=2))[0])
    outlook = Outlook(case.instance, case.tables, case.parameters.tour_shares)
    standing, rows = stand(histories, outlook, Connections(case.instance))
    out = np.full(len(histories.origin), -1)
    went = histories.row_stage == OUT
    out[histories.row_item[went]] = histories.row_min[went]
    assert (out >= 0).all() and len(rows) > 1000
    wave = standing.wave_slot * case.instance.slot_min
    np.testing.assert_array_equal(wave, out[standing.item])


def test_what_is_under_way_is_expected_where_it_arrives():
    case = quiet_case(1)
    histories = histories_of(case, run_flows(case, Sample(every=1, n_days=2))[0])
    outlook = Outlook(case.instance, case.tables, case.parameters.tour_shares)
    standing, rows = stand(histories, outlook, Connections(case.instance))
    leaves = np.flatnonzero(standing.stage == UNDERWAY)
    np.testing.assert_array_equal(standing.facility[leaves], histories.row_facility[rows[leaves] + 1])
    assert (np.nan_to_num(standing.trip_late) == 0).all()


def test_histories_tell_the_minute_of_delivery():
    case = quiet_case(2)
    histories = histories_of(case, run_flows(case, Sample(every=1, n_days=2))[0])
    ends = histories.row_stage == DELIVERED
    assert (histories.delivered_min[histories.row_item[ends]] == histories.row_min[ends]).all()
    assert (histories.delivered_min >= histories.accepted_min).all()


def test_the_way_ahead_is_the_one_that_is_taken():
    case = quiet_case(3)
    histories = histories_of(case, run_flows(case, Sample(every=1, n_days=2))[0])
    outlook = Outlook(case.instance, case.tables, case.parameters.tour_shares)
    item, stage, facility = histories.row_item, histories.row_stage, histories.row_facility
    first = np.flatnonzero((stage == SORTED) & (case.instance.fac_parent[facility] < 0))
    first = first[np.r_[True, item[first][1:] != item[first][:-1]]]
    ends = item[first]
    hubs, waits = outlook.ways.follow(
        facility[first], histories.row_min[first] // 30, histories.destination[ends], histories.product[ends]
    )
    anchor = case.instance.fac_parent[histories.destination]
    anchor = np.where(anchor < 0, histories.destination, anchor)
    for row, (start, one) in enumerate(zip(first, ends, strict=True)):
        rows = np.flatnonzero(item[start:] == one) + start
        taken = [facility[at] for at in rows if stage[at] == WAITING and case.instance.fac_parent[facility[at]] < 0]
        told = [hub for hub in hubs[row] if hub >= 0]
        assert told == taken[: len(told)]
        if len(told) < MOST_HOPS and told:
            assert told[-1] == anchor[one]
    assert ((waits >= 0) == (hubs >= 0)).all()
