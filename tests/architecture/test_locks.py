"""The lock files pin, completely and consistently, what pyproject.toml declares."""

import re
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kit.sources import REPOSITORY

LOCKS = {"requirements.lock": [], "requirements-dev.lock": ["dev"], "requirements-bench.lock": ["bench"]}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(lock):
    """Read a lock file: version by name."""
    lines = (REPOSITORY / lock).read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0]: line.split("==")[1].split(" ;")[0] for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_lines_are_pins_and_nothing_else(lock):
    for line in (REPOSITORY / lock).read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(
            r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [a-z_]+ [=<>!]+ '[A-Za-z0-9.]+'( and [a-z_]+ [=<>!]+ '[A-Za-z0-9.]+')*)?",
            line,
        ), line


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_dependency_is_pinned_within_its_bounds(lock):
    pinned = pins(lock)
    wanted = PROJECT["dependencies"] + [
        text for extra in LOCKS[lock] for text in PROJECT["optional-dependencies"][extra]
    ]
    for text in wanted:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), text


def test_locks_agree_with_one_another():
    runtime, dev, bench = (pins(lock) for lock in LOCKS)
    assert runtime.items() <= dev.items()
    assert runtime.items() <= bench.items()
    assert all(dev[name] == bench[name] for name in dev.keys() & bench.keys())


def test_the_environment_is_the_locked_one():
    lines = (REPOSITORY / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if ";" not in line]
    assert {line for line in wanted if version(line.split("==")[0]) != line.split("==")[1]} == set()
