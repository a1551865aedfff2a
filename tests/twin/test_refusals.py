"""What the twin refuses or reports: parameters, too large networks, items that no route leads on, runs cut short."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from kit.twin import make_parameters, random_case, run_flows, run_items
from postroad.core.errors import InfeasibleError, InputError
from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.twin.arrays import make_net, make_state, widen_state
from postroad.twin.parameters import read_parameters
from postroad.twin.release import release_flows
from postroad.twin.simulation import Sample


@pytest.fixture(scope="module")
def tiny():
    network = read("tiny")
    return network, compile_network(network, day=network.meta.base_date, n_days=2)


def changed(network, parameter, value):
    """The network with one parameter set to another value, or taken out."""
    frame = network.tables["parameters"]
    hit = pl.col("parameter_id") == parameter
    if value is None:
        return network.with_tables(parameters=frame.filter(~hit))
    column = pl.when(hit).then(value).otherwise(pl.col("value")).alias("value")
    return network.with_tables(parameters=frame.with_columns(column))


def test_parameters_are_those_of_the_feed(tiny):
    parameters = read_parameters(*tiny)
    assert (parameters.first_attempt_success_share, parameters.max_attempts) == (0.92, 3)
    assert parameters.tour_shares.tolist() == [0.2, 0.22, 0.2, 0.16, 0.12, 0.1]
    assert parameters.deliver_by_min.tolist() == [1320, 1320]


@pytest.mark.parametrize(
    ("parameter", "value", "codes"),
    [
        ("first_attempt_success_share", 1.2, ["PR-W102"]),
        ("max_attempts", 4.0, ["PR-W102"]),
        ("tour_share_1h", 0.3, ["PR-W103"]),
        ("tour_share_1h", -0.2, ["PR-W102", "PR-W103"]),
    ],
)
def test_parameters_that_do_not_fit(tiny, parameter, value, codes):
    network, instance = tiny
    with pytest.raises(InputError) as caught:
        read_parameters(changed(network, parameter, value), instance)
    assert caught.value.code == "PR-C001"
    assert [finding.code for finding in caught.value.findings] == codes
    assert all(finding.table == "parameters" for finding in caught.value.findings)


def test_what_the_feed_leaves_out_has_its_default(tiny):
    network, instance = tiny
    assert read_parameters(changed(network, "divert_queue_h", None), instance).divert_queue_h == 12


def test_items_that_no_route_leads_on():
    case = random_case(1)
    nowhere = case.tables.next_out.copy()
    nowhere[..., case.instance.fac_td[2]] = -1
    blocked = replace(case, tables=replace(case.tables, next_out=nowhere))
    for run in (run_flows, run_items):
        with pytest.raises(InfeasibleError) as caught:
            run(blocked)
        assert caught.value.code == "PR-W104"
        assert re.fullmatch(r"PR-W104  \d+ items at 'F\d' have no route to 'F\d'\.", str(caught.value))


def test_items_without_a_promise_and_a_route_are_refused_too():
    case = random_case(1)
    nowhere = case.tables.next_out.copy()
    nowhere[..., case.instance.fac_td[2]] = -1
    unpromised = case.promise_k.copy()
    unpromised[:, :, case.flows.destination == 2] = -1
    with pytest.raises(InfeasibleError, match="PR-W104"):
        run_flows(replace(case, tables=replace(case.tables, next_out=nowhere), promise_k=unpromised), Sample(every=1))


def test_a_run_that_is_cut_short_says_so():
    case = random_case(2)
    result, findings = run_flows(case, max_days=3)
    assert result.n_hours == 72
    assert findings.counts == {"PR-W105": 1}
    left = result.counts.in_custody[-1]
    assert left > 0
    assert f"{left:,}" in next(iter(findings)).message()
    assert result.journeys.n_items.sum() + left == result.counts.created[-1]


def test_a_longer_horizon_is_asked_for_when_items_are_left():
    case, asked = random_case(2), []
    whole, _ = run_flows(case)
    days = 4
    n_slots = days * case.instance.slots_per_day
    kept = case.instance.dp_dep_min < days * 1440
    short = replace(
        case.instance,
        n_days=days,
        **{name: getattr(case.instance, name)[:, :n_slots] for name in ("sort_cap", "screen_cap", "wave_cap")},
        **{
            name: getattr(case.instance, name)[kept]
            for name in ("dp_cn", "dp_dep_min", "dp_arr_min", "dp_ready_slot", "dp_day", "dp_capf")
        },
        dp_ptr=case.instance.dp_ptr[: n_slots + 1],
        service_runs=case.instance.service_runs[:, :days],
    )

    def lengthen(n_days):
        asked.append(n_days)
        return case.instance

    result, findings = run_flows(replace(case, instance=short), extend=lengthen)
    assert asked == [11]
    assert len(findings) == 0
    for name in ("created", "delivered", "returned", "lost", "in_custody"):
        np.testing.assert_array_equal(getattr(result.counts, name), getattr(whole.counts, name))
    np.testing.assert_array_equal(result.load_items, whole.load_items)
    assert run_flows(replace(case, instance=short))[1].counts == {"PR-W105": 1}


def test_networks_that_entries_cannot_number():
    case = random_case(1)
    many = replace(case, instance=replace(case.instance, prod_id=tuple(f"P{i}" for i in range(17))))
    with pytest.raises(InputError) as caught:
        run_flows(many)
    assert caught.value.code == "PR-W106"
    release = release_flows(case.instance, case.flows, Sample())
    release.n_days = 2**31
    with pytest.raises(InputError) as caught:
        make_net(case.instance, case.tables, release, case.promise_k, case.parameters, (0,))
    assert caught.value.code == "PR-W107"


def test_state_keeps_its_figures_when_it_is_widened():
    case = random_case(1)
    release = release_flows(case.instance, case.flows, Sample())
    state, _ = make_state(case.instance, release, case.tables)
    state.sorted_h[1, 5] = 7
    state.load[2, 3, 1] = 9
    wider = widen_state(state, replace(case.instance, n_days=50))
    assert wider.load.shape[0] == 50
    assert wider.totals_h.shape[1] == 51 * 24
    assert (wider.sorted_h.sum(), wider.sorted_h[1, 5], wider.load.sum(), wider.load[2, 3, 1]) == (7, 7, 9, 9)


def test_the_last_week_repeats_after_the_tables():
    case = random_case(1)
    days = np.array([0, 1, 1, 1, 1, 1, 2, 2, 1], np.int32)
    tables = replace(case.tables, block_of_day=days)
    release = release_flows(case.instance, case.flows, Sample())
    net = make_net(case.instance, tables, release, case.promise_k, make_parameters(), (0,))
    assert net.block_of_day[:9].tolist() == days.tolist()
    assert net.block_of_day[9:23].tolist() == [*days[2:], *days[2:]]
