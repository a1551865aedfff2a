"""One number of a scenario, named by a path, and the values it is swept over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from postroad.core.errors import InputError, NotFound
from postroad.network.rows import near_name
from postroad.network.scenario import Scenario
from postroad.network.schema import known_parameters, tables
from postroad.report.text import Text

__all__ = ["Setting", "apply_setting", "find_setting", "parse_values"]

MAX_POINTS = 200
_DEMAND = {
    "demand.by": Text("factor on the demand", "业务量倍数"),
    "demand.to_items": Text("items on the day", "当日件数"),
    "demand.beta": Text("exponent of distance of the demand", "需求的距离指数"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a scenario can be given.

    Attributes
    ----------
    path: ``demand.by``, ``demand.to_items``, ``demand.beta`` (or ``beta``), ``parameters.<id>``, or
        ``<table>.<column>``, a factor on every row of a column of numbers.
    name: for people. unit: of the number; empty for a factor.
    """

    path: str
    name: Text
    unit: str


def find_setting(path: str) -> Setting:
    """The number that a path names.

    Raises
    ------
    NotFound: PR-S109 when there is none of that name.

    >>> find_setting("beta").path
    'demand.beta'
    """
    path = "demand.beta" if path == "beta" else path
    table, _, name = path.partition(".")
    if path in _DEMAND:
        return Setting(path, _DEMAND[path], "items" if path == "demand.to_items" else "")
    if table == "parameters" and name in known_parameters():
        known = known_parameters()[name]
        return Setting(path, Text(known.description.rstrip("."), known.description_zh.rstrip("。")), known.uom)
    if table in tables() and table != "parameters" and name in _numbers(table):
        text = Text(f"factor on {name} of all {table}", f"{table} 表 {name} 列的倍数")
        return Setting(path, text, "")
    known = (*_DEMAND, *(f"parameters.{one}" for one in known_parameters()))
    columns = tuple(f"{one}.{column}" for one in tables() if one != "parameters" for column in _numbers(one))
    raise NotFound("PR-S109", value=path, near=near_name(path, (*known, *columns)), known=", ".join(known))


def _numbers(table: str) -> tuple[str, ...]:
    """The columns of a table that hold numbers."""
    return tuple(column.name for column in tables()[table].columns if column.kind in ("int", "number"))


def apply_setting(scenario: Scenario, setting: Setting, value: float) -> Scenario:
    """The scenario with a number set.

    Raises
    ------
    InputError: PR-F210 (demand), PR-C001 with findings PR-F207, PR-F212 (a value that does not fit).
    """
    table, _, name = setting.path.partition(".")
    if setting.path == "demand.by":
        return scenario.scale_demand(by=value)
    if setting.path == "demand.to_items":
        return scenario.scale_demand(to_items=round(value))
    if setting.path == "demand.beta":
        return replace(scenario, beta=value)
    if table == "parameters":
        return _with_parameter(scenario, name).change(table, {"parameter_id": name}, {"value": value})
    return scenario.change(table, {}, {name: {"times": value}})


def _with_parameter(scenario: Scenario, name: str) -> Scenario:
    """The scenario whose feed has a row for a parameter, at its default where it had none."""
    frame = scenario.network.tables["parameters"]
    if (frame["parameter_id"] == name).any():
        return scenario
    known = known_parameters()[name]
    row = {"parameter_id": name, "value": known.default, "uom": known.uom, "label": "modelled", "source": "the sweep"}
    added = pl.DataFrame([row], schema={column: frame.schema[column] for column in row})
    network = scenario.network.with_tables(parameters=pl.concat([frame, added], how="diagonal"))
    return replace(scenario, network=network)


def parse_values(text: str) -> list[float]:
    """Read ``from:to:step`` or ``a,b,c``.

    Raises
    ------
    InputError: PR-S110 for another form, a step that leads nowhere, or more than 200 values.

    >>> parse_values("0.8:1.2:0.2"), parse_values("1.05,0.6")
    ([0.8, 1.0, 1.2], [0.6, 1.05])
    """
    parts = text.split(":") if ":" in text else text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError as error:
        raise InputError("PR-S110", value=text) from error
    if ":" not in text:
        return _checked(text, sorted(set(numbers)))
    if len(numbers) != 3 or numbers[2] <= 0 or numbers[1] < numbers[0]:
        raise InputError("PR-S110", value=text)
    first, last, step = numbers
    n = min(int((last - first) / step + 1e-9), MAX_POINTS) + 1
    # Rounded so that 0.1 added often is what a person would write.
    return _checked(text, [round(first + step * place, 12) for place in range(n)])


def _checked(text: str, values: list[float]) -> list[float]:
    if not np.isfinite(values).all() or len(values) > MAX_POINTS:
        raise InputError("PR-S110", value=text)
    return values
