"""The driver of Spark, which the extra ``[spark]`` brings, and a session with the settings on which Postroad relies."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from postroad.core.errors import InputError, LedgerError

try:
    import pyspark
    from pyspark.errors import PySparkException
    from pyspark.sql import DataFrame, SparkSession
except ModuleNotFoundError as error:
    raise InputError("PR-L501", extra="spark") from error

__all__ = ["DataFrame", "PySparkException", "SparkSession", "own_session", "start_spark"]

SETTINGS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # a sum that does not fit is an error, never another number
    "spark.sql.runSQLOnFiles": "false",  # a query sees the ledger and no other file
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def start_spark(master: str = "local[*]", **settings: object) -> SparkSession:
    """Start Spark, or find the session that runs.

    Parameters
    ----------
    master: as Spark names it: ``local[*]`` in this process, ``local-cluster[2,1,2048]`` with executors of their own on
        this machine, ``spark://..`` for a cluster. settings: Spark's own, dots written as ``__``.

    Raises
    ------
    InputError: PR-L601 when there is no Java. LedgerError: PR-L602 when Spark does not start.
    """
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise InputError("PR-L601")
    # What pyspark would log of a query that fails, a page of it, is in the error that is raised.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    # Executors of a local cluster are started from here.
    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
    builder = SparkSession.builder.master(master).appName("postroad")
    for name, value in (SETTINGS | {name.replace("__", "."): value for name, value in settings.items()}).items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise LedgerError("PR-L602", value=" ".join(str(error).split())) from error


def own_session(session: SparkSession) -> SparkSession:
    """A session beside another on the same executors, with views and settings of its own."""
    own = session.newSession()
    for name, value in SESSION.items():
        own.conf.set(name, value)
    return own
