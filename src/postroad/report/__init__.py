"""The report: one self-contained HTML file a run, maps, and tables for spreadsheets."""

from postroad.report.basemap import BaseMap, read_base_map
from postroad.report.data import CompareData, Comparison, Disruption, ReportData, RunFacts, SweepData
from postroad.report.run import render_comparison, render_report, render_sweep, write_report
from postroad.report.text import Text

__all__ = [
    "BaseMap",
    "CompareData",
    "Comparison",
    "Disruption",
    "ReportData",
    "RunFacts",
    "SweepData",
    "Text",
    "read_base_map",
    "render_comparison",
    "render_report",
    "render_sweep",
    "write_report",
]
