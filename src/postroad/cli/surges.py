"""What ``postroad plan surge`` tells."""

from __future__ import annotations

from rich import box
from rich.table import Table

from postroad.cli.shell import Shell
from postroad.report.text import Text
from postroad.study.surging import SurgePlan, plan_surge_day

__all__ = ["tell_surge"]

CASES = {
    "as it stands": Text("as it stands", "现状"),
    "as much as wanted": Text("as much as wanted", "能力不设上限"),
    "haste": Text("haste", "时间价值倍数"),
}

DEAREST = 5


def tell_surge(shell: Shell, scenario: str, **settings: object) -> None:
    """Plan a surge, and say what is to be called up, what it costs and what the twin made of it."""
    with shell.progress() as progress:
        plan = plan_surge_day(scenario, progress=progress, **settings)
    _tell(shell, plan)


def _tell(shell: Shell, plan: SurgePlan) -> None:
    day = plan.scenario.day
    today = {name: frame.filter(frame["date"] == day) for name, frame in plan.lists.items()}
    if shell.json:
        shell.write_json(
            _data(plan) | {"dearest": {name: rows.head(DEAREST).to_dicts() for name, rows in today.items()}}
        )
        return
    whose = {
        "test": shell.pick("inter-city items between 50 cities", "50 个城市间异地快件"),
        "all": shell.pick("all items", "全部邮件"),
    }[plan.of]
    rows = [
        (Text("Within 72 h in the twin", "72 小时妥投率（孪生仿真）"), f"{plan.share:.2%} ({whose})"),
        (Text("Asked for", "目标"), f"{plan.target:.2%}"),
        (Text("Cost on the day (modelled)", "当日费用（模型值）"), f"{plan.yuan:,.0f} yuan"),
        (Text("No choice costs less than", "任何方案的费用下限"), f"{plan.bound_yuan:,.0f} yuan"),
        (Text("Gap", "间隙"), f"{plan.gap:.2%}"),
        (Text("Cost on all days (modelled)", "各日费用合计（模型值）"), f"{plan.week_yuan:,.0f} yuan"),
        (Text("Extra trips on the day", "当日加班车次"), f"{today['trips']['n_trips'].sum():,}"),
        (Text("Extra sorting on the day", "当日追加分拣件数"), f"{today['sorting']['n_items'].sum():,}"),
        (Text("Extra deliveries on the day", "当日追加投递件次"), f"{today['couriers']['n_items'].sum():,}"),
    ]
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in rows:
        table.add_row(name.get(shell.language), value)
    shell.write_styled(table)
    columns = {
        "case": shell.pick("Case", "方案"), "share": shell.pick("Within 72 h", "72 小时妥投率"),
        "all": shell.pick("of all items", "全部邮件"), "yuan": shell.pick("Yuan on the day", "当日费用（元）"),
    }  # fmt: skip
    lines = [
        (
            CASES[row["case"]].get(shell.language) + ("" if row["haste"] is None else f" {row['haste']:.2g}"),
            f"{row['share']:.2%}", f"{row['all_share']:.2%}", round(row["yuan"]),
        )
        for row in plan.tries.iter_rows(named=True)
    ]  # fmt: skip
    shell.write_table(columns, lines, shell.pick("Measured in the twin (modelled)", "孪生仿真结果（模型值）"))
    if plan.folder is not None:
        told = shell.pick(
            "Lists to sign: trips.csv, sorting.csv, couriers.csv in",
            "待签清单 trips.csv、sorting.csv、couriers.csv 位于",
        )
        shell.say(f"{told} {plan.folder}")


def _data(plan: SurgePlan) -> dict[str, object]:
    """The figures as data for JSON."""
    return {
        "scenario": plan.scenario.name,
        "target": plan.target,
        "of": plan.of,
        "share": plan.share,
        "yuan": plan.yuan,
        "bound_yuan": plan.bound_yuan,
        "gap": plan.gap,
        "all_days_yuan": plan.week_yuan,
        "tries": plan.tries.to_dicts(),
        "folder": plan.folder,
        "label": "modelled",
    }
