"""Terms in their forms, and contexts."""

import pytest

from postroad.exchange.epcis.context import STANDARD, read_context
from postroad.exchange.epcis.vocabulary import LISTS, Term, near_term, read_term, terms, web_uri


@pytest.mark.parametrize("name", LISTS)
def test_every_term_is_read_in_every_form(name):
    assert len(terms(name)) > 1
    for word in terms(name):
        assert read_term(name, word) == Term(word, "bare")
        if LISTS[name].urn:
            assert read_term(name, LISTS[name].urn + word) == Term(word, "urn")
        if LISTS[name].web:
            assert read_term(name, web_uri(name, word)) == Term(word, "web")


def test_counts_are_those_of_the_standard():
    assert {name: len(terms(name)) for name in ("biz_step", "disposition", "biz_transaction", "measurement")} == {
        "biz_step": 41,
        "disposition": 33,
        "biz_transaction": 13,
        "measurement": 72,
    }


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("biz_step", "cbv:BizStep-shipping", "web"),
        ("biz_step", "cbv:BizStep-delivering", "unknown"),
        ("biz_step", "urn:epcglobal:cbv:bizstep:delivering", "unknown"),
        ("biz_step", "urn:epcglobal:cbv:disp:in_transit", "unknown"),
        ("biz_step", "https://example.org/step/delivering", "own"),
        ("biz_step", "not a uri: at all", "unknown"),
        ("measurement", "gs1:Temperature", "web"),
        ("measurement", "https://gs1.org/voc/Warmth", "unknown"),
        ("alert", "https://example.org/alert", "own"),
        ("action", "https://example.org/ADD", "unknown"),
    ],
)
def test_forms(name, text, form):
    assert read_term(name, text).form == form


def test_a_prefix_of_the_sender_may_stand_for_the_standard():
    context = read_context({"v": "https://ref.gs1.org/cbv/"})
    assert read_term("disposition", "v:Disp-damaged", context) == Term("damaged", "web")


def test_near():
    assert near_term("biz_step", "urn:epcglobal:cbv:bizstep:depart") == "departing"
    assert near_term("biz_step", "zzz") == ""


def test_what_an_event_needs_of_a_context():
    context = read_context(["https://b.example/context", {"a": "https://a.example/"}, {"c": "urn:c:"}, {"d": "urn:d:"}])
    content = {"a:x": [{"y": "c:z"}], "plain": 7}
    assert context.used_by(content) == ["https://b.example/context", {"a": "https://a.example/"}, {"c": "urn:c:"}]


def test_contexts():
    context = read_context([{"a": "https://a.example/", "b": {"@id": "a:b#"}}, "https://b.example/context", 7])
    assert context.expand("b:x") == "https://a.example/b#x"
    assert context.expand("https://a.example/x") == "https://a.example/x"
    assert context.split("https://a.example/b#x") == ("https://a.example/b#", "x")
    assert (context.knows("a:x"), context.knows("c:x"), context.knows("urn:x:y")) == (True, False, True)
    assert read_context(None) == STANDARD
