"""What sweeps, validations and the words of the command line refuse."""

from __future__ import annotations

import pytest

from kit.cli import run_cli
from kit.studies import tiny_run
from postroad.core.errors import InputError, NotFound
from postroad.study.run import simulate, track_item
from postroad.study.settings import find_setting, parse_values
from postroad.study.validation import validate


def test_an_unknown_number_cannot_be_swept():
    with pytest.raises(NotFound) as caught:
        find_setting("parameters.max_attemps")
    assert caught.value.code == "PR-S109"
    assert "max_attempts" in caught.value.fix()


@pytest.mark.parametrize("text", ["", "a:b:c", "1:2", "1:2:0", "2:1:0.1", "0:1:0.0001", "nan", "inf"])
def test_what_is_not_a_list_of_values_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_values(text)
    assert caught.value.code == "PR-S110"


def test_a_run_of_another_network_is_not_held_against_what_was_published():
    with pytest.raises(InputError) as caught:
        validate(tiny_run())
    assert caught.value.code == "PR-S108"


def test_a_pair_needs_two_places():
    told = run_cli("run", "tiny", "--sample-pair", "HGH")
    assert told.returncode == 2
    assert "PR-X010" in told.stderr


def test_a_sweep_needs_a_number_and_its_values():
    told = run_cli("sweep", "tiny", "--set", "demand.by")
    assert told.returncode == 2
    assert "PR-X011" in told.stderr


def test_only_a_run_or_an_empty_folder_gives_way_to_a_run(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("mine")
    with pytest.raises(InputError) as caught:
        simulate("tiny", to=tmp_path / "letters", replace_folder=True)
    assert caught.value.code == "PR-S111"
    assert (tmp_path / "letters" / "mine.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        assert simulate("tiny", to=tmp_path / "empty", replace_folder=True).folder == tmp_path / "empty"


def test_nothing_is_tracked_in_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(NotFound) as caught:
        track_item(tmp_path / "nowhere", "ZA000000005CN")
    assert caught.value.code == "PR-S104"
