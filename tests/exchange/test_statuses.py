"""Status tables: what is shipped is whole, nothing is guessed, tables of one's own."""

import polars as pl
import pytest

from postroad.core.errors import InputError, NotFound
from postroad.events.kinds import UNKNOWN, kinds
from postroad.exchange.statuses.tables import MARKS, platforms, read_statuses, status_table, translate_statuses


@pytest.mark.parametrize("platform", platforms())
def test_shipped_tables_are_whole(platform):
    table = status_table(platform)
    assert len(table.statuses) >= 12
    for status in table.statuses.values():
        assert status.kind in kinds()
        assert status.mark in MARKS and status.source and status.meaning
        assert table.find(f" {status.code.upper()} ") is status
        if platform != "emsevt":
            assert bool(status.reason) == kinds()[status.kind].needs_reason, status.code


def test_emsevt_is_the_closed_list():
    assert len(status_table("emsevt").statuses) == 25
    assert status_table("emsevt").find("EMI").kind == "delivered"


def test_codes_that_say_too_little_stay_unknown():
    assert status_table("karrio").find("in_transit").kind == UNKNOWN
    assert status_table("aftership").find("Exception").kind == UNKNOWN
    assert status_table("kuaidi100").find("0").kind == UNKNOWN


def test_a_column():
    codes = pl.Series(["Delivered", "AttemptFail", "InTransit", "InTransit", None, "made up", "made up"])
    frame, findings = translate_statuses(codes, status_table("aftership"))
    assert frame["kind"].to_list() == ["delivered", "attempt_failed", *[UNKNOWN] * 5]
    assert frame["reason"].to_list() == [None, "AttemptFail", *[None] * 5]
    assert [(finding.code, finding.value) for finding in findings] == [
        ("PR-E343", "InTransit"),
        ("PR-E342", ""),
        ("PR-E342", "made up"),
    ]
    assert findings.errors == []
    assert "2 row(s)" in next(iter(findings)).message()


def test_no_such_platform():
    with pytest.raises(NotFound) as caught:
        status_table("pigeon")
    assert caught.value.code == "PR-E340"


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "ours.csv"
    path.write_text("\ufeffcode,kind\n揽,accepted\nX9,bagged\n", encoding="utf-8")
    table = read_statuses(path)
    assert (table.platform, table.find("揽").kind, table.find("x9").mark) == ("ours", "accepted", "unverified")
    assert table.kind_by_code == {"揽": "accepted", "X9": "bagged"}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("code,sort\nA,accepted\n", "row 1"),
        ("kind\naccepted\n", "row 1"),
        ("code,kind\nA,accepted\nB,acepted\n", "row 3"),
        ("code,kind\nA,accepted\na,bagged\n", "row 3"),
        ("code,kind\n,accepted\n", "row 2"),
        ("code,kind,mark\nA,accepted,sure\n", "row 2"),
    ],
)
def test_a_table_that_is_off(tmp_path, text, at):
    path = tmp_path / "off.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_statuses(path)
    assert caught.value.code == "PR-E341"
    assert caught.value.at == f"off.csv {at}"
