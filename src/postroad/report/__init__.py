"""The report: one self-contained HTML file a run, maps, and tables for spreadsheets."""

from postroad.report.basemap import BaseMap, read_base_map
from postroad.report.data import CompareData, Comparison, Disruption, ReportData, RunFacts, SweepData
from postroad.report.export import write_tables
from postroad.report.networkmap import render_network
from postroad.report.picture import draw_map_svg
from postroad.report.run import render_comparison, render_report, render_sweep, write_report
from postroad.report.summary import summarise_run
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
    "draw_map_svg",
    "read_base_map",
    "render_comparison",
    "render_network",
    "render_report",
    "render_sweep",
    "summarise_run",
    "write_report",
    "write_tables",
]
