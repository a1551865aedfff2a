"""What a wheel must carry."""

import fnmatch
import tomllib

from kit.sources import PACKAGE, REPOSITORY

SETUP = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_data_file_goes_into_the_wheel():
    patterns = [pattern.removeprefix("**/") for pattern in SETUP["tool"]["setuptools"]["package-data"]["postroad"]]
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    left = {
        path.name for path in files if path.suffix != ".py" and not any(fnmatch.fnmatch(path.name, p) for p in patterns)
    }
    assert len(files) > 100
    assert left == set()


def test_files_that_must_stand():
    for name in ("LICENSE", "NOTICE", "README.md", "README.zh.md", "CHANGELOG.md", "Makefile", ".ci/run"):
        assert (REPOSITORY / name).stat().st_size > 100, name
    assert (REPOSITORY / ".ci" / "run").stat().st_mode & 0o100
