"""Starting Spark: what is said when something is missing. What it reads: test_conformance_reading."""

import os
import subprocess
import sys

import pytest

from postroad.core.errors import InputError

if "POSTROAD_ENGINES" not in os.environ:
    pytest.importorskip("pyspark")


def test_without_java_it_is_said_what_to_install(monkeypatch):
    from postroad.ledger.spark.driver import start_spark

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError) as caught:
        start_spark()
    assert caught.value.code == "PR-L601"


def test_without_the_extra_it_is_said_what_to_install():
    probe = (
        "import sys; sys.modules['pyspark'] = None\n"
        "from postroad.core.errors import InputError\n"
        "try:\n    import postroad.ledger.spark.store\n"
        "except InputError as error:\n    print(error.code, error.fix())"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "PR-L501 Install it: pip install postroad[spark].\n"


def test_a_spark_that_does_not_start_is_told(tmp_path):
    probe = (
        "from postroad.core.errors import LedgerError\n"
        "from postroad.ledger.spark.driver import start_spark\n"
        "try:\n    start_spark('nonsense')\n"
        "except LedgerError as error:\n    print(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.splitlines()[-1:] == ["PR-L602"], done.stderr[-2000:]
