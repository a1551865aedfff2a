"""Closures, capacity cuts and delays of the tiny feed, through compilation and the twin."""

import numpy as np
import polars as pl
import pytest

from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.network.scenario import Scenario
from postroad.study.execution import execute
from postroad.twin.result import TRACE_KINDS

DAYS_BEFORE = 1
START = DAYS_BEFORE * 24


@pytest.fixture(scope="module")
def scenario():
    network = read("tiny")
    calm = network.with_tables(disruptions=network.tables["disruptions"].clear())
    return Scenario("calm", calm, sample=1).days(DAYS_BEFORE, 1)


@pytest.fixture(scope="module")
def calm(scenario):
    return execute(scenario)


def index_of(done, facility_id):
    return done.instance.fac_id.index(facility_id)


def test_a_closed_hub_gathers_a_backlog_that_clears(scenario, calm):
    done = execute(scenario.close("H-WUH", "D+0 06:00", "D+1 06:00"))
    hub, window = index_of(done, "H-WUH"), slice(START + 6, START + 30)
    result, usual = done.result, calm.result
    assert usual.sorted_items[hub, window].sum() > 1000
    assert (result.sorted_items[hub, window] == 0).all()
    assert (result.screened_items[hub, window] == 0).all()
    assert (result.delivered_items[hub, START + 16 : START + 30] == 0).all()
    backlog = result.backlog_in[hub]
    assert (np.diff(backlog[START + 8 : START + 30]) >= 0).all()
    assert backlog[START + 29] > 10 * usual.backlog_in[hub, START + 29] + 1000
    cleared = START + 30 + int(np.argmax(backlog[START + 30 :] == 0))
    assert backlog[cleared] == 0
    assert cleared < START + 48
    counts = result.counts
    assert (counts.created == counts.delivered + counts.returned + counts.lost + counts.in_custody).all()
    assert counts.in_custody[-1] == 0
    # no vehicle leaves in the window, and none comes that left in it
    instance = done.instance
    legs = (instance.leg_from == hub) | (instance.leg_to == hub)
    lane = instance.cn_lane[instance.dp_cn]
    leaves = (instance.dp_dep_min >= (START + 6) * 60) & (instance.dp_dep_min < (START + 30) * 60)
    comes = leaves & (instance.dp_arr_min < (START + 30) * 60)
    assert not (leaves & (instance.lane_from[lane] == hub)).any()
    assert not (comes & (instance.lane_to[lane] == hub)).any()
    assert result.load_items[DAYS_BEFORE][legs].sum() < usual.load_items[DAYS_BEFORE][legs].sum()


def test_half_the_capacity(scenario, calm):
    done = execute(
        scenario.disrupt("capacity", facility_id="S-NGB", from_at="D+0 18:00", to_at="D+1 06:00", factor=0.5)
    )
    centre, window = index_of(done, "S-NGB"), slice(START + 18, START + 30)
    most = done.result.sorted_items[centre, window]
    assert most.max() == 800
    assert calm.result.sorted_items[centre, window].max() > 800
    assert done.result.backlog_in[centre, window].max() > calm.result.backlog_in[centre, window].max()
    assert done.result.counts.in_custody[-1] == 0


def test_a_smaller_vehicle(scenario, calm):
    """A capacity cut of a trip leaves items behind that it would have taken."""
    done = execute(
        scenario.disrupt("capacity", trip_id="S-HGH-S-NGB-2130", from_at="D+0 00:00", to_at="D+1 00:00", factor=0.01)
    )
    trip = done.instance.trip_id.index("S-HGH-S-NGB-2130")
    leg = int(np.flatnonzero(done.instance.leg_trip == trip)[0])
    cut, usual = (run.result.load_items[DAYS_BEFORE, leg].sum() for run in (done, calm))
    grams = done.result.load_items[DAYS_BEFORE, leg] @ done.instance.prod_g.astype(np.int64)
    assert 0 < cut < usual
    assert grams <= done.instance.leg_cap_g[leg] * 10 // 1000


def test_a_delay_shifts_a_trip_and_what_it_carries(scenario, calm):
    done = execute(
        scenario.disrupt("delay", trip_id="S-HGH-H-WUH-2200", from_at="D+0 21:00", to_at="D+1 03:00", delay_min=90)
    )

    def departures(run):
        trace, instance = run.result.trace, run.instance
        trip = instance.trip_id.index("S-HGH-H-WUH-2200")
        rows = np.flatnonzero((trace.row_kind == TRACE_KINDS.index("departed")) & (trace.row_departure >= 0))
        mine = rows[instance.cn_trip[instance.dp_cn[trace.row_departure[rows]]] == trip]
        return np.unique(trace.row_min[mine]), np.unique(trace.row_min[mine + 1] - trace.row_min[mine])

    (late, late_takes), (usual, usual_takes) = departures(done), departures(calm)
    leaves = START * 60 + 22 * 60
    assert leaves in usual
    assert leaves not in late
    assert leaves + 90 in late
    assert late_takes.tolist() == usual_takes.tolist() == [540]


def test_a_cancelled_trip_does_not_run(scenario, calm):
    done = execute(scenario.disrupt("cancel", trip_id="X-NGB-WUH", from_at="D+0 00:00", to_at="D+1 12:00"))
    trip = done.instance.trip_id.index("X-NGB-WUH")
    legs = done.instance.leg_trip == trip
    assert calm.result.run_legs[DAYS_BEFORE, legs].all()
    assert not done.result.run_legs[DAYS_BEFORE, legs].any()
    assert done.result.load_items[DAYS_BEFORE, legs].sum() == 0
    assert done.result.run_legs[0, legs].all()


def test_a_way_of_no_length_takes_its_slot(scenario):
    """A trip that leaves at the beginning of a slot and arrives at once is not ready before the next slot."""
    tables = scenario.network.tables
    at_once = pl.when(pl.col("trip_id") == "S-HGH-A-HGH-2100").then(pl.col("depart")).otherwise(pl.col("arrive"))
    no_handling = pl.when(pl.col("facility_id") == "A-HGH").then(0).otherwise(pl.col("handling_min"))
    network = scenario.network.with_tables(
        trips=tables["trips"].with_columns(arrive=at_once),
        facilities=tables["facilities"].with_columns(handling_min=no_handling),
    )
    instance = compile_network(network, day=network.meta.base_date, n_days=3)
    leaves = instance.dp_dep_min // instance.slot_min
    assert (instance.dp_arr_min == instance.dp_dep_min).any()
    assert (instance.dp_ready_slot > leaves).all()
