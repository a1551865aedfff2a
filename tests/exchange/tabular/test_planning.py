"""The dry run: what it counts is what the import does; and what it looks like."""

import json

from postroad.exchange.tabular.planning import plan_import
from postroad.exchange.tabular.scans import read_scans

MAPPING = {
    "time": {"zone": "Asia/Shanghai"},
    "columns": {"item_id": "运单号", "kind": "操作类型", "occurred_at": "扫描时间", "facility_id": "网点"},
    "kinds": {"收件": "accepted", "签收": "delivered"},
    "facilities": {"杭州": "HGH"},
    "payload": ["重量", "收件人"],
}
TEXT = """运单号,扫描时间,网点,操作类型,重量,收件人,车牌
SF1234567890123,2025-11-11 09:30:00,杭州,收件,1.5,某,浙A
SF1234567890123,2025-11-11 09:30:00,杭州,收件,1.5,某,浙A
SF1234567890123,2025-11-12 19:00:00,上海,签收,1.5,某,
7.7E+14,2025-11-12 19:00:00,上海,签收,1.5,某,
SF1234567890124,soon,上海,签收,1.5,某,
SF1234567890125,2025-11-12 12:00:00,杭州,怪,1.5,某,
SF1234567890126,2025-11-12 12:00:00,杭州
"""
PAGE = """Import of scans.csv
  file: csv utf-8 ,
  rows read: 7
  events: 3
  rows that come twice: 1
  rows refused: 3
    PR-E326 1  The row has 3 cells, the header 7: SF1234567890126,2025-11-12 12:00:00,杭州
    PR-E327 1  'soon' cannot be read as an instant (auto).
    PR-E328 1  '7.7E+14' is a number that a spreadsheet cut: its last digits are lost.
  from – to: 2025-11-11T09:30:00+08:00 – 2025-11-12T19:00:00+08:00
  kinds:
    accepted (Accepted)  1
    delivered (Delivered)  1
    unknown (Event of an unknown kind)  1
  unknown codes:
    怪  1
  columns not used: 车牌
  columns left out, about persons: 收件人
first events
    SF1234567890123  accepted  2025-11-11T09:30:00+08:00  HGH
    SF1234567890123  delivered  2025-11-12T19:00:00+08:00  上海
    SF1234567890125  unknown  2025-11-12T12:00:00+08:00  HGH
noticed
    PR-E333  The column '收件人' seems to tell of a person and is left out.
    PR-E330  The code '怪' is not known: 1 row(s) become events of kind unknown.
    PR-E331  The facility '上海' has no translation and stays as it is in 1 row(s).
    PR-E332  1 row(s) come twice and are one event each.
"""


def plan(tmp_path, text=TEXT, mapping=MAPPING, **how):
    path = tmp_path / "scans.csv"
    path.write_text(text, encoding="utf-8")
    return plan_import(path, mapping, **how)


def test_the_page(tmp_path):
    lines, wanted = plan(tmp_path).text().splitlines(), PAGE.splitlines()
    assert lines[: wanted.index("noticed")] == wanted[: wanted.index("noticed")]
    assert sorted(lines) == sorted(wanted)


def test_the_page_in_chinese(tmp_path):
    text = plan(tmp_path).text("zh")
    assert text.startswith("导入 scans.csv\n")
    assert "拒绝行: 3" in text and "已签收" in text and "代码“怪”未知：1 行" in text


def test_the_record_is_json_and_counts_what_the_import_does(tmp_path):
    made = plan(tmp_path)
    record = json.loads(json.dumps(made.record()))
    frame, findings = read_scans(tmp_path / "scans.csv", MAPPING)
    assert record["n_events"] == frame.height == 3
    assert record["findings"] == findings.counts
    assert record["n_rows"] == record["n_events"] + record["n_refused"] + record["n_twice"]
    assert record["unused"] == ["车牌"]
    assert record["first_at"] == "2025-11-11T01:30:00+00:00"
    assert made.is_ready


def test_a_column_that_is_missing(tmp_path):
    made = plan(tmp_path, "运单号,扫描时间,操作类型\nSF1,2025-11-11 09:30:00,收件\n")
    assert not made.is_ready
    assert "PR-E322" in made.text()


def test_only_the_first_rows(tmp_path):
    many = "".join(f"SF{n:013d},2025-11-11 09:30:00,杭州,收件,1,,\n" for n in range(20_000))
    made = plan(tmp_path, TEXT.splitlines(keepends=True)[0] + many, n_rows=100)
    assert 100 <= made.tally.n_rows < 20_000
