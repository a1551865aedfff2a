"""The size budget: a file has at most 500 lines, a function at most 60."""

import ast

from kit.sources import modules, name_of, tree_of

MAX_FILE = 500
MAX_FUNCTION = 60


def test_files():
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert len(sizes) > 20
    assert {name: n for name, n in sizes.items() if n > MAX_FILE} == {}


def test_functions():
    sizes = {
        f"{name_of(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(sizes) > 100
    assert {name: n for name, n in sizes.items() if n > MAX_FUNCTION} == {}


def test_names_of_modules():
    forbidden = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
    assert [name_of(path) for path in modules() if path.stem in forbidden] == []
