"""What ``postroad plan reroute`` tells."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.table import Table

from postroad.cli.shell import Shell
from postroad.report.text import Text
from postroad.study.rerouting import ReroutedDay, reroute_day

__all__ = ["REROUTE_S", "tell_rerouting"]

REROUTE_S = 12.0
"""Seconds for the search when none are given: a dozen iterations on a normal day, half as many at the peak."""

CASES = {
    "undisturbed": Text("undisturbed", "无扰动"),
    "plan": Text("plan as it stands", "原计划"),
    "rerouted": Text("rerouted", "改道"),
    "most": Text("as much room as wanted", "能力不设上限"),
}


def tell_rerouting(shell: Shell, scenario: str, plan: Path, **settings: object) -> None:
    """Reroute a plan, and say what the new routes are and what the twin made of them."""
    with shell.progress() as progress:
        day = reroute_day(scenario, plan, progress=progress, **settings)
    _tell(shell, day)


def _tell(shell: Shell, day: ReroutedDay) -> None:
    rerouted, reserve = day.rerouted, day.rerouted.reserve
    facts = {
        "scenario": day.scenario.name,
        "seconds": round(day.seconds, 2),
        "work": rerouted.n_iterations,
        "overload": rerouted.overload,
        "n_extra_trips_per_day": 0 if reserve is None else reserve.n_trips,
        "extra_sorting_per_day": 0 if reserve is None else int(reserve.sort_extra.sum()),
        "extra_yuan_per_day": 0.0 if reserve is None else reserve.yuan_per_day,
        "n_catch_up_trips": sum(one.n_trips for one in day.after.reserves[1:]),
        "catch_up_yuan": sum(one.yuan_per_day for one in day.after.reserves[1:]),
        "from_min": day.window[0],
        "to_min": day.window[1],
        "check": None if day.check is None else day.check.to_dicts(),
        "folder": day.folder,
        "label": "modelled",
    }
    if shell.json:
        shell.write_json(facts)
        return
    rows = [
        (Text("New routes after", "新路由用时"), f"{day.seconds:.1f} s"),
        (Text("Search", "搜索"), f"{rerouted.n_iterations} ×"),
        (Text("Use beyond capacities", "超出能力的占用"), f"{rerouted.overload:.2%}"),
        (Text("Extra trips a day (modelled)", "每日加班车次（模型值）"), f"{facts['n_extra_trips_per_day']:,}"),
        (Text("Extra sorting a day (modelled)", "每日追加分拣（模型值）"), f"{facts['extra_sorting_per_day']:,}"),
        (Text("Cost a day (modelled)", "每日费用（模型值）"), f"{facts['extra_yuan_per_day']:,.0f} yuan"),
        (Text("Extra trips when it ends (modelled)", "恢复后加班车次（模型值）"), f"{facts['n_catch_up_trips']:,}"),
        (Text("Their cost (modelled)", "其费用（模型值）"), f"{facts['catch_up_yuan']:,.0f} yuan"),
    ]
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in rows:
        table.add_row(name.get(shell.language), value)
    shell.write_styled(table)
    if day.check is not None:
        columns = {
            "case": shell.pick("Case", "方案"), "late": shell.pick("Late items", "迟到件数"),
            "extra": shell.pick("Through the disruption", "因扰动迟到"),
            "here": shell.pick("from or to it", "其中：收寄地或寄达地受扰"),
            "earlier": shell.pick("accepted before it", "其中：此前已收寄"),
            "hours": shell.pick("Mean hours", "平均小时"),
        }  # fmt: skip
        lines = [
            (
                CASES[row["case"]].get(shell.language), row["n_late"], row["n_extra"], row["n_extra_here"],
                row["n_extra_earlier"], round(row["total_h"], 2),
            )
            for row in day.check.iter_rows(named=True)
        ]  # fmt: skip
        shell.write_table(columns, lines, shell.pick("Measured in the twin (modelled)", "孪生仿真结果（模型值）"))
