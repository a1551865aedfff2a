"""Scans from files: encodings, delimiters, times, numbers, codes, ids; one bad row never loses the file."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError
from postroad.events.check import check_events
from postroad.events.columns import empty_frame
from postroad.exchange.tabular.scans import read_pieces, read_scans

KEYS = {
    "name": "test",
    "time": {"zone": "Asia/Shanghai"},
    "columns": {"item_id": "运单号", "occurred_at": "扫描时间", "facility_id": "网点", "kind": "操作类型"},
    "kinds": {"收件": "accepted", "到件": "arrived", "签收": "delivered"},
}
HEADER = "运单号,扫描时间,网点,操作类型\n"
ROWS = "SF1234567890123,2025-11-11 09:30:00,杭州,收件\nSF1234567890124,2025-11-11 10:30:00,上海,签收\n"


def keys(**more):
    """The mapping with some keys changed."""
    return {**KEYS, **more}


def write(tmp_path, text, encoding="utf-8", name="scans.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def read(tmp_path, text, mapping=KEYS, **how):
    return read_scans(write(tmp_path, text, **how), mapping)


def codes(findings):
    return [(finding.code, finding.row) for finding in findings]


def test_a_small_file(tmp_path):
    frame, findings = read(tmp_path, HEADER + ROWS)
    assert len(findings) == 0
    assert frame.schema == empty_frame("events").schema
    row = frame.row(0, named=True)
    assert (row["item_id"], row["kind"], row["facility_id"], row["label"]) == (
        "SF1234567890123",
        "accepted",
        "杭州",
        "measured",
    )
    assert row["occurred_at"] == row["recorded_at"] == datetime(2025, 11, 11, 1, 30, tzinfo=UTC)
    assert row["raw"] == {"code": "收件", "text": None}
    assert row["payload"] is None and row["related"] is None
    assert len(check_events(frame, datetime(2026, 1, 1, tzinfo=UTC))) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "，"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_however_it_is_written_it_is_the_same(tmp_path, encoding, delimiter, end):
    plain, _ = read(tmp_path, HEADER + ROWS)
    text = (HEADER + ROWS).replace(",", delimiter).replace("\n", end)
    frame, findings = read(tmp_path, text, encoding=encoding)
    assert len(findings) == 0
    assert frame.equals(plain, null_equal=True)


def test_parquet_is_the_same_as_csv(tmp_path):
    plain, _ = read(tmp_path, HEADER + ROWS)
    path = tmp_path / "scans.parquet"
    pl.read_csv((HEADER + ROWS).encode(), infer_schema=False).write_parquet(path)
    frame, findings = read_scans(path, KEYS)
    assert len(findings) == 0
    assert frame.equals(plain, null_equal=True)


def test_typed_parquet(tmp_path):
    path = tmp_path / "typed.parquet"
    at = [datetime(2025, 11, 11, 9, 30), datetime(2025, 11, 11, 10, 30)]
    table = {
        "运单号": [773123456789012, 773123456789013.0],
        "扫描时间": at,
        "网点": ["A", None],
        "操作类型": ["收件"] * 2,
    }
    pl.DataFrame(table, strict=False).write_parquet(path)
    frame, findings = read_scans(path, KEYS)
    assert len(findings) == 0
    assert frame["item_id"].to_list() == ["773123456789012", "773123456789013"]
    assert frame["occurred_at"][0] == datetime(2025, 11, 11, 1, 30, tzinfo=UTC)
    aware = pl.read_parquet(path).with_columns(pl.col("扫描时间").dt.replace_time_zone("UTC"))
    aware.write_parquet(path)
    assert read_scans(path, KEYS)[0]["occurred_at"][0] == datetime(2025, 11, 11, 9, 30, tzinfo=UTC)


def test_reading_twice_gives_the_same_events(tmp_path):
    first, _ = read(tmp_path, HEADER + ROWS)
    lines = ROWS.splitlines(keepends=True)
    second, _ = read(tmp_path, HEADER + lines[1] + lines[0], name="other.csv")
    assert set(first["event_id"]) == set(second["event_id"])
    other, _ = read(tmp_path, HEADER + ROWS, keys(name="another"))
    assert not set(first["event_id"]) & set(other["event_id"])


def test_a_row_that_comes_twice_is_one_event(tmp_path):
    frame, findings = read(tmp_path, HEADER + ROWS + ROWS)
    assert frame.height == 2
    assert findings.counts == {"PR-E332": 1}
    assert "2 row(s)" in next(iter(findings)).message()


def test_twice_in_different_pieces(tmp_path):
    many = "".join(f"SF{n:013d},2025-11-11 09:30:00,杭州,收件\n" for n in range(3000))
    path = write(tmp_path, HEADER + many + ROWS + ROWS + many)
    pieces = list(read_pieces(path, KEYS, piece_rows=10))
    assert len(pieces) > 3
    frame, findings = read_scans(path, KEYS)
    assert frame.height == 3002
    assert sum(piece.tally.n_rows for piece in pieces) == 6004
    assert findings.counts["PR-E332"] >= 1


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("SF1,yesterday,A,收件", "PR-E327", "扫描时间"),
        ("SF1,11/12/2025 09:30,A,收件", "PR-E327", "扫描时间"),
        ("SF1,,A,收件", "PR-E329", "扫描时间"),
        (",2025-11-11 09:30:00,A,", "PR-E329", "操作类型"),
        (",2025-11-11 09:30:00,A,收件", "PR-E329", "运单号"),
        ("SF1,2025-11-11 09:30:00,A, ", "PR-E329", "操作类型"),
        ("1.23E+12,2025-11-11 09:30:00,A,收件", "PR-E328", "运单号"),
        ("7.73123456789E+14,2025-11-11 09:30:00,A,收件", "PR-E328", "运单号"),
        ("SF1,2025-11-11 09:30:00,A", "PR-E326", ""),
        ("SF1,2025-11-11 09:30:00,A,收件,more", "PR-E326", ""),
    ],
)
def test_one_bad_row_loses_no_other(tmp_path, row, code, column):
    first, second = ROWS.splitlines(keepends=True)
    frame, findings = read(tmp_path, HEADER + first + row + "\n" + second)
    assert frame.height == 2
    (finding,) = findings
    assert (finding.code, finding.row, finding.column) == (code, 3, column)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("n_bad", [1, 2, 3])
def test_a_quote_that_does_not_close_loses_its_own_row_only(tmp_path, n_bad, end):
    good = [f"SF{n:013d},2025-11-11 09:30:00,杭州,收件" for n in range(300)]
    bad = ['"SF1,2025-11-11 09:30:00,杭州,收件', 'SF1,2025-11-11 09:30:00,杭州,"收件', 'SF1,"2025,x,收件'][:n_bad]
    lines = []
    for number, line in enumerate(bad):
        lines += [*good[number * 100 : number * 100 + 100], line]
    lines += good[n_bad * 100 :]
    frame, findings = read(tmp_path, HEADER.replace("\n", end) + end.join(lines) + end)
    assert frame.height == 300
    assert codes(findings) == [("PR-E337", 102 + 101 * number) for number in range(n_bad)]


@pytest.mark.parametrize("last", ["\n", ""])
def test_a_quote_that_opens_in_the_last_row(tmp_path, last):
    frame, findings = read(tmp_path, HEADER + ROWS + 'SF9,2025-11-11 09:30:00,杭州,"收件' + last)
    assert frame.height == 2
    assert codes(findings) == [("PR-E337", 4)]


def test_quotes_that_are_right(tmp_path):
    columns = {**KEYS["columns"], "raw_text": "备注"}
    cells = ['"到了\n放, 门口"', '"说""好""的"', '5" 箱', '"一\n二\n\n三"']
    rows = "".join(f"SF{n},2025-11-11 09:30:00,A,收件,{cell}\n" for n, cell in enumerate(cells))
    frame, findings = read(tmp_path, HEADER.strip() + ",备注\n" + rows, keys(columns=columns))
    assert len(findings) == 0
    texts = frame["raw"].struct.field("text").to_list()
    assert texts == ["到了\n放, 门口", '说"好"的', '5" 箱', "一\n二\n\n三"]


def test_rows_are_numbered_as_in_the_file(tmp_path):
    bad = "SF1,never,A,收件\n"
    text = "title\n\n" + HEADER + ROWS + "SF1,x\n" + ROWS + bad
    _, findings = read(tmp_path, text, keys(file={"header_row": 3}))
    assert codes(findings)[0] == ("PR-E327", 9)
    assert ("PR-E326", 6) in codes(findings)


def test_an_item_or_something_else_is_needed(tmp_path):
    columns = {"unit_id": "包号", "item_id": "运单号", "occurred_at": "t"}
    text = "运单号,包号,t\nA1,,2025-11-11 09:30:00\n,B1,2025-11-11 09:30:00\n,,2025-11-11 09:30:00\n"
    frame, findings = read(tmp_path, text, keys(columns=columns, constants={"kind": "sorted"}))
    assert frame.select("item_id", "unit_id").rows() == [("A1", None), (None, "B1")]
    assert codes(findings) == [("PR-E329", 4)]


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("2025-11-11 09:30:00", ["auto"]),
        ("2025/11/11 09:30:00", ["auto"]),
        ("2025/11/11 9:30", ["auto"]),
        ("2025-11-11T09:30", ["iso"]),
        ("2025-11-11T01:30:00Z", ["iso"]),
        ("2025-11-11T02:30:00+01:00", ["auto"]),
        ("2025-11-11T09:30:00.000+0800", ["auto"]),
        ("20251111093000", ["auto"]),
        ("２０２５－１１－１１　０９：３０：００", ["auto"]),
        ("2025年11月11日 09:30:00", ["auto"]),
        ("2025年11月11日09时30分00秒", ["auto"]),
        ("11/11/2025 09:30", ["%d/%m/%Y %H:%M"]),
        ("11.11.2025 09:30", ["auto", "%d.%m.%Y %H:%M"]),
        ("45972.395833333336", ["excel"]),
        ("45972.39583", ["auto", "excel"]),
        ("1762824600", ["epoch_s"]),
        ("1762824600000", ["epoch_ms"]),
    ],
)
def test_times(tmp_path, text, formats):
    time = {"zone": "Asia/Shanghai", "formats": formats}
    frame, findings = read(tmp_path, HEADER + f"SF1,{text},A,收件\n", keys(time=time))
    assert len(findings) == 0
    assert frame["occurred_at"].to_list() == [datetime(2025, 11, 11, 1, 30, tzinfo=UTC)]


def test_times_of_several_forms_in_one_column(tmp_path):
    rows = [f"SF{n},{at},A,收件" for n, at in enumerate(["2025-11-11 09:30:00", "2025/11/11 09:30", "x", "45972.5"])]
    time = {"zone": "Asia/Shanghai", "formats": ["auto", "excel"]}
    frame, findings = read(tmp_path, HEADER + "\n".join(rows), keys(time=time))
    assert frame["occurred_at"].dt.hour().to_list() == [1, 1, 4]
    assert codes(findings) == [("PR-E327", 4)]


def test_a_date_and_a_time_in_two_columns(tmp_path):
    columns = {**KEYS["columns"], "occurred_at": ["日期", "时刻"]}
    text = "运单号,日期,时刻,网点,操作类型\nSF1,2025-11-11,09:30:00,A,收件\n"
    frame, _ = read(tmp_path, text, keys(columns=columns))
    assert frame["occurred_at"].to_list() == [datetime(2025, 11, 11, 1, 30, tzinfo=UTC)]


def test_clocks_that_go_back_and_forward(tmp_path):
    rows = "".join(
        f"SF{n},{at},A,收件\n"
        for n, at in enumerate(["2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-10-26 03:30:00"])
    )
    frame, findings = read(tmp_path, HEADER + rows, keys(time={"zone": "Europe/Berlin"}))
    assert frame["occurred_at"].to_list() == [datetime(2025, 10, 26, 2, 30, tzinfo=UTC)]
    assert codes(findings) == [("PR-E336", 2), ("PR-E336", 3)]


def test_recorded_at(tmp_path):
    columns = {**KEYS["columns"], "recorded_at": "上传时间"}
    text = (
        "运单号,扫描时间,网点,操作类型,上传时间\n"
        "SF1,2025-11-11 09:30:00,A,收件,2025-11-11 09:31:00\n"
        "SF2,2025-11-11 09:30:00,A,收件,\n"
        "SF3,2025-11-11 09:30:00,A,收件,soon\n"
    )
    frame, findings = read(tmp_path, text, keys(columns=columns))
    assert frame["recorded_at"].dt.minute().to_list() == [31, 30]
    assert [(finding.code, finding.row, finding.column) for finding in findings] == [("PR-E327", 4, "上传时间")]


@pytest.mark.parametrize(
    ("cell", "item"),
    [
        ("ｓｆ 1234-5678", "SF12345678"),
        ('"=""773123"""', "773123"),
        ("'773123", "773123"),
        ("7731.0", "7731"),
        ("\t773123 ", "773123"),
        ("rb 123456785 gb", "RB123456785GB"),
    ],
)
def test_numbers_as_programs_write_them(tmp_path, cell, item):
    frame, findings = read(tmp_path, HEADER.replace("\t", " ") + f"{cell},2025-11-11 09:30:00,A,收件\n")
    assert (frame["item_id"].to_list(), len(findings)) == ([item], 0)


def test_prefix_and_numbers_as_they_are(tmp_path):
    ids = {"prefix": "ZTO-", "normalise": False}
    frame, _ = read(tmp_path, HEADER + "ab 1,2025-11-11 09:30:00,A,收件\n", keys(ids=ids))
    assert frame["item_id"].to_list() == ["ZTO-ab 1"]


def test_unknown_codes_are_kept_and_counted(tmp_path):
    rows = "".join(
        f"SF{n},2025-11-11 09:30:00,A,{code}\n" for n, code in enumerate(["怪", "怪", "收件", "异", "sorted"])
    )
    frame, findings = read(tmp_path, HEADER + rows)
    assert frame["kind"].to_list() == ["unknown", "unknown", "accepted", "unknown", "sorted"]
    assert frame["raw"].struct.field("code").to_list() == ["怪", "怪", "收件", "异", "sorted"]
    assert [(finding.code, finding.value, finding.params["n_rows"]) for finding in findings] == [
        ("PR-E330", "怪", 2),
        ("PR-E330", "异", 1),
    ]


def test_codes_of_a_platform(tmp_path):
    rows = "".join(f"SF{n},2025-11-11 09:30:00,A,{code}\n" for n, code in enumerate(["1", "14", "5", "99"]))
    frame, findings = read(tmp_path, HEADER + rows, keys(platform="kuaidi100", kinds={"5": "sorted"}))
    assert frame["kind"].to_list() == ["accepted", "attempt_failed", "sorted", "unknown"]
    assert frame["reason"].to_list() == [None, "14", None, None]
    assert findings.counts == {"PR-E330": 1}


def test_facilities(tmp_path):
    columns = {**KEYS["columns"], "to_facility_id": "下一站"}
    rows = "SF1,2025-11-11 09:30:00,杭州,到件,上海\nSF2,2025-11-11 09:30:00,莫干山,到件,\n"
    text = HEADER.strip() + ",下一站\n" + rows
    frame, findings = read(tmp_path, text, keys(columns=columns, facilities={"杭州": "HGH", "上海": "SHA"}))
    assert frame["facility_id"].to_list() == ["HGH", "莫干山"]
    assert frame["related"].to_list() == [[{"role": "to", "id": "SHA"}], None]
    assert [(finding.code, finding.value) for finding in findings] == [("PR-E331", "莫干山")]


def test_tables_beside_the_mapping(tmp_path):
    (tmp_path / "codes.csv").write_text("code,kind\nS,delivered\n", encoding="utf-8")
    (tmp_path / "sites.csv").write_text("\ufeffcode,facility_id\nA,HGH\n", encoding="utf-8")
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        'kinds_table = "codes.csv"\nfacilities_table = "sites.csv"\n[time]\nzone = "UTC"\n'
        '[columns]\nitem_id = "运单号"\noccurred_at = "扫描时间"\nfacility_id = "网点"\nkind = "操作类型"\n',
        encoding="utf-8",
    )
    frame, findings = read_scans(write(tmp_path, HEADER + "SF1,2025-11-11 09:30:00,A,S\n"), mapping)
    assert (frame["kind"][0], frame["facility_id"][0], len(findings)) == ("delivered", "HGH", 0)


def test_payload_and_persons(tmp_path):
    text = HEADER.strip() + ",重量,备注,收件人电话\n" + "SF1,2025-11-11 09:30:00,A,收件,1.5,,13800000000\n"
    frame, findings = read(tmp_path, text, keys(rest="payload"))
    assert json.loads(frame["payload"][0]) == {"重量": "1.5", "备注": None}
    assert [(finding.code, finding.value) for finding in findings] == [("PR-E333", "收件人电话")]
    assert "13800000000" not in str(frame.to_dicts())
    frame, findings = read(tmp_path, text, keys(payload=["重量"]))
    assert json.loads(frame["payload"][0]) == {"重量": "1.5"}
    frame, findings = read(tmp_path, text, keys(payload=["收件人电话"]))
    assert frame["payload"].to_list() == [None]
    assert findings.counts == {"PR-E333": 1}


def test_ids_of_the_sender(tmp_path):
    columns = {**KEYS["columns"], "event_id": "编号"}
    uuid = "019a7000-0000-7000-8000-000000000001"
    rows = [f"SF{n},2025-11-11 09:30:00,A,收件,{event_id}" for n, event_id in enumerate(["17", "18", uuid, ""])]
    text = HEADER.strip() + ",编号\n" + "\n".join(rows)
    frame, _ = read(tmp_path, text, keys(columns=columns))
    assert frame["event_id"].n_unique() == 4
    assert frame["event_id"][2].hex() == uuid.replace("-", "")
    numbers, _ = read(tmp_path, HEADER.strip() + ",编号\n" + rows[0].replace("杭州", "x"), keys(columns=columns))
    assert numbers["event_id"][0] == frame["event_id"][0]


def test_digest_of_some_columns(tmp_path):
    ids = {"digest": ["运单号", "扫描时间"]}
    one, _ = read(tmp_path, HEADER + "SF1,2025-11-11 09:30:00,A,收件\n", keys(ids=ids))
    other, _ = read(tmp_path, HEADER + "SF1,2025-11-11 09:30:00,B,到件\n", keys(ids=ids))
    assert one["event_id"].to_list() == other["event_id"].to_list()


def test_columns_that_are_not_there(tmp_path):
    columns = {**KEYS["columns"], "reason": "原因", "trip_id": "运单"}
    frame, findings = read(tmp_path, HEADER + ROWS, keys(columns=columns))
    assert frame.height == 0
    assert [(finding.code, finding.value) for finding in findings] == [("PR-E322", "原因"), ("PR-E322", "运单")]
    assert "运单号" in list(findings)[1].message()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.csv", None, "PR-E339"),
        ("empty.csv", b"", "PR-E325"),
        ("blank.csv", b" , \n", "PR-E325"),
        ("scans.pdf", b"x", "PR-E323"),
        ("twice.csv", b"a,a\n1,2\n", "PR-E338"),
        ("binary.csv", b"\x00\x01\x02\x03", "PR-E324"),
        ("bytes.csv", b"a,b\n\xff\xff\xff,1\n", "PR-E324"),
        ("broken.parquet", b"PAR1 not", "PR-E339"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, code):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_scans(path, KEYS)
    assert caught.value.code == code


def test_an_encoding_that_is_none(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, HEADER + ROWS, keys(file={"encoding": "klingon"}))
    assert caught.value.code == "PR-E324"


def test_only_a_header(tmp_path):
    frame, findings = read(tmp_path, HEADER)
    assert (frame.height, len(findings)) == (0, 0)


def test_many_bad_rows_are_counted(tmp_path):
    frame, findings = read(tmp_path, HEADER + ROWS + "SF1,x,A,收件\n" * 70)
    assert frame.height == 2
    assert findings.counts == {"PR-E327": 70}
    assert len(list(findings)) == 50


def test_progress_is_told(tmp_path):
    class Told:
        def stage(self, name, total=0):
            self.name, self.steps = name, []

        def step(self, done, note=""):
            self.steps.append(done)

    told = Told()
    read_scans(write(tmp_path, HEADER + ROWS), KEYS, progress=told)
    assert (told.name, told.steps) == ("reading scans.csv", [2])


CELLS = st.text(st.characters(codec="utf-8", exclude_characters='\r\n",\x00'), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=8))
def test_every_row_is_kept_or_accounted_for(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "scans.csv"
    good = [("SF1", "2025-11-11 09:30:00", "A", "收件")]
    path.write_text(HEADER + "".join(",".join(row) + "\n" for row in [*good, *rows]), encoding="utf-8")
    total = {"rows": 0, "kept": 0, "refused": 0, "twice": 0}
    for piece in read_pieces(path, KEYS):
        total["rows"] += piece.tally.n_rows
        total["kept"] += piece.tally.n_kept
        total["refused"] += sum(piece.tally.n_refused_by_code.values())
        total["twice"] += piece.tally.n_twice
        assert piece.frame.height == piece.tally.n_kept
    assert total["rows"] == len(rows) + 1
    assert total["kept"] >= 1
    assert total["rows"] == total["kept"] + total["refused"] + total["twice"]
