"""Keys in EPC URNs and Digital Links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.checkdigits import gs1_digit
from postroad.core.errors import InputError
from postroad.exchange.epcis.identifiers import (
    Identifier,
    check_identifier,
    digital_link,
    epc_urn,
    matches_epc,
    read_identifier,
    same_identifier,
    sscc_of,
    sscc_urn,
)

PAIRS = [
    ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908", 7),
    ("urn:epc:id:sgtin:0614141.107346.2018", "https://id.gs1.org/01/10614141073464/21/2018", 7),
    ("urn:epc:class:lgtin:4012345.012345.998877", "https://id.gs1.org/01/04012345123456/10/998877", 7),
    ("urn:epc:id:sgln:4012345.00011.987", "https://id.gs1.org/414/4012345000115/254/987", 7),
    ("urn:epc:id:sgln:4012345.00011.0", "https://id.gs1.org/414/4012345000115", 7),
    ("urn:epc:id:pgln:4012345.00000", "https://id.gs1.org/417/4012345000009", 7),
    ("urn:epc:id:grai:4012345.55555.987", "https://id.gs1.org/8003/04012345555554987", 7),
    ("urn:epc:id:gdti:4012345.11111.123", "https://id.gs1.org/253/4012345111118123", 7),
    ("urn:epc:id:giai:4000001.111", "https://id.gs1.org/8004/4000001111", 7),
    ("urn:epc:id:gsrn:0614141.0000010253", "https://id.gs1.org/8018/061414100000102534", 7),
    ("urn:epc:id:ginc:0614141.xyz3311cba", "https://id.gs1.org/401/0614141xyz3311cba", 7),
]


@pytest.mark.parametrize(("urn", "link", "n_prefix"), PAIRS)
def test_both_forms_name_one_thing(urn, link, n_prefix):
    identifier = read_identifier(urn)
    assert digital_link(identifier) == link == same_identifier(urn)
    assert epc_urn(identifier, n_prefix) == urn
    assert read_identifier(link) == identifier
    assert check_identifier(urn) is None
    assert check_identifier(link) is None


def test_a_gsin_has_17_digits():
    identifier = read_identifier("urn:epc:id:gsin:0614141.123456789")
    assert identifier.key == "0614141123456789" + gs1_digit("0614141123456789")
    assert epc_urn(identifier, 7) == "urn:epc:id:gsin:0614141.123456789"


@given(
    st.text("0123456789", min_size=17, max_size=17),
    st.integers(6, 12),
)
def test_an_sscc_comes_back_from_every_form(body, n_prefix):
    sscc = body + gs1_digit(body)
    urn = sscc_urn(sscc, n_prefix)
    assert sscc_of(urn) == sscc_of(same_identifier(urn)) == sscc_of(sscc) == sscc


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and max(text) < "\ud800"))
def test_any_serial_survives_both_forms(serial):
    identifier = Identifier("sgtin", "10614141073464", serial)
    assert read_identifier(digital_link(identifier)) == identifier


@pytest.mark.parametrize(
    "text",
    [
        "urn:epc:id:sscc:0614141.123456789",
        "urn:epc:id:sscc:06141.123456789012",
        "urn:epc:id:sgtin:0614141.107346",
        "urn:epc:id:sgtin:0614141.10734x.1",
        "urn:epc:id:nosuch:1.2",
        "urn:epc:class:sgtin:0614141.107346.1",
        "urn:epc:id:bic:CSQU3054384",
        "urn:epc:other",
        "https://id.gs1.org/00/12",
        "https://id.gs1.org/nothing/12",
    ],
)
def test_what_is_not_built_as_its_scheme_asks(text):
    assert check_identifier(text).code == "PR-E114"
    assert read_identifier(text) is None


def test_a_wrong_check_digit():
    finding = check_identifier("https://id.gs1.org/00/106141412345678901")
    assert (finding.code, finding.params) == ("PR-E115", {"got": "1", "expected": "8"})
    assert sscc_of("106141412345678901") is None
    with pytest.raises(InputError, match="PR-E115"):
        sscc_urn("106141412345678901", 7)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/00/12",
        "https://example.org/00/106141412345678901",
        "urn:epc:id:bic:CSQU3054383",
        "urn:epc:id:gid:1.2.3",
        "urn:epc:idpat:sgtin:*.*.*",
        "urn:epc:tag:sgtin-96:1.0614141.107346.1",
        "https://example.org/waybill/SF1234567890123",
    ],
)
def test_what_is_not_judged(text):
    assert check_identifier(text) is None
    assert read_identifier(text) is None


def test_a_link_on_another_host_counts_when_it_is_right():
    assert sscc_of("https://parcels.example.org/a/00/106141412345678908") == "106141412345678908"
    assert read_identifier("https://id.gs1.org/01/614141073467").key == "00614141073467"


@pytest.mark.parametrize("n_prefix", [5, 13])
def test_a_company_prefix_has_six_to_twelve_digits(n_prefix):
    with pytest.raises(InputError, match="PR-E116"):
        epc_urn(Identifier("sscc", "106141412345678908"), n_prefix)


@pytest.mark.parametrize(
    ("pattern", "uri", "is_match"),
    [
        ("urn:epc:idpat:sgtin:0614141.107346.*", "urn:epc:id:sgtin:0614141.107346.2017", True),
        ("urn:epc:idpat:sgtin:0614141.107346.*", "https://id.gs1.org/01/10614141073464/21/2017", True),
        ("urn:epc:idpat:sgtin:0614141.107347.*", "urn:epc:id:sgtin:0614141.107346.2017", False),
        ("urn:epc:idpat:sgtin:0614141.*.*", "urn:epc:id:sgtin:0614141.107346.2017", True),
        ("urn:epc:idpat:sgtin:0614142.*.*", "urn:epc:id:sgtin:0614141.107346.2017", False),
        ("urn:epc:idpat:sscc:0614141.*", "https://id.gs1.org/00/106141412345678908", True),
        ("urn:epc:idpat:sscc:*.*", "urn:epc:id:sgtin:0614141.107346.2017", False),
        ("https://id.gs1.org/00/106141412345678908", "urn:epc:id:sscc:0614141.1234567890", True),
        ("https://example.org/a", "https://example.org/b", False),
    ],
)
def test_patterns(pattern, uri, is_match):
    assert matches_epc(pattern, uri) is is_match
