"""Screens in both languages, as they were before; ``tests/cli/regenerate.py`` writes them anew."""

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("cli_regenerate", Path(__file__).with_name("regenerate.py"))
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)


@pytest.mark.parametrize("language", golden.LANGUAGES)
@pytest.mark.parametrize("name", golden.WORDS)
def test_a_screen_is_as_before(name, language):
    before = (golden.FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8")
    assert golden.screen(name, language) == before


@pytest.mark.parametrize("language", golden.LANGUAGES)
def test_the_screen_after_a_run_is_as_before(language):
    assert golden.outcome(language) == (golden.FOLDER / f"outcome.{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", golden.LANGUAGES)
def test_no_screen_is_wider_than_it_must(language):
    for path in golden.FOLDER.glob(f"*.{language}.txt"):
        assert [line for line in path.read_text(encoding="utf-8").splitlines() if line != line.rstrip()] == []
