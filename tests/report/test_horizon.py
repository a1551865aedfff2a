"""How long charts over the hours are, and what they say of what they leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from kit.report_data import facts, report_data
from postroad.report.horizon import cut_note, hour_text, shown_hours
from postroad.report.run import run_page

LONG = 1440


def stuck(n_hours: int = LONG, left: int = 300) -> pl.DataFrame:
    """A week of 7,000,000 items of which 300 never arrive."""
    hour = np.arange(n_hours)
    created = np.minimum(hour * 50_000, 7_000_000)
    delivered = np.minimum(np.maximum(hour - 40, 0) * 50_000, 7_000_000 - left)
    return pl.DataFrame({"hour": hour, "created": created, "delivered": delivered, "in_custody": created - delivered})


def test_charts_end_when_almost_nothing_is_under_way():
    run = replace(facts(), n_hours=LONG)
    shown = shown_hours(run, stuck())
    assert 180 <= shown <= 200
    assert shown_hours(run, stuck(), stuck(left=4_000_000)) == LONG


def test_what_is_left_out_is_said():
    run = replace(facts(), n_hours=LONG)
    note = cut_note(run, stuck(), shown_hours(run, stuck()))
    assert "300 items (0.00 %) were still under way" in note.en
    assert "300 件" in note.zh
    assert cut_note(run, stuck(), LONG) is None


def test_a_run_that_ends_soon_is_shown_whole():
    run = replace(facts(), n_hours=240)
    assert shown_hours(run, report_data().hourly.head(240)) == 240
    assert shown_hours(facts()) == facts().measured_to_h + 24


def test_charts_of_hours_are_cut_alike():
    data = report_data()
    facts_long = replace(data.facts, n_hours=LONG)
    tail = data.hourly.tail(1).select(pl.all().repeat_by(LONG - 264).explode())
    tail = tail.with_columns(hour=pl.int_range(264, LONG), sorted=0, backlog_in=0, backlog_out=0)
    page = run_page(replace(data, facts=facts_long, hourly=pl.concat([data.hourly, tail], how="vertical_relaxed")))
    charts = {chart.chart_id: chart for chart in page.charts()}
    assert len(charts["national_load"].spec["x"]) == charts["map"].spec["n_hours"] < 300
    assert max(charts["backlog_both"].spec["x"]) < 300


def test_hours_are_written_as_people_write_them():
    text = hour_text(facts(), 75)
    assert (text.en, text.zh) == ("11 Nov 03:00", "11月11日 03:00")
