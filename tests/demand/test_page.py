"""The generated page of the demand."""

from postroad.demand.comparison import fit_report
from postroad.demand.page import write_page
from postroad.demand.sources import read_demand


def test_the_page_shows_every_figure_and_every_input():
    text = write_page()
    assert text == write_page()
    lines = text.splitlines()
    for figure in fit_report()["figure"].unique():
        assert any(line.startswith(f"| {figure} |") for line in lines)
    for parameter in read_demand("parameters")["parameter_id"]:
        assert any(line.startswith(f"| {parameter} |") for line in lines)
    assert sum("| used |" in line for line in lines) == 2  # the heading and the one figure beta is fitted on
    assert "0.7797 (fitted)" in text
    assert not any(cell.strip() in ("nan", "None", "inf") for line in lines for cell in line.split("|"))
