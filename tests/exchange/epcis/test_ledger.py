"""EPCIS events in a ledger, and the examples of the how-to page."""

import contextlib
import io
import re
from dataclasses import replace
from datetime import timedelta

from kit.epcis import CAPTURED, PROFILE, SSCC_URN, bag, event, read
from kit.sources import REPOSITORY
from postroad.exchange.epcis.context import CONTEXT_URL
from postroad.exchange.epcis.incoming import to_events
from postroad.exchange.epcis.outgoing import from_events
from postroad.ledger.store import Ledger

PAGE = REPOSITORY / "docs" / "how-to" / "epcis.md"


def test_a_document_is_kept_once_and_comes_out_whole(tmp_path):
    departed = event(eventID="urn:x:departed", epcList=[SSCC_URN], bizStep="departing", **{"ex:weight": 12.50})
    found = read(bag(), departed)
    ledger = Ledger.create(tmp_path / "ledger")
    for capture in range(2):
        frame, _ = to_events(found, PROFILE, recorded_at=CAPTURED + timedelta(hours=capture))
        receipt, findings = ledger.append(frame, now=CAPTURED + timedelta(days=1))
        assert findings.counts == {}
        assert (receipt.n_appended, receipt.n_duplicate) == ((3, 0), (0, 3))[capture]
    other = read(
        departed, **{"@context": [CONTEXT_URL, {"ex": "https://example.org/ns/"}, {"y": "urn:y:"}], "sender": "x"}
    )
    known = replace(PROFILE, units=frozenset([SSCC_URN]))
    receipt, findings = ledger.append(to_events(other, known, recorded_at=CAPTURED)[0], now=CAPTURED)
    assert (receipt.n_duplicate, findings.counts) == (1, {})
    kept, _ = from_events(ledger.events(), PROFILE)
    assert [one.content for one in kept.events] == [one.content for one in found.events]


def test_the_page_does_what_it_says():
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(block, names)
        told = [line[2:].rstrip() for line in block.splitlines() if line.startswith("# ")]
        assert [line.rstrip() for line in printed.getvalue().splitlines()] == told
