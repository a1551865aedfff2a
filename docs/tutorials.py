"""Write the tutorial pages whose figures and maps come from plans of the nation: run them and say what came out.

    python docs/tutorials.py                     both pages, about ten minutes
    python docs/tutorials.py --only worth-most   one of them

Every page is written anew with its maps; nothing in them is typed by hand but the words.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from postroad.flow.report import worth_most
from postroad.network.scenariofile import load_scenario
from postroad.report.networkmap import daily_lanes, network_facilities
from postroad.report.picture import draw_map_svg
from postroad.report.text import Text
from postroad.study.planning import Planned, plan_day
from postroad.study.rerouting import ReroutedDay, reroute_day

FOLDER = Path(__file__).parent / "tutorials"
ITERATIONS, REROUTING = 60, 6

WORTH = """# Where one more unit of capacity is worth most

A plan with a bound has prices: what one more unit of room on a departure, or of sorting in an hour, would save
a day. Added up over a lane's departures or a centre's hours they say where the network is short. This page is
written by `python docs/tutorials.py --only worth-most`, which runs what it tells; all figures are modelled.

```
postroad plan flow {scenario} --work-limit {iterations} --max-gap 0
```

The plan routes {items} items a day with a gap of {gap} after {iterations} iterations{gap_note}. The screen ends
with the places where one per cent more capacity is worth most; here they are, in yuan a day:

{table}

![{alt}](maps/{picture})

*Lanes by what one per cent more room is worth, circles by what one per cent more sorting is worth (modelled).
线路粗细：运能增加 1% 的价值；圆点：分拣能力增加 1% 的价值（模型值）。*

One per cent more everywhere would be worth {total} yuan a day at these prices; the ten places above are {share}
of it. Prices hold for a little more, not for a doubling: where room is doubled its price falls, and the next
place is the short one. The folder `plans/{scenario}` has every departure in `legs.parquet` and every centre and
hour in `centres.parquet`, each with its price.
"""

LOST = """# What losing {place} for three days does, and what rerouting saves

{place} is shut for three days at the peak (`{scenario}`). This page is written by
`python docs/tutorials.py --only zhengzhou`, which runs what it tells; all figures are modelled.

```
postroad plan flow {plan} --work-limit {iterations} --max-gap 0
postroad plan reroute {scenario} --plan plans/{plan} --work-limit {rerouting} --check
```

The new routes come with {n_trips} extra trips a day and {n_sorted} items a day sorted by temporary staff, at
{yuan} yuan a day, and {n_catch_up} trips when {place} works again, at {catch_up} yuan. Four cases were run in the
twin, all {items} items of the days around the peak in each:

{table}

*Late items: not delivered when promised. "Beyond" counts those more than in the undisturbed days: from or to
{place} itself, accepted before it closed, and all others. The last case has a hundredfold room from the closure
on and the next to quickest ways: no rerouting can hope for less.*

Of the {static} items that the closure makes late as the plan stands, rerouting saves {saved} ({saved_share});
as much room as wanted would save {possible_share}. Of those that neither start, end nor were already under way
near {place}, {others_share} are saved.

![{alt}](maps/{picture})

*Extra trips a day by lane (modelled). 每日加班车次（模型值）。*
"""


def write_worth_most(planned: Planned, folder: Path) -> Path:
    """The page on what more capacity is worth, with its map."""
    plan, scenario = planned.plan, planned.scenario
    worth = worth_most(plan, n=10**6)
    lanes = worth.filter(kind="lane").rename({"yuan_per_day": "items_per_day"})
    centres = worth.filter(kind="centre").select(facility_id="from_facility", sorted_items="yuan_per_day")
    names = _names(scenario.network)
    rows = [
        (
            names[row["from_facility"]] if row["kind"] == "centre"
            else f"{names[row['from_facility']]} → {names[row['to_facility']]}",
            row["mode"] or "sorting", f"{row['yuan_per_day']:,.0f}",
        )
        for row in worth.head(10).iter_rows(named=True)
    ]  # fmt: skip
    picture = f"worth-most-{scenario.name}.svg"
    alt = "Where more capacity is worth most"
    _draw(scenario.network, lanes, centres, Text(alt, "能力价值最高之处"), folder / "maps" / picture)
    total = float(worth["yuan_per_day"].sum())
    text = WORTH.format(
        scenario=scenario.name, iterations=plan.n_iterations, items=f"{plan.problem.n_items:,.0f}",
        gap=f"{plan.gap:.2%}", gap_note="" if plan.gap <= 0.01 else "; more iterations bring it below one per cent",
        table=_table(("where", "mode", "yuan a day"), rows), picture=picture, alt=alt, total=f"{total:,.0f}",
        share=f"{worth.head(10)['yuan_per_day'].sum() / max(total, 1e-9):.0%}",
    )  # fmt: skip
    return _write(folder / "worth-most.md", text)


def write_lost(day: ReroutedDay, plan: str, iterations: int, folder: Path) -> Path:
    """The page on the loss of a hub, with its map."""
    reserve, instance = day.rerouted.reserve, day.rerouted.market.problem.instance
    names = _names(day.scenario.network)
    place = names[day.scenario.overlay.rows[0].facility_id]
    cases = {
        "undisturbed": "undisturbed",
        "plan": "plan as it stands",
        "rerouted": "rerouted",
        "most": "as much as wanted",
    }
    kept = {row["case"]: row for row in day.check.iter_rows(named=True)}
    parts = ("n_late", "n_extra", "n_extra_here", "n_extra_earlier")
    rows = [
        (cases.get(case, case), *(f"{row[part]:,}" for part in parts), f"{row['total_h']:.1f}")
        for case, row in kept.items()
    ]
    static, new, most = (kept[case] for case in ("plan", "rerouted", "most"))
    lane = instance.cn_lane[reserve.connections]
    ids = pl.Series(instance.fac_id)
    lanes = (
        pl.DataFrame(
            {
                "from_facility": ids[instance.lane_from[lane]], "to_facility": ids[instance.lane_to[lane]],
                "mode": ["road"] * len(lane), "items_per_day": reserve.extra_pm / 1000,
            }
        )
        .group_by("from_facility", "to_facility", "mode", maintain_order=True)
        .agg(pl.col("items_per_day").sum())
    )  # fmt: skip
    leaving = lanes.group_by(facility_id="from_facility").agg(sorted_items=pl.col("items_per_day").sum())
    picture, alt = f"{day.scenario.name}.svg", f"Extra trips while {place} is shut"
    _draw(day.scenario.network, lanes, leaving, Text(alt, "加班车次"), folder / "maps" / picture)
    saved = static["n_extra"] - new["n_extra"]
    other = [row["n_extra"] - row["n_extra_here"] - row["n_extra_earlier"] for row in (static, new)]
    text = LOST.format(
        place=place, scenario=day.scenario.name, plan=plan, iterations=iterations, rerouting=day.rerouted.n_iterations,
        n_trips=f"{reserve.n_trips:,}", n_sorted=f"{int(reserve.sort_extra.sum()):,}",
        yuan=f"{reserve.yuan_per_day:,.0f}", n_catch_up=f"{day.after.reserves[1].n_trips:,}",
        catch_up=f"{day.after.reserves[1].yuan_per_day:,.0f}", items=f"{static['n_items']:,}",
        table=_table(("case", "late", "beyond", "from or to it", "accepted before", "mean hours"), rows),
        static=f"{static['n_extra']:,}", saved=f"{saved:,}", saved_share=_part(saved, static["n_extra"]),
        possible_share=_part(static["n_extra"] - most["n_extra"], static["n_extra"]),
        others_share=_part(other[0] - other[1], other[0]), picture=picture, alt=alt,
    )  # fmt: skip
    return _write(folder / "zhengzhou.md", text)


def _part(some: float, of: float) -> str:
    return f"{some / of:.0%}" if of else "none"


def _names(network) -> dict[str, str]:
    """Short English names of facilities."""
    shown = network_facilities(network, daily_lanes(network))
    return dict(shown.select("facility_id", pl.coalesce("short_en", "name_en")).iter_rows())


def _draw(network, lanes: pl.DataFrame, circles: pl.DataFrame, title: Text, path: Path) -> None:
    """Draw lanes and circles by amount over the base map."""
    facilities = network_facilities(network, daily_lanes(network)).drop("sorted_items")
    facilities = facilities.join(circles, on="facility_id", how="left", maintain_order="left")
    facilities = facilities.with_columns(pl.col("sorted_items").fill_null(0.0))
    lanes = lanes.with_columns(fill_share=pl.lit(None, dtype=pl.Float64), label=pl.lit("modelled"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw_map_svg(facilities, lanes, title), encoding="utf-8", newline="\n")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _write(page: Path, text: str) -> Path:
    page.write_text(text, encoding="utf-8", newline="\n")
    return page


def main() -> None:
    """Plan once, write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("worth-most", "zhengzhou"))
    parser.add_argument("--plan", default="peak", help="scenario that is planned")
    parser.add_argument("--scenario", default="peak-zhengzhou-closed", help="the same with a hub shut")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        planned = plan_day(given.plan, max_gap=0.0, work_limit=ITERATIONS, to=Path(place) / "plan")
        if given.only != "zhengzhou":
            print(write_worth_most(planned, FOLDER))
        if given.only != "worth-most":
            del planned
            reroute_day(load_scenario(given.scenario), Path(place) / "plan", time_limit=None, work_limit=1)
            day = reroute_day(
                load_scenario(given.scenario), Path(place) / "plan", time_limit=None, work_limit=REROUTING, check=True
            )
            print(write_lost(day, given.plan, ITERATIONS, FOLDER))


if __name__ == "__main__":
    main()
