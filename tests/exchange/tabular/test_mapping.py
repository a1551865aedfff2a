"""Mapping files: everything that is off is told at once."""

import pytest

from postroad.core.errors import InputError
from postroad.exchange.tabular.mapping import load_mapping

GOOD = {
    "time": {"zone": "Asia/Shanghai"},
    "columns": {"item_id": "单号", "kind": "类型", "occurred_at": "时间"},
}


def found(content):
    with pytest.raises(InputError) as caught:
        load_mapping(content)
    assert caught.value.code == "PR-C001"
    return {finding.value for finding in caught.value.findings if finding.code == "PR-E321"}


def test_a_good_one():
    mapping = load_mapping(GOOD | {"kinds": {"A": "accepted"}, "ids": {"digest": ["单号"]}, "payload": ["重量"]})
    assert mapping.named == ["单号", "类型", "时间", "重量"]
    assert mapping.sources("occurred_at") == ["时间"]
    assert mapping.sources("trip_id") == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"colums": {}}, "colums"),
        ({"time": {}}, "time.zone"),
        ({"time": {"zone": "Mars/Olympus"}}, "time.zone"),
        ({"time": {"zone": "UTC", "formats": []}}, "time.formats"),
        ({"label": "guessed"}, "label"),
        ({"columns": {"item_id": "单号", "kind": "类型"}}, "columns.occurred_at"),
        ({"columns": {"kind": "类型", "occurred_at": "时间"}}, "columns.item_id"),
        ({"columns": GOOD["columns"] | {"item": "x"}}, "columns.item"),
        ({"columns": GOOD["columns"] | {"item_id": ["a", "b"]}}, "columns.item_id"),
        ({"columns": GOOD["columns"] | {"kind": ""}}, "columns.kind"),
        ({"constants": {"kind": "accepted"}}, "constants.kind"),
        ({"constants": {"nation": "CN"}}, "constants.nation"),
        ({"kinds": {"A": "acepted"}}, "kinds.A"),
        ({"columns": {"item_id": "a", "occurred_at": "b"}, "constants": {"kind": "acepted"}}, "constants.kind"),
        ({"platform": "pigeon"}, "platform"),
        ({"ids": {"event_id": "编号"}}, "ids.event_id"),
        ({"file": {"delimiter": ",,"}}, "file.delimiter"),
        ({"file": {"header_row": 0}}, "file.header_row"),
    ],
)
def test_keys_that_are_off(change, place):
    assert place in found(GOOD | change)


def test_all_at_once():
    content = GOOD | {"kinds": {"A": "acepted", "B": "deliverd"}, "constants": {"nation": "CN"}}
    assert {"kinds.A", "kinds.B", "constants.nation"} <= found(content)


def test_a_near_name_is_offered():
    with pytest.raises(InputError) as caught:
        load_mapping(GOOD | {"kinds": {"A": "acepted"}})
    assert "accepted" in caught.value.findings[0].message()


@pytest.mark.parametrize("text", ["[time\n", "\xff"])
def test_no_toml(tmp_path, text):
    path = tmp_path / "map.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as caught:
        load_mapping(path)
    assert caught.value.code == "PR-E320"
    with pytest.raises(InputError) as caught:
        load_mapping(tmp_path / "none.toml")
    assert caught.value.code == "PR-E320"


def test_tables_that_are_off(tmp_path):
    (tmp_path / "codes.csv").write_text("kode,kind\nA,accepted\n", encoding="utf-8")
    path = tmp_path / "map.toml"
    body = '[time]\nzone = "UTC"\n[columns]\nitem_id = "a"\nkind = "b"\noccurred_at = "c"\n'
    path.write_text('kinds_table = "codes.csv"\n' + body, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_mapping(path)
    assert [finding.code for finding in caught.value.findings] == ["PR-E321"]
    path.write_text('facilities_table = "none.csv"\n' + body, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_mapping(path)
    assert caught.value.code == "PR-E320"
