"""The script behind the tutorials with maps, on ``tiny``."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from postroad.network.scenariofile import load_scenario
from postroad.study.planning import plan_day
from postroad.study.rerouting import reroute_day

CLOSED = """
name = "closed"
base = "tiny"
days_before = 1
days_after = 1

[[disruptions]]
kind = "closure"
facility_id = "H-WUH"
from_at = "D+0 06:00"
to_at = "D+1 06:00"
"""


def script():
    """``docs/tutorials.py`` as a module."""
    spec = spec_from_file_location("tutorials", Path(__file__).parents[2] / "docs" / "tutorials.py")
    module = sys.modules["tutorials"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_pages_are_written_with_their_maps(tmp_path):
    pages, busy = script(), load_scenario("tiny").scale_demand(by=8)
    closed = tmp_path / "closed.toml"
    closed.write_text(CLOSED, encoding="utf-8")
    planned = plan_day(busy, max_gap=0.0, work_limit=20, to=tmp_path / "plan")
    page = pages.write_worth_most(planned, tmp_path)
    day = reroute_day(
        load_scenario(closed).scale_demand(by=8), tmp_path / "plan", time_limit=None, work_limit=5, check=True
    )
    lost = pages.write_lost(day, "tiny", 20, tmp_path)
    for written in (page, lost):
        text = written.read_text(encoding="utf-8")
        assert "modelled" in text
        (picture,) = re.findall(r"\]\((maps/.+?\.svg)\)", text)
        assert (tmp_path / picture).read_text(encoding="utf-8").startswith("<svg")
