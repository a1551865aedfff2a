"""The flow problem as one sparse linear programme, an arc-flow model as textbooks write it, and HiGHS to solve it.

One commodity for each product and tree destination. Its nodes are the sort queue (*in*) and the sorted (*out*) of each
facility and slot, its columns rides, sorting, waiting at either node, and giving up where items are released: to give
up later would cost more. Rows balance each node of each commodity, and couple the commodities where they share the
room of a resource or the sorting of a slot. Facilities that no item of a commodity can pass on a way to its
destination are left out, which changes nothing. Costs are in yuan, flows in items.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import csc_matrix

from postroad.demand.build import flows_for
from postroad.flow.problem import CLOSED, FlowProblem, build_problem
from postroad.network.compile import compile_network
from postroad.network.scenariofile import load_scenario
from postroad.study.execution import released_by_day

__all__ = ["SOLVERS", "FlowLp", "LpAnswer", "build_lp", "scenario_problem", "solve_lp"]

RIDE, SORT, WAIT_IN, WAIT_OUT, GIVE_UP = range(5)

SOLVERS = {
    "simplex": {"solver": "simplex"},
    "ipm": {"solver": "ipm", "run_crossover": "off"},
    "pdlp": {"solver": "pdlp"},
}
"""Options of HiGHS; the interior point method is spared the crossover to a corner, which a plan does not need."""


@dataclass(frozen=True, slots=True)
class FlowLp:
    """A linear programme: least ``cost @ x + offset`` with ``x >= 0`` and rows between ``lower`` and ``upper``.

    Attributes
    ----------
    matrix: (n_row, n_col); cost: float64 (n_col,), yuan; lower, upper: float64 (n_row,), items.
    kind, product, td, place: int (n_col,), what a column is: ``place`` is a ride, or ``facility * n_slots + slot``.
    first_shared: the row from which on rows are shared: those of ``resource`` (with room for ``room`` items of the
        first product), then those of ``sort_place``.
    stranded: float64 (n_prod, n_core, n_td), items released where no way leads on; ``offset`` has their refusal.
    """

    problem: FlowProblem
    matrix: csc_matrix
    cost: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    offset: float
    kind: np.ndarray
    product: np.ndarray
    td: np.ndarray
    place: np.ndarray
    first_shared: int
    resource: np.ndarray
    room: np.ndarray
    sort_place: np.ndarray
    stranded: np.ndarray


@dataclass(frozen=True, slots=True)
class LpAnswer:
    """What a solver answers: seconds, status, objective in yuan, and the certificate that ``evaluate`` takes."""

    seconds: float
    status: str
    objective: float
    ride_flow: np.ndarray
    sort_flow: np.ndarray
    given_up: np.ndarray
    leg_prices: np.ndarray
    sort_prices: np.ndarray


@dataclass(slots=True)
class _Part:
    """Columns of one commodity: arrays as in :class:`FlowLp`; entries of the balance rows as (row, column, value)."""

    kind: np.ndarray
    place: np.ndarray
    cost: np.ndarray
    row: np.ndarray
    column: np.ndarray
    value: np.ndarray
    demand: np.ndarray


def scenario_problem(name: str) -> FlowProblem:
    """The flow problem of the day of a shipped scenario, as if that day repeated for ever."""
    scenario = load_scenario(name)
    instance = compile_network(scenario.network, day=scenario.day, days_before=7, n_days=15)
    flows = flows_for(instance, scenario.network, released_by_day(scenario), seed=scenario.seed, beta=scenario.beta)
    return build_problem(instance, flows, day=7, flow_day=scenario.days_before)


def build_lp(problem: FlowProblem) -> FlowLp:
    """Write a flow problem as a linear programme."""
    n_prod, n_core, _, n_td = problem.shape
    parts, stranded = [], np.zeros((n_prod, n_core, n_td))
    names = [(product, td) for product in range(n_prod) for td in range(n_td)]
    for product, td in names:
        rides, kept = _useful(problem, product, td)
        items = problem.released[product, :, :, td].sum(axis=1, dtype=np.float64)
        stranded[product, ~kept, td] = items[~kept]
        parts.append(_commodity(problem, product, td, rides, kept))
    width = [len(part.kind) for part in parts]
    left = np.concatenate([[0], np.cumsum(width)])
    top = np.concatenate([[0], np.cumsum([len(part.demand) for part in parts])])
    kind, place = (np.concatenate([getattr(part, name) for part in parts]) for name in ("kind", "place"))
    product, td = (np.repeat([name[k] for name in names], width) for k in (0, 1))
    shared = _shared_rows(problem, kind, place, product)
    row, column, value, resource, room, sort_place = shared
    row = np.concatenate([*(part.row + at for part, at in zip(parts, top[:-1], strict=True)), row + top[-1]])
    column = np.concatenate([*(part.column + at for part, at in zip(parts, left[:-1], strict=True)), column])
    value = np.concatenate([*(part.value for part in parts), value])
    demand, cap = np.concatenate([part.demand for part in parts]), problem.sort_cap.ravel()[sort_place]
    n_row = top[-1] + len(resource) + len(sort_place)
    return FlowLp(
        problem=problem,
        matrix=csc_matrix((value, (row, column)), shape=(n_row, left[-1])),
        cost=np.concatenate([part.cost for part in parts]) / 1e6,
        lower=np.concatenate([demand, np.full(n_row - top[-1], -np.inf)]),
        upper=np.concatenate([demand, room, cap]),
        offset=float(stranded.sum(axis=(1, 2)) @ problem.refusal_cost) / 1e6,
        kind=kind, product=product, td=td, place=place, first_shared=int(top[-1]),
        resource=resource, room=room, sort_place=sort_place, stranded=stranded,
    )  # fmt: skip


def _useful(problem: FlowProblem, product: int, td: int) -> tuple[np.ndarray, np.ndarray]:
    """Rides that a commodity can use on a way to its destination, and the facilities on such ways, bool (n_core,)."""
    rides, goal = problem.rides, problem.instance.td_fac[td]
    is_open = (
        (problem.ride_cost[product] < CLOSED) & ~problem.closed_ride[problem.group_of_td[td]] & (rides.fac != goal)
    )
    works = (problem.sort_cap > 0).any(axis=1)
    ride = np.flatnonzero(is_open & works[rides.fac] & works[rides.head])
    reached = problem.released[product, :, :, td].any(axis=1) & works
    leads = np.zeros(problem.shape[1], bool)
    leads[goal] = works[goal]
    for marked, tail, head in (
        (reached, rides.fac[ride], rides.head[ride]),
        (leads, rides.head[ride], rides.fac[ride]),
    ):
        before = -1
        while before != marked.sum():
            before = marked.sum()
            marked[head[marked[tail]]] = True
    kept = reached & leads
    return ride[kept[rides.fac[ride]] & kept[rides.head[ride]]], kept


def _commodity(problem: FlowProblem, product: int, td: int, ride: np.ndarray, kept: np.ndarray) -> _Part:
    """Columns and balance rows of one product to one destination; in a row, what leaves less what comes is released."""
    rides, n_slots, goal = problem.rides, problem.shape[2], problem.instance.td_fac[td]
    place = np.flatnonzero(np.repeat(kept, n_slots))
    inner = place[place // n_slots != goal]
    later = np.arange(kept.size * n_slots).reshape(-1, n_slots)
    later = np.roll(later, -1, axis=1).ravel()
    row_in, row_out = np.full((2, kept.size * n_slots), -1)
    row_in[place], row_out[inner] = np.arange(len(place)), len(place) + np.arange(len(inner))
    works = place[problem.sort_cap.ravel()[place] > 0]
    released = problem.released[product, :, :, td].ravel().astype(np.float64)
    fresh = place[released[place] > 0]
    leaves = row_out[rides.fac[ride].astype(np.int64) * n_slots + rides.slot[ride]]
    comes = row_in[rides.head[ride].astype(np.int64) * n_slots + (rides.slot[ride] + rides.step[ride]) % n_slots]
    handling = problem.handling_cost[works // n_slots].astype(np.float64)
    handling += np.where(works // n_slots == goal, problem.end_cost[product, td, works % n_slots], 0)
    wait, refusal = float(problem.wait_cost[product]), float(problem.refusal_cost[product])
    blocks = (
        (RIDE, ride, leaves, comes, problem.ride_cost[product, ride].astype(np.float64)),
        (SORT, works, row_in[works], row_out[works], handling),
        (WAIT_IN, place, row_in[place], row_in[later[place]], np.full(len(place), wait)),
        (WAIT_OUT, inner, row_out[inner], row_out[later[inner]], np.full(len(inner), wait)),
        (GIVE_UP, fresh, row_in[fresh], np.full(len(fresh), -1), np.full(len(fresh), refusal)),
    )
    kind = np.repeat([block[0] for block in blocks], [len(block[1]) for block in blocks])
    where, start, end, cost = (np.concatenate([block[k] for block in blocks]) for k in (1, 2, 3, 4))
    ends = np.flatnonzero(end >= 0)
    return _Part(
        kind=kind,
        place=where,
        cost=cost,
        row=np.concatenate([start, end[ends]]),
        column=np.concatenate([np.arange(len(kind)), ends]),
        value=np.concatenate([np.ones(len(kind)), -np.ones(len(ends))]),
        demand=np.concatenate([released[place], np.zeros(len(inner))]),
    )


def _shared_rows(problem: FlowProblem, kind: np.ndarray, place: np.ndarray, product: np.ndarray) -> tuple:
    """Entries (row, column, value) of the rows of resources and slots of sorting that some column uses; their names."""
    resources = problem.resources
    on = np.flatnonzero(kind == RIDE)
    n_use = np.diff(resources.ride_ptr)[place[on]]
    column = np.repeat(on, n_use)
    use = np.arange(n_use.sum()) - np.repeat(np.cumsum(n_use) - n_use, n_use)
    use += np.repeat(resources.ride_ptr[place[on]], n_use)
    resource, row = np.unique(resources.of_use[use], return_inverse=True)
    room = resources.items[0, resource]
    value = resources.share[product[column], use] * room[row]
    at = np.flatnonzero(kind == SORT)
    sort_place, sort_row = np.unique(place[at], return_inverse=True)
    return (
        np.concatenate([row, sort_row + len(resource)]),
        np.concatenate([column, at]),
        np.concatenate([value, np.ones(len(at))]),
        resource,
        room,
        sort_place,
    )


def solve_lp(lp: FlowLp, solver: str = "simplex", time_limit_s: float = 600.0) -> LpAnswer:
    """Solve with HiGHS, ``simplex``, ``ipm`` or ``pdlp``; what it has found by the time limit, its status says."""
    highs = highspy.Highs()
    for option, value in {"output_flag": False, "time_limit": time_limit_s, **SOLVERS[solver]}.items():
        highs.setOptionValue(option, value)
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = lp.matrix.shape
    model.col_cost_, model.offset_ = lp.cost, lp.offset
    model.col_lower_, model.col_upper_ = np.zeros(len(lp.cost)), np.full(len(lp.cost), highspy.kHighsInf)
    model.row_lower_, model.row_upper_ = lp.lower, lp.upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = lp.matrix.indptr, lp.matrix.indices
    model.a_matrix_.value_ = lp.matrix.data
    highs.passModel(model)
    start = time.perf_counter()
    highs.run()
    seconds = time.perf_counter() - start
    solution = highs.getSolution()
    x, dual = np.array(solution.col_value), np.array(solution.row_dual)
    if not len(x):
        x, dual = np.zeros(len(lp.cost)), np.zeros(len(lp.lower))
    status = highs.modelStatusToString(highs.getModelStatus())
    return LpAnswer(seconds, status, highs.getInfo().objective_function_value, *_flows(lp, x), *_prices(lp, dual))


def _flows(lp: FlowLp, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    problem = lp.problem
    n_prod, n_core, n_slots, n_td = problem.shape
    ride_flow = np.zeros((n_prod, problem.rides.n, n_td), np.float32)
    sort_flow = np.zeros((n_prod, n_core, n_slots, n_td), np.float32)
    given_up = lp.stranded.copy()
    on, at, gives = (lp.kind == kind for kind in (RIDE, SORT, GIVE_UP))
    ride_flow[lp.product[on], lp.place[on], lp.td[on]] = x[on]
    sort_flow[lp.product[at], lp.place[at] // n_slots, lp.place[at] % n_slots, lp.td[at]] = x[at]
    np.add.at(given_up, (lp.product[gives], lp.place[gives] // n_slots, lp.td[gives]), x[gives])
    return ride_flow, sort_flow, given_up.astype(np.float32)


def _prices(lp: FlowLp, dual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Yuan for whole resources and for sorting an item, from the duals of the shared rows."""
    leg, sort = np.zeros(lp.problem.resources.n), np.zeros(lp.problem.sort_cap.shape)
    shared = -dual[lp.first_shared :]
    leg[lp.resource] = shared[: len(lp.resource)] * lp.room
    sort.ravel()[lp.sort_place] = shared[len(lp.resource) :]
    return leg, sort
