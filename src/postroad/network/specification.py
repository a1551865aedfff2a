"""The specification of the feed as a page, rendered from the declarations that the reader and the checker use."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from pydantic import BaseModel

from postroad.core.errors import registry
from postroad.network.metadata import FeedMeta
from postroad.network.scenariofile import ChangeSection, DemandSection, DisruptionSection, ScenarioFile
from postroad.network.schema import FORMAT_VERSION, known_parameters, tables

__all__ = ["EXAMPLE", "SCENARIO_EXAMPLE", "write_page", "write_page_zh"]

EXAMPLE: Mapping[str, str] = {
    "feed.toml": 'name = "two-towns"\ntimezone = "Europe/Berlin"\nbase_date = 2025-06-02\n',
    "places.csv": "place_id,kind,name\nA,city,Aland\nB,city,Beton\n",
    "facilities.csv": (
        "facility_id,kind,name,place_id,lon,lat,sort_items_per_h\n"
        "a,sorting,Aland centre,A,10.0,50.0,2000\n"
        "b,sorting,Beton centre,B,11.0,50.0,2000\n"
    ),
    "service_areas.csv": "facility_id,place_id\na,A\nb,B\n",
    "windows.csv": "facility_id,kind,start\na,delivery_wave,08:30\nb,delivery_wave,08:30\n",
    "factors.csv": "factor_id,kind,value,uom\ntruck,transport,0.10,kgCO2e/t-km\n",
    "vehicles.csv": "vehicle_id,mode,name,payload_kg,factor_id\ntruck,road,Truck,12000,truck\n",
    "lanes.csv": "lane_id,from_facility,to_facility,mode,distance_km\nab,a,b,road,85\nba,b,a,road,85\n",
    "calendar.csv": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,2025-01-01,2025-12-31\n"
    ),
    "trips.csv": (
        "trip_id,lane_id,vehicle_id,service_id,depart,arrive\n"
        "ab-22,ab,truck,daily,22:00,23:20\n"
        "ba-23,ba,truck,daily,23:00,24:20\n"
    ),
    "products.csv": "product_id,priority,name,mean_kg,mean_volume_m3,share\nparcel,0,Parcel,2.0,0.01,1\n",
    "promises.csv": "product_id,scope,min_days\nparcel,same_city,1\nparcel,intercity,1\n",
    "demand.csv": "origin_place,destination_place,product_id,n_items\nA,B,parcel,900\nB,A,parcel,700\n",
}
"""The smallest feed: what the page shows, and a test writes, reads and checks."""

SCENARIO_EXAMPLE = """\
name = "hub-cut"
base = "tiny"
date = 2025-11-11
days_before = 1
days_after = 1

[demand]
by = 1.5

[[changes]]
table = "facilities"
where = { kind = ["sorting", "hub"] }
set = { sort_items_per_h = { times = 0.8 } }

[[disruptions]]
kind = "closure"
facility_id = "H-WUH"
from_at = "D+0 06:00"
to_at = "D+0 18:00"
"""
"""A scenario file on the tiny feed: what the page shows, and a test loads."""

_SECTIONS = {"[demand]": DemandSection, "[[changes]]": ChangeSection, "[[disruptions]]": DisruptionSection}
_ROOMS = ("PR-F", "PR-T", "PR-N")
_TYPE_WORDS = {"str": "text", "int": "whole number", "float": "number", "dict": "table", "object": "value"}


def write_page() -> str:
    """The specification in English, as Markdown."""
    return _render("feed.en.md.j2")


def write_page_zh() -> str:
    """The specification in Chinese, as Markdown."""
    return _render("feed.zh.md.j2")


def _render(template: str) -> str:
    text = files("postroad.network").joinpath("pages", template).read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(text).render(
        format_version=FORMAT_VERSION,
        meta=_keys(FeedMeta),
        tables=list(tables().values()),
        parameters=list(known_parameters().values()),
        example=EXAMPLE,
        scenario=[key for key in _keys(ScenarioFile) if key["name"] not in ("demand", "changes", "disruptions")],
        sections={name: _keys(section) for name, section in _SECTIONS.items()},
        scenario_example=SCENARIO_EXAMPLE,
        codes=[entry for code, entry in sorted(registry().items()) if code.startswith(_ROOMS)],
    )


def _keys(model: type[BaseModel]) -> list[dict[str, str]]:
    """Name, type, default and descriptions of the keys of a TOML model."""
    hints = typing.get_type_hints(model)
    keys = []
    for name, field in model.model_fields.items():
        default = "needed" if field.is_required() else _default_text(field.default)
        keys.append(
            {
                "name": name,
                "type": _type_text(hints[name]),
                "default": default,
                "description": field.description or "",
                "description_zh": (field.json_schema_extra or {}).get("zh", ""),
            }
        )
    return keys


def _default_text(value: object) -> str:
    return "" if value in (None, "", (), [], {}) and value != 0 else f"`{value}`"


def _type_text(hint: object) -> str:
    """A type in words: ``text``, ``list of texts``, or the words that are allowed."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin in (tuple, list):
        return f"list of {_type_text(inner[0])}"
    if origin in (types.UnionType, typing.Union):
        return _type_text(inner[0])
    name = getattr(origin or hint, "__name__", str(hint))
    return _TYPE_WORDS.get(name, name)
