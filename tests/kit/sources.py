"""The source files of the product, parsed."""

import ast
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "postroad"


def modules():
    """All Python files of the package, by their path inside it."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """Write a path as a reader of test output wants it."""
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree_of(path):
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(node):
    """Give the modules that an import statement names; nothing for other statements."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def texts():
    """All text files that are the product: code, data declarations, documents, build files."""
    endings = {".py", ".md", ".toml", ".csv", ".html", ".css", ".js", ".j2", ".json", ".lock", ".cfg", ".txt"}
    roots = ("src", "tests", "docs", "benchmarks")
    found = [path for root in roots for path in (REPOSITORY / root).rglob("*") if path.suffix in endings]
    tops = ("Makefile", "pyproject.toml", "README.md", "README.zh.md", "CHANGELOG.md", "NOTICE", ".ci/run")
    found += [REPOSITORY / top for top in tops]
    return [path for path in found if ".egg-info" not in str(path) and "__pycache__" not in path.parts]
