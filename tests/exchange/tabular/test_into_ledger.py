"""A file of scans goes into a ledger once, however often it is imported."""

from datetime import UTC, datetime

from postroad.exchange.tabular.scans import read_pieces, read_scans
from postroad.exchange.upu.emsevt import events_from_records, parse_csv
from postroad.ledger import Ledger

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAPPING = {
    "time": {"zone": "Asia/Shanghai"},
    "columns": {"item_id": "单号", "kind": "类型", "occurred_at": "时间", "facility_id": "网点"},
}


def test_twice_is_once(tmp_path):
    path = tmp_path / "scans.csv"
    kinds = ["accepted", "departed", "arrived", "out_for_delivery", "delivered", "?"]
    rows = [f"SF{n:013d},{kind},2025-11-11 0{k}:30:00,H{k}" for n in range(800) for k, kind in enumerate(kinds)]
    path.write_text("单号,类型,时间,网点\n" + "\n".join([*rows, *rows[:7], "SF1,?,never,H"]) + "\n", encoding="utf-8")
    ledger = Ledger.create(tmp_path / "ledger")
    frame, _ = read_scans(path, MAPPING)
    receipt, findings = ledger.append(frame, now=NOW)
    assert (receipt.n_appended, len(findings)) == (len(rows), 0)
    for piece in read_pieces(path, MAPPING, piece_rows=500):
        if piece.frame.height:
            receipt, findings = ledger.append(piece.frame, now=NOW)
            assert (receipt.n_appended, len(findings)) == (0, 0)


def test_a_code_that_is_known_by_now(tmp_path):
    path = tmp_path / "scans.csv"
    path.write_text(
        "单号,类型,时间,网点\nSF1,X,2025-11-11 09:30:00,H\nSF1,sorted,2025-11-11 09:30:00,H\n", encoding="utf-8"
    )
    ledger = Ledger.create(tmp_path / "ledger")
    assert ledger.append(read_scans(path, MAPPING)[0], now=NOW)[0].n_appended == 2
    mended = MAPPING | {"kinds": {"X": "accepted"}}
    receipt, findings = ledger.append(read_scans(path, mended)[0], now=NOW)
    assert (receipt.n_appended, receipt.n_duplicate, len(findings)) == (1, 1, 0)


def test_postal_events_too(tmp_path):
    text = "item_id,event,event_at,office\nRB123456785GB,EMD,2025-11-11T09:30+08:00,CNBJSA\n"
    ledger = Ledger.create(tmp_path / "ledger")
    for n_appended in (1, 0):
        receipt, findings = ledger.append(events_from_records(parse_csv(text))[0], now=NOW)
        assert (receipt.n_appended, len(findings)) == (n_appended, 0)
