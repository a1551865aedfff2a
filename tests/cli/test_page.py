"""The reference pages of codes and commands."""

import subprocess
import sys

from kit.cli import TRIALS
from kit.sources import REPOSITORY
from postroad.cli.page import write_codes_page, write_command_page
from postroad.cli.verbs import VERBS
from postroad.core.errors import registry


def test_every_code_has_a_section():
    headings = [line.removeprefix("### ") for line in write_codes_page().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(registry())


def test_every_verb_has_a_section():
    page = write_command_page()
    assert [line for line in page.splitlines() if line.startswith("## postroad ")] == [
        f"## postroad {verb.name}" for verb in VERBS
    ]
    assert "| `CODE` | str |  | A code such as PR-T104, or T104; without it, all. |" in page


def test_options_are_listed_as_they_are_given():
    page = write_command_page(TRIALS)
    assert "| `--title` | str | `` | The title. |" in page
    assert "| `--seed` | int | `7` | Seed of all random choices; the same seed, the same answer. |" in page
    assert "| `HOW` | str | required |  |" in page


def test_pages_on_disk_are_current():
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
