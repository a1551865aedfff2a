"""Histories come out of a ledger as they went in."""

import numpy as np
import pyarrow as pa

from kit.twin import run_flows
from kit.watch import quiet_case, tables_of
from postroad.ledger import Ledger
from postroad.twin.simulation import Sample
from postroad.watch import Histories, read_histories


def test_a_ledger_gives_the_histories_that_it_was_given(tmp_path):
    case = quiet_case(4)
    events, items = tables_of(case, run_flows(case, Sample(every=3, n_days=2))[0])
    with Ledger.create(tmp_path / "ledger", timezone=case.instance.timezone, epoch=case.instance.epoch) as ledger:
        ledger.append_items(items)
        ledger.append(events)[1].raise_on_errors()
        kept = ledger.events("item_id IS NOT NULL"), ledger.query("SELECT * FROM items")
    one, other = read_histories(events, items, case.instance), read_histories(*kept, case.instance)
    order = [np.argsort(each.item_id.to_numpy()) for each in (one, other)]
    for name in ("origin", "destination", "product", "accepted_min", "promise_min", "delivered_min"):
        np.testing.assert_array_equal(getattr(one, name)[order[0]], getattr(other, name)[order[1]])
    assert rows_by_id(one) == rows_by_id(other)


def rows_by_id(histories: Histories) -> list[tuple]:
    """All rows, with the id of the item instead of its number."""
    names = histories.item_id.to_numpy()[histories.row_item]
    columns = (histories.row_stage, histories.row_min, histories.row_facility, histories.row_trip)
    table = pa.table([pa.array(names), *(pa.array(column) for column in columns)], names=list("abcde"))
    return sorted(tuple(row.values()) for row in table.to_pylist())
