"""The progress bar on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from postroad.cli.bar import Bar


def draw(*, terminal):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None, legacy_windows=False)
    with Bar(console) as bar:
        bar.step(3)
        bar.stage("compile [network]", 4)
        bar.step(2, "2 tables")
        bar.stage("run")
        bar.step(7, "1.1e9 delivered")
    return out.getvalue()


def test_on_a_terminal_stages_end_full():
    screen = draw(terminal=True)
    last = screen[screen.rindex("compile [network]") :]
    assert "100%" in last and "2 tables" in last
    assert "run" in last and "1.1e9 delivered" in last


def test_elsewhere_one_line_a_stage():
    assert draw(terminal=False) == "compile [network]\nrun\n"


def test_the_terminal_is_restored_after_a_failure():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, legacy_windows=False)
    with pytest.raises(KeyboardInterrupt), Bar(console) as bar:
        bar.stage("run", 4)
        raise KeyboardInterrupt
    assert out.getvalue().endswith("\x1b[?25h")  # the cursor is shown again
    assert "100%" not in out.getvalue()
