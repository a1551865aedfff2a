"""Templates: guessed headings, and a template that is filled in loads."""

import tomllib

import pytest

from postroad.core.errors import InputError
from postroad.exchange.tabular.mapping import TARGETS, load_mapping
from postroad.exchange.tabular.template import guess_columns, read_header, write_mapping_template


@pytest.mark.parametrize(
    ("columns", "guessed"),
    [
        (
            ["运单号", "扫描时间", "网点", "操作类型"],
            {"item_id": "运单号", "kind": "操作类型", "occurred_at": "扫描时间", "facility_id": "网点"},
        ),
        (
            ["Tracking Number", "Event_Time", "Facility ID", "Event", "Next facility"],
            {
                "item_id": "Tracking Number",
                "kind": "Event",
                "occurred_at": "Event_Time",
                "facility_id": "Facility ID",
                "to_facility_id": "Next facility",
            },
        ),
        (
            ["序号", "快递单号*", "上传时间", "操作时间", "扫描网点(编码)", "状态", "包号", "备注"],
            {
                "item_id": "快递单号*",
                "unit_id": "包号",
                "kind": "状态",
                "occurred_at": "操作时间",
                "recorded_at": "上传时间",
                "facility_id": "扫描网点(编码)",
                "raw_text": "备注",
            },
        ),
        (["traking number", "收件人地址", "phone"], {"item_id": "traking number"}),
        ([], {}),
    ],
)
def test_guesses(columns, guessed):
    assert guess_columns(columns) == guessed


def test_a_heading_is_taken_once():
    guessed = guess_columns(["时间", "操作时间", "网点", "下一站网点", "单号"])
    assert len(set(guessed.values())) == len(guessed)
    assert guessed["to_facility_id"] == "下一站网点"


def test_a_guessed_template_loads():
    text = write_mapping_template(["运单号", "扫描时间", "网点", "操作类型", "重量"], name="ours")
    mapping = load_mapping(tomllib.loads(text))
    assert mapping.keys.name == "ours"
    assert mapping.sources("item_id") == ["运单号"]
    assert "# not mapped 未映射: 重量" in text


def test_what_could_not_be_guessed_has_to_be_filled_in():
    text = write_mapping_template(["a", "b"])
    with pytest.raises(InputError) as caught:
        load_mapping(tomllib.loads(text))
    assert {finding.value for finding in caught.value.findings} >= {"columns.item_id", "columns.kind"}


def test_every_key_stands_in_the_template():
    text = write_mapping_template([])
    bare = "\n".join(line.removeprefix("# ") for line in text.splitlines() if " = " in line or line.startswith("["))
    bare = "\n".join(line for line in bare.splitlines() if not line.startswith(("“", "Column")))
    for target in TARGETS:
        assert f"\n{target} = " in bare
    for key in ("formats", "zone", "header_row", "digest", "prefix", "normalise", "rest", "payload", "platform"):
        assert f"\n{key} = " in bare


def test_headings_of_a_file(tmp_path):
    path = tmp_path / "scans.csv"
    path.write_bytes("单号;时间\n1;2\n".encode("gb18030"))
    assert read_header(path) == ("单号", "时间")
