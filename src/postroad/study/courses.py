"""Courses of things: a scenario run again and again on the same plan, each time with other chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.demand.build import flows_for
from postroad.demand.flows import Flows
from postroad.ledger.simulated import events_from_trace, items_from_trace
from postroad.network.instance import Instance
from postroad.network.scenario import Scenario
from postroad.routing.tables import RoutingTables, build_tables
from postroad.study.archive import run_names
from postroad.study.delays import delay_events
from postroad.study.execution import DRAIN_DAYS, compiler, promise_plan, released_by_day
from postroad.twin.noise import Noise, Turn, day_factors, draw_course
from postroad.twin.parameters import TwinParameters, read_parameters
from postroad.twin.result import Trace
from postroad.twin.simulation import Sample, Simulation

__all__ = ["Course", "Plan", "begin", "course_tables", "finish", "make_plan", "rerun"]

OFFSET = 7
"""Which of the items in each ``every`` is followed; any will do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario without chance: what all its courses share."""

    scenario: Scenario
    instance: Instance
    tables: RoutingTables
    parameters: TwinParameters
    noise: Noise


@dataclass(slots=True)
class Course:
    """One course of a plan, under way: its seed and the simulation, which may be advanced."""

    plan: Plan
    seed: int
    simulation: Simulation


def make_plan(scenario: Scenario, noise: Noise) -> Plan:
    """Compile a scenario and its routes, with a horizon in which all is delivered.

    Raises
    ------
    InputError: when the feed does not pass its check.
    """
    findings = Findings()
    findings.extend(scenario.network.check())
    findings.raise_on_errors()
    instance = compiler(scenario)(scenario.n_days + DRAIN_DAYS)
    extra = scenario.network.parameters["divert_max_extra_h"]
    tables = build_tables(instance, divert_max_extra_h=extra)
    return Plan(scenario, instance, tables, read_parameters(scenario.network, instance), noise)


def begin(plan: Plan, seed: int, *, every: int) -> Course:
    """A course of the plan, not yet run: other demand, departures and work; one item in ``every`` is followed."""
    scenario, instance = plan.scenario, plan.instance
    items = released_by_day(scenario) * day_factors(plan.noise, seed, scenario.n_days)
    flows: Flows = flows_for(instance, scenario.network, np.rint(items).astype(np.int64), seed=seed, beta=scenario.beta)
    promised = promise_plan(scenario, instance, plan.tables, flows, 2)
    simulation = Simulation(
        draw_course(instance, plan.noise, seed), plan.tables, flows, promised, plan.parameters, measured_days=(),
        sample=Sample(every, OFFSET % every, 0, (), scenario.n_days),
    )  # fmt: skip
    return Course(plan, seed, simulation)


def finish(course: Course, progress: Progress | None = None) -> Trace:
    """Run a course until all is delivered or its horizon ends; the histories of the items that are followed."""
    progress = progress or Silent()
    instance, simulation = course.plan.instance, course.simulation
    progress.stage("simulate", instance.n_days)
    for day in range(simulation.slot // instance.slots_per_day, instance.n_days):
        simulation.advance((day + 1) * instance.slots_per_day)
        progress.step(day + 1, f"{simulation.n_delivered:,} delivered")
        if day >= course.plan.scenario.n_days and simulation.n_left == 0:
            break
    return simulation.histories()


def rerun(course: Course, seeds: range, until_slot: int) -> Iterator[Trace]:
    """Go on from where a course stands, once for each seed, with other chance from now on.

    What the course has drawn for what began before now stays; demand stays. The course itself does not move.
    """
    instance, now = course.plan.instance, course.simulation.slot * course.plan.instance.slot_min
    for seed in seeds:
        again = course.simulation.copy()
        again.follow(draw_course(instance, course.plan.noise, course.seed, Turn(now, seed)))
        again.shift_doors(seed)
        again.advance(until_slot)
        yield again.histories()


def course_tables(course: Course, trace: Trace) -> tuple[pa.Table, pa.Table]:
    """Events and item records of the items that a course followed, as a ledger keeps them; and what the vehicles told
    that carried them."""
    drawn = course.simulation.instance
    names = run_names(course.plan.scenario, drawn, drawn.digest)
    departures = trace.row_departure[trace.row_departure >= 0]
    told = delay_events(course.plan.instance, drawn, departures, names)
    events = pa.concat_tables([events_from_trace(trace, names), told], promote_options="default")
    return events, items_from_trace(trace, names)
