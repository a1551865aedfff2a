"""A Spark of its own for a run of tests: two executors of their own, as on a cluster."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

MASTER = "local-cluster[2,1,2048]"


QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # Java machines that live for a minute
SETTINGS = {
    "spark__driver__bindAddress": "127.0.0.1",
    "spark__driver__host": "127.0.0.1",
    "spark__driver__extraJavaOptions": QUICK,
    "spark__executor__extraJavaOptions": QUICK,
    "spark__sql__shuffle__partitions": "2",
    "spark__sql__adaptive__enabled": "false",
}


@cache
def _home() -> Path:
    """A folder that stands for the installed package while this process runs: the workers of a local cluster write
    below SPARK_HOME, which the Java machine takes from its environment once."""
    folder = Path(tempfile.mkdtemp(prefix="postroad-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for path in Path(import_module("pyspark").__file__).parent.iterdir():
        if path.name != "work":
            (folder / path.name).symlink_to(path)
    return folder


@contextmanager
def running_spark(master: str = MASTER, **settings: object) -> Iterator[object]:
    """A session for the time of a block. Whoever has no Spark skips, or fails where engines must be."""
    if not find_spec("pyspark") or not (shutil.which("java") or "JAVA_HOME" in os.environ):
        assert "POSTROAD_ENGINES" not in os.environ, "the machine should have pyspark and Java"
        pytest.skip("no Spark: pyspark or Java was not found")
    os.environ["SPARK_HOME"] = str(_home())
    places = {"spark__local__dir": str(_home() / "local"), "spark__sql__warehouse__dir": str(_home() / "warehouse")}
    driver = import_module("postroad.ledger.spark.driver")
    session = driver.start_spark(master, **(SETTINGS | places | settings))
    try:
        yield session
    finally:
        session.stop()
