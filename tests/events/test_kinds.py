"""The closed list agrees with itself and with the standards."""

import csv
from pathlib import Path

from postroad.events.kinds import SUBJECTS, kind_ranks, kinds, states, vocabulary
from postroad.twin.result import TRACE_KINDS

MAPPING = Path(__file__).with_name("emsevt_v3_mapping.csv")


def read_mapping():
    with MAPPING.open(encoding="utf-8", newline="") as handle:
        return {row["emsevt"]: row for row in csv.DictReader(handle)}


def test_every_emsevt_code_has_one_kind_with_the_published_mapping():
    published = read_mapping()
    ours = {kind.emsevt: kind for kind in kinds().values() if kind.emsevt}
    assert len(published) == 25
    assert set(ours) == set(published)
    assert sum(1 for kind in kinds().values() if kind.emsevt) == 25
    for code, row in published.items():
        kind = ours[code]
        found = (kind.epcis_type, kind.biz_step, kind.disposition, kind.stage_zh)
        assert found == (row["epcis_event_type"], row["epcis_bizStep"], row["epcis_disposition"], row["cn_stage"]), code


def test_terminal_codes():
    ends = {kind.emsevt: kind.ends for kind in kinds().values() if kind.emsevt and kind.is_terminal}
    assert ends == {"EMI": "life", "EXX": "leg", "EDX": "leg"}


def test_codes_that_need_a_reason():
    asked = {code for code, row in read_mapping().items() if "reason code" in row["note"]}
    assert {kind.emsevt for kind in kinds().values() if kind.emsevt and kind.needs_reason} == asked


def test_vocabulary():
    assert (len(vocabulary("biz_step")), len(vocabulary("disposition")), len(vocabulary("event_type"))) == (41, 33, 5)
    for kind in kinds().values():
        assert not kind.biz_step or kind.biz_step in vocabulary("biz_step"), kind.kind
        assert not kind.disposition or kind.disposition in vocabulary("disposition"), kind.kind
        assert set(kind.epcis_type.split("+")) <= vocabulary("event_type") | {""}, kind.kind
        assert bool(kind.epcis_type) == bool(kind.biz_step) == bool(kind.disposition), kind.kind


def test_columns_hold_what_they_may():
    for kind in kinds().values():
        assert kind.subjects and set(kind.subjects) <= set(SUBJECTS), kind.kind
        assert kind.order in ("", "fixed", "floating", "resetting"), kind.kind
        assert kind.ends in ("", "life", "leg", "declared"), kind.kind
        assert not kind.state or kind.state in states(), kind.kind
        assert (kind.phase is None) == (kind.order == ""), kind.kind
        assert kind.text_en and kind.text_zh and kind.description_en and kind.description_zh and kind.source, kind.kind
        assert bool(kind.text_to_en) == bool(kind.text_to_zh) == kind.kind.startswith("departed"), kind.kind
        assert kind.is_terminal <= bool(kind.state), kind.kind
    assert set(states()) == {kind.state for kind in kinds().values() if kind.state} | {"unknown"}


def test_ranks_follow_the_legal_order():
    """EMA < EMB < (EXA < EXB < EXC) < EMC, EMJ < EMK, EMD < (EDB < EME < EDC) < EMF, EMG < EDG < EMH < EMI."""
    rank = {kind.emsevt: kind.rank for kind in kinds().values() if kind.emsevt}
    chains = ("EMA EMB EXA EXB EXC EMC", "EMJ EMK", "EMD EDB EME EDC EMF", "EDD EDE", "EMG EDG EMH EMI", "EDH EMI")
    for chain in chains:
        ranks = [rank[code] for code in chain.split()]
        assert ranks == sorted(set(ranks)), chain
    assert kind_ranks().tolist() == [kind.rank for kind in kinds().values()]


def test_phases_follow_the_legal_order():
    phase = {kind.emsevt: kind.phase for kind in kinds().values() if kind.emsevt and kind.order != "floating"}
    phases = [phase[code] for code in ["EMA", "EMB", "EMC", "EMJ", "EMD", "EDB", "EMF", "EMG", "EDG", "EMI"]]
    assert phases == sorted(phases)


def test_the_twins_kinds_are_of_the_list():
    assert set(TRACE_KINDS) <= set(kinds())
