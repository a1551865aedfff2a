"""``postroad plan``: plans with a bound, told on a screen and kept in a folder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from postroad.cli.options import MaxGap, Seed, Threads, TimeLimit, WorkLimit
from postroad.cli.reroutes import REROUTE_S, tell_rerouting
from postroad.cli.shell import Shell
from postroad.cli.surges import tell_surge
from postroad.flow.report import worth_most
from postroad.report.text import Text
from postroad.study.planning import Planned, plan_day
from postroad.study.surging import SURGE_WORK

__all__ = ["plan"]

PLANS = Path("plans")
HISTORY = ("work", "seconds", "bound_yuan", "cost_yuan")


class Kind(StrEnum):
    """What can be planned."""

    flow = "flow"
    reroute = "reroute"
    surge = "surge"


class Of(StrEnum):
    """Whose share in time is asked for."""

    test = "test"
    all = "all"


def plan(
    shell: Shell,
    kind: Annotated[
        Kind, typer.Argument(help="What to plan: flow; reroute when something is out of order; surge, what to call up.")
    ],
    scenario: Annotated[str, typer.Argument(help="A shipped scenario (peak, normal-2023, tiny …) or a TOML file.")],
    max_gap: MaxGap = 0.01,
    time_limit: TimeLimit = None,
    work_limit: WorkLimit = None,
    seed: Seed = None,
    carbon_price: Annotated[
        float, typer.Option("--carbon-price", min=0, help="Yuan for a tonne of CO2e, in the cost that is planned for.")
    ] = 100.0,
    to: Annotated[Path | None, typer.Option("--to", help="Folder of the plan; plans/<scenario> when left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a plan that is there.")] = False,
    of: Annotated[
        Path | None, typer.Option("--plan", help="For reroute: folder of the plan; plans/<scenario> when left out.")
    ] = None,
    call_up: Annotated[
        bool, typer.Option("--call-up/--no-call-up", help="For reroute: extra road trips and sorting may be called up.")
    ] = True,
    check: Annotated[bool, typer.Option("--check", help="For reroute: run the cases in the twin and compare.")] = False,
    share: Annotated[
        float, typer.Option("--share", min=0, max=1, help="For surge: share to be delivered within 72 hours.")
    ] = 0.8,
    share_of: Annotated[
        Of, typer.Option("--share-of", help="For surge: of items in the 50-city time-limit test, or of all.")
    ] = Of.test,
    threads: Threads = 2,
) -> None:
    """Plan how a day's items should flow through timetable, vehicles and centres, and prove how good the plan is.

    reroute finds new ways, and what to call up, for a scenario's disruptions, from the prices of a plan made before.
    surge finds the cheapest extra trips, hands and couriers with which a day's items arrive in time.

    The plan is kept in a folder; postroad run SCENARIO --plan FOLDER follows it. Ctrl-C ends the search with the best
    plan so far.
    """
    limits = {"seed": seed, "max_gap": max_gap, "to": to, "replace_folder": replace, "threads": threads}
    if kind is Kind.reroute:
        plan_folder, time_limit = of or PLANS / Path(scenario).stem, None if work_limit else time_limit or REROUTE_S
        tell_rerouting(
            shell, scenario, plan_folder, call_up=call_up, check=check, time_limit=time_limit, work_limit=work_limit,
            to=to, replace_folder=replace, threads=threads,
        )  # fmt: skip
    elif kind is Kind.surge:
        work_limit = work_limit or SURGE_WORK
        tell_surge(
            shell, scenario, target=share, of=share_of.value, time_limit=time_limit, work_limit=work_limit, **limits
        )
    else:
        limits["to"] = to or PLANS / Path(scenario).stem
        _tell_flow(
            shell, scenario, time_limit=time_limit, work_limit=work_limit, carbon_yuan_per_t=carbon_price, **limits
        )


def _tell_flow(shell: Shell, scenario: str, **settings: object) -> None:
    """Plan the flow and say what came of it."""
    with shell.progress() as progress:
        made = plan_day(scenario, progress=progress, **settings)
    if shell.json:
        shell.write_json(_data(made))
    else:
        _write(shell, made)


def _data(made: Planned) -> dict[str, object]:
    """The plan's figures as data for JSON."""
    plan, score = made.plan, made.score
    return {
        "scenario": made.scenario.name,
        "day": made.scenario.day,
        "seed": made.scenario.seed,
        "folder": made.folder,
        "n_items": plan.problem.n_items,
        "cost_yuan": plan.cost_yuan,
        "bound_yuan": plan.bound_yuan,
        "gap": plan.gap,
        "checked_cost_yuan": score.cost_yuan,
        "faults": score.faults,
        "stop": plan.stop,
        "work": plan.n_iterations,
        "n_given_up": plan.loading.n_given_up,
        "n_cancelled_trips": len(plan.cancelled),
        "history": [dict(zip(HISTORY, row, strict=True)) for row in plan.history],
        "worth_most": worth_most(plan).to_dicts(),
        "label": "modelled",
    }


_STOPS = {
    "gap": Text("the gap asked for is reached", "已达到要求的间隙"),
    "time": Text("time limit", "达到时限"),
    "work": Text("work limit", "达到计算量上限"),
    "interrupted": Text("interrupted", "已中断"),
}


def _write(shell: Shell, made: Planned) -> None:
    """The plan's figures, what its cost is made of, and where more capacity is worth most."""
    plan, score = made.plan, made.score
    n = max(plan.problem.n_items, 1)
    time_yuan = score.ride_time_yuan + score.waiting_yuan + score.wave_yuan
    rows = [
        (Text("Items a day", "日件量"), f"{plan.problem.n_items:,.0f}"),
        (Text("Cost that routing can change", "路由可改变的成本"), f"{plan.cost_yuan:,.0f} yuan"),
        (Text("No plan costs less than", "任何计划的成本下限"), f"{plan.bound_yuan:,.0f} yuan"),
        (Text("Gap", "间隙"), f"{plan.gap:.2%}"),
        (Text("Checked by a second account", "独立核算"), _verdict(shell, made)),
        (Text("An item: time in transit", "每件：在途时间"), f"{time_yuan / n:.3f} yuan"),
        (Text("An item: handling", "每件：处理"), f"{score.handling_yuan / n:.3f} yuan"),
        (Text("An item: carbon", "每件：碳"), f"{score.carbon_yuan / n:.3f} yuan"),
        (Text("Items not carried", "未能运送件数"), f"{plan.loading.n_given_up:,.0f}"),
        (Text("Trips without use", "无需开行的班次"), f"{len(plan.cancelled):,}"),
        (Text("Search", "搜索"), f"{plan.n_iterations} × , {_STOPS[plan.stop].get(shell.language)}"),
    ]  # fmt: skip
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in rows:
        table.add_row(name.get(shell.language), value)
    shell.write_styled(table)
    worth = worth_most(plan)
    if len(worth):
        columns = {
            "place": shell.pick("Where", "何处"), "mode": shell.pick("Mode", "方式"),
            "yuan": shell.pick("Yuan a day", "元/日"),
        }  # fmt: skip
        title = shell.pick(
            "One per cent more capacity is worth most (dual prices, modelled)",
            "增加 1% 能力最有价值之处（对偶价格，模型值）",
        )
        lines = [
            (
                row["from_facility"] if row["kind"] == "centre" else f"{row['from_facility']} → {row['to_facility']}",
                row["mode"] or shell.pick("sorting", "分拣"),
                round(row["yuan_per_day"]),
            )
            for row in worth.iter_rows(named=True)
        ]
        shell.write_table(columns, lines, title)
    if made.folder is not None:
        told = f"Follow it: postroad run {made.scenario.name} --plan {made.folder}"
        shell.say(shell.pick(told, f"按计划运行：postroad run {made.scenario.name} --plan {made.folder}"))


def _verdict(shell: Shell, made: Planned) -> str:
    """What the second account found."""
    if made.score.faults:
        return "; ".join(str(fault) for fault in made.score.faults)
    off = abs(made.score.cost_yuan - made.plan.cost_yuan) / max(made.plan.cost_yuan, 1)
    return shell.pick(f"no fault, cost within {off:.1e}", f"无误，成本相差 {off:.1e}")
