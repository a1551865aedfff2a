"""Measures: what happened to journeys, loads and hours, each defined once; validation; comparisons of runs."""

from postroad.measure.dims import GROUPINGS, Dims, build_dims
from postroad.measure.evaluation import measure, measure_sql
from postroad.measure.hours import Hours, measure_hours, track_backlog
from postroad.measure.loads import Loads, measure_loads, sum_loads
from postroad.measure.record import Record, make_record, measure_record
from postroad.measure.registry import STANDARD, Component, Measure, components, find, measures
from postroad.measure.sql import Within
from postroad.measure.tallies import Tally, tally

__all__ = [
    "GROUPINGS",
    "STANDARD",
    "Component",
    "Dims",
    "Hours",
    "Loads",
    "Measure",
    "Record",
    "Tally",
    "Within",
    "build_dims",
    "components",
    "find",
    "make_record",
    "measure",
    "measure_hours",
    "measure_loads",
    "measure_record",
    "measure_sql",
    "measures",
    "sum_loads",
    "tally",
    "track_backlog",
]
