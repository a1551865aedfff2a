"""Every run of the suite draws the same examples, however slow the machine; what fails prints how to repeat it."""

import pytest
from hypothesis import settings

from kit.postgres import make_database, running_postgres
from kit.spark import running_spark

settings.register_profile("postroad", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("postroad")


@pytest.fixture(scope="session")
def postgres():
    """Connection text of an ordinary role that owns a database of a server of its own."""
    with running_postgres() as cluster:
        yield make_database(cluster.owner)


@pytest.fixture(scope="module")
def spark():
    """A session of Spark on two executors of its own."""
    with running_spark() as session:
        yield session
