"""Who may import whom, and where an import may stand."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

from kit.sources import PACKAGE, REPOSITORY, imported, modules, name_of, tree_of

# Layers of the house from the top; rooms on one line do not import each other.
LAYERS = [
    "postroad.cli | postroad.server",
    "postroad.study | postroad.service",
    "postroad.report | postroad.reference",
    "postroad.flow | postroad.twin | postroad.watch",
    "postroad.routing",
    "postroad.measure | postroad.guard",
    "postroad.ledger | postroad.exchange",
    "postroad.demand | postroad.cost",
    "postroad.network | postroad.events | postroad.facts",
    "postroad.kernels",
    "postroad.core",
]
CONFIGURATION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_the_house_stands():
    command = [f"{sys.prefix}/bin/lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_contract_is_the_design():
    contract = CONFIGURATION["tool"]["importlinter"]["contracts"][0]
    assert contract["layers"] == LAYERS
    assert "ignore_imports" not in contract


def test_every_room_is_in_the_house():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert {f"postroad.{room}" for room in rooms} == {name for layer in LAYERS for name in layer.split(" | ")}


def test_imports_stand_at_the_top():
    optional = optional_packages()
    inner = {
        f"{name_of(path)}:{node.lineno} {name}"
        for path in modules()
        for function in ast.walk(tree_of(path))
        if isinstance(function, FUNCTIONS)
        for node in ast.walk(function)
        for name in imported(node)
        if name.split(".")[0] not in optional
    }
    assert inner == set()


def test_kernels_depend_on_nothing_but_kernels():
    """The cache of compiled kernels is keyed by the sources in kernels/; njit and prange come from there too."""
    allowed = sys.stdlib_module_names | {"numpy"}
    foreign = {
        f"{name_of(path)}:{node.lineno} {name}"
        for path in (PACKAGE / "kernels").glob("*.py")
        if path.name != "__init__.py"
        for node in ast.walk(tree_of(path))
        for name in imported(node)
        if name.split(".")[0] not in allowed and not name.startswith("postroad.kernels")
    }
    assert foreign == set()


def test_only_kernels_compile():
    compilers = {
        name_of(path)
        for path in modules()
        if path.parent != PACKAGE / "kernels"
        for node in ast.walk(tree_of(path))
        if "numba" in {name.split(".")[0] for name in imported(node)}
        and not (isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} <= {"set_num_threads"})
    }
    assert compilers == set()


def test_nobody_imports_from_the_top_of_the_package():
    """The top of the package reaches into every room; rooms import the module that holds the name."""
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    lazy = {
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if "postroad" in imported(node)
        if isinstance(node, ast.Import) or not {alias.name for alias in node.names} <= rooms
    }
    assert lazy == set()


def test_what_is_imported_is_declared():
    declared = {normal(requirement) for requirement in CONFIGURATION["project"]["dependencies"]}
    by_module = packages_distributions()
    used = {
        name.split(".")[0]
        for path in modules()
        for node in ast.walk(tree_of(path))
        if getattr(node, "level", 0) == 0
        for name in imported(node)
    }
    foreign = used - set(sys.stdlib_module_names) - {"postroad"} - optional_packages()
    assert {name for name in foreign if not {normal(owner) for owner in by_module.get(name, [])} & declared} == set()


def optional_packages():
    """Give the modules of the extras that users may install."""
    extras = CONFIGURATION["project"]["optional-dependencies"]
    wanted = {normal(text) for extra, texts in extras.items() if extra not in ("dev", "bench") for text in texts}
    return {name for name, owners in packages_distributions().items() if {normal(owner) for owner in owners} & wanted}


def normal(requirement):
    """Give the name of a requirement as package indexes write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]).lower()
