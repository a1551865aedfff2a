"""The examples in docstrings run and give what they say."""

import doctest
from importlib import import_module

import pytest

from kit.sources import PACKAGE, modules, name_of


def module_name(path):
    parts = ("postroad", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


WITH_EXAMPLES = [path for path in modules() if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_examples(path):
    failed, tried = doctest.testmod(import_module(module_name(path)))
    assert tried > 0
    assert failed == 0
