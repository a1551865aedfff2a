"""Written whole or not at all."""

import pytest

from postroad.core.errors import InputError
from postroad.core.files import check_place, write_text, writing_file, writing_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole(tmp_path):
    with writing_file(tmp_path / "deep" / "a.txt") as draft:
        draft.write_text("new")
        assert not (tmp_path / "deep" / "a.txt").exists()
    assert (tmp_path / "deep" / "a.txt").read_text() == "new"
    assert names(tmp_path / "deep") == ["a.txt"]


def test_a_failure_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "a.txt", "old\n")
    with pytest.raises(KeyboardInterrupt), writing_file(tmp_path / "a.txt") as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "a.txt").read_bytes() == b"old\n"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_appears_whole(tmp_path):
    with writing_folder(tmp_path / "run") as draft:
        (draft / "sub").mkdir()
        (draft / "sub" / "a.txt").write_text("a")
        assert not (tmp_path / "run").exists()
    assert (tmp_path / "run" / "sub" / "a.txt").read_text() == "a"
    assert names(tmp_path) == ["run"]


def test_a_failure_leaves_the_old_folder(tmp_path):
    with writing_folder(tmp_path / "run") as draft:
        (draft / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), writing_folder(tmp_path / "run", replace=True) as draft:
        (draft / "b.txt").write_text("half")
        raise ZeroDivisionError
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["a.txt"]


def test_a_folder_gives_way_only_when_told(tmp_path):
    with writing_folder(tmp_path / "run") as draft:
        (draft / "a.txt").write_text("old")
    with pytest.raises(InputError) as caught, writing_folder(tmp_path / "run"):
        raise AssertionError("the block must not begin")
    assert caught.value.code == "PR-C030"
    with writing_folder(tmp_path / "run", replace=True) as draft:
        (draft / "b.txt").write_text("new")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["b.txt"]


def test_a_folder_that_appears_meanwhile_is_kept(tmp_path):
    with pytest.raises(InputError) as caught, writing_folder(tmp_path / "run") as draft:
        (draft / "b.txt").write_text("ours")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "a.txt").write_text("theirs")
    assert caught.value.code == "PR-C030"
    assert names(tmp_path / "run") == ["a.txt"]
    assert names(tmp_path) == ["run"]


def test_a_file_is_never_replaced_by_a_folder(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError) as caught, writing_folder(tmp_path / "run", replace=True):
        raise AssertionError("the block must not begin")
    assert caught.value.code == "PR-C030"


def test_the_folder_one_stands_in_can_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with writing_folder(".", replace=True) as draft:
        (draft / "a.txt").write_text("a")
    assert names(tmp_path) == ["a.txt"]


def test_an_error_of_the_system_names_the_target_and_not_its_draft(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken") as caught:
        write_text(tmp_path / "taken", "text")
    assert caught.value.filename == str(tmp_path / "taken")
    assert names(tmp_path) == ["taken"]


def test_a_place_below_a_file_is_refused_before_the_work(tmp_path):
    check_place(tmp_path / "deep" / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as caught:
        check_place(tmp_path / "file" / "run")
    assert caught.value.filename == str(tmp_path / "file")
    assert names(tmp_path) == ["file"]


def test_a_place_that_may_not_be_written_to_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(PermissionError) as caught:
        check_place(tmp_path / "runs" / "peak")
    assert caught.value.filename == str(tmp_path)
