"""The reference page tells every kind and every column."""

from postroad.events.columns import columns
from postroad.events.kinds import kinds, states
from postroad.events.page import write_page


def test_everything_is_on_the_page():
    page = write_page()
    names = [*kinds(), *states(), *(name for table in ("events", "items", "flows") for name in columns(table))]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_row_of_a_table_has_as_many_cells_as_its_header():
    header = 0
    for line in write_page().splitlines():
        cells = line.replace("\\|", "").count("|")
        if line.startswith("|"):
            header = header or cells
            assert cells == header, line
        else:
            header = 0
