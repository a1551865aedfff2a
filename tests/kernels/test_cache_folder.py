"""The cache of compiled kernels is keyed by all kernel sources and disturbs nobody else."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np

import postroad.kernels as kernels
from postroad.kernels import cache_folder, njit, prange, source_digest

PROBE = """
import numba
import postroad.kernels as kernels
print(kernels.cache_folder())
print(repr(numba.config.CACHE_DIR))
"""


def run_probe(**environment):
    env = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")} | environment
    done = subprocess.run([sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_folder_is_named_by_the_digest():
    assert cache_folder().name == f"kernels-{source_digest()}"
    assert len(source_digest()) == 16


def test_user_setting_is_respected_and_kept(tmp_path):
    folder, setting = run_probe(NUMBA_CACHE_DIR=str(tmp_path))
    assert Path(folder).parent == tmp_path
    assert setting == repr(str(tmp_path))


def test_default_is_the_user_cache_and_numba_stays_unset(tmp_path):
    folder, setting = run_probe(XDG_CACHE_HOME=str(tmp_path))
    assert Path(folder).parent == tmp_path / "postroad"
    assert setting == "''"


def test_without_a_writable_cache_kernels_compile_afresh(tmp_path):
    blocked = tmp_path / "a-file"
    blocked.write_text("not a folder")
    folder, _ = run_probe(XDG_CACHE_HOME=str(blocked))
    assert folder == "None"


def test_a_kernel_without_a_cache_still_runs(monkeypatch):
    monkeypatch.setattr(kernels, "cache_folder", lambda: None)
    triple = njit(lambda values: values * 3)
    assert triple(np.arange(3)).tolist() == [0, 3, 6]
    assert triple.stats.cache_path is None


def test_kernels_cache_in_our_folder_with_our_defaults():
    before = numba.config.CACHE_DIR

    @njit
    def double(values):
        return values * 2

    @njit(parallel=True)
    def total(values):
        out = 0
        for i in prange(len(values)):
            out += values[i]
        return out

    values = np.arange(5)
    assert before == numba.config.CACHE_DIR
    assert double(values).tolist() == [0, 2, 4, 6, 8]
    assert total(values) == 10
    assert Path(double.stats.cache_path).parent == cache_folder()
    assert double.targetoptions["nogil"]
    assert total.targetoptions["parallel"] and total.targetoptions["nogil"]


def test_a_change_in_any_source_changes_the_digest(tmp_path, monkeypatch):
    for name in ("__init__.py", "scan.py"):
        (tmp_path / name).write_text("one = 1\n")
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "__init__.py"))
    digests = set()
    for text in ("one = 1\n", "one = 2\n", "one = 1\n\n"):
        (tmp_path / "scan.py").write_text(text)
        source_digest.cache_clear()
        digests.add(source_digest())
    source_digest.cache_clear()
    assert len(digests) == 3


def test_a_changed_callee_in_another_file_is_seen(tmp_path):
    """What numba's own cache gets wrong: the caller's file is unchanged, so it would serve the stale code."""
    package = tmp_path / "trial_kernels"
    package.mkdir()
    (package / "__init__.py").write_text(Path(kernels.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (package / "outer.py").write_text(
        "from trial_kernels import njit\n"
        "from trial_kernels.inner import step\n\n\n@njit\ndef walk(n):\n    return step(n)\n"
    )
    answers = []
    for change in (1, 1, 5):
        inner = f"from trial_kernels import njit\n\n\n@njit\ndef step(n):\n    return n + {change}\n"
        (package / "inner.py").write_text(inner)
        probe = "from trial_kernels.outer import walk\nprint(walk(10), sum(walk.stats.cache_hits.values()))"
        env = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True, text=True, check=True)
        answers.append(done.stdout.split())
    assert answers == [["11", "0"], ["11", "1"], ["15", "0"]]
