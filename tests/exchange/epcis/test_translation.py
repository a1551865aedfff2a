"""Identifiers and terms in the forms that JSON readers expect."""

from hypothesis import given
from hypothesis import strategies as st

from kit.epcis import SSCC, bag, bare, one, read
from postroad.exchange.epcis.naming import content_digest
from postroad.exchange.epcis.translation import link_identifiers


def test_urns_become_links_and_terms_words():
    urn = "urn:epc:id:sgln:4012345.00011.0"
    found = read(
        bag(
            bizStep="urn:epcglobal:cbv:bizstep:packing",
            disposition="https://ref.gs1.org/cbv/Disp-in_progress",
            readPoint={"id": urn, "ex:urn": urn},
            sourceList=[{"type": "urn:epcglobal:cbv:sdt:location", "source": urn}],
            childQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 2}],
        )
    ).events[0]
    content = link_identifiers(found).content
    link = "https://id.gs1.org/414/4012345000115"
    assert content["parentID"] == f"https://id.gs1.org/00/{SSCC}"
    assert (content["bizStep"], content["disposition"]) == ("packing", "in_progress")
    assert content["readPoint"] == {"id": link, "ex:urn": urn}
    assert content["sourceList"] == [{"type": "location", "source": link}]
    assert content["childQuantityList"][0] == {
        "epcClass": "https://id.gs1.org/01/04012345123456/10/998877",
        "quantity": 2,
    }
    assert content["childEPCs"] == found.content["childEPCs"]
    assert content_digest(link_identifiers(found)) == content_digest(found)


@given(
    st.sampled_from(["urn:epc:id:sscc:1", "urn:epc:id:gid:1.2.3", "urn:epc:idpat:sgtin:4012345.066666.*", "urn:x:1"])
)
def test_what_has_no_link_stays(uri):
    assert link_identifiers(bare({"type": "ObjectEvent", "epcList": [uri, 7]})).content["epcList"] == [uri, 7]


def test_events_of_other_types_are_translated_too():
    found = one(type="https://example.org/HailEvent", epcList=["urn:epc:id:sscc:0614141.1234567890"])
    assert link_identifiers(found).content["epcList"] == [f"https://id.gs1.org/00/{SSCC}"]
