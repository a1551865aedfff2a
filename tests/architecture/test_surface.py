"""The public surface is what is written here, and importing it costs next to nothing."""

import statistics
import subprocess
import sys

import pytest

import postroad

SURFACE = [
    "InfeasibleError",
    "InputError",
    "InternalError",
    "LedgerError",
    "LimitReached",
    "NotFound",
    "PostroadError",
    "Scenario",
    "UsageError",
    "__version__",
    "compare",
    "read",
    "simulate",
]

TIMING = """
import sys, time
start = time.perf_counter()
import postroad
print(time.perf_counter() - start, len([name for name in sys.modules if name.startswith("postroad")]))
"""


def test_surface_is_pinned():
    assert sorted(postroad.__all__) == SURFACE
    assert dir(postroad) == SURFACE


@pytest.mark.parametrize("name", SURFACE)
def test_every_name_can_be_had(name):
    assert getattr(postroad, name) is not None


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        postroad.guess  # noqa: B018


def test_import_is_lazy_and_fast():
    runs = [
        subprocess.run([sys.executable, "-c", TIMING], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    seconds, n_modules = zip(*(run.stdout.split() for run in runs), strict=True)
    assert statistics.median(map(float, seconds)) < 0.2
    assert set(n_modules) == {"1"}
