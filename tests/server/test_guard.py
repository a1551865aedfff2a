"""Who may do and see what over HTTP, and that each read is written down."""

import pytest

from kit.ledger import ITEM, NOW, make_frame, make_life
from kit.service import ADDRESSEE, SHIPPER, keyed, serving

OTHER = "ZB000000015CN"


@pytest.fixture
def served(tmp_path):
    """Two items; the first has a shipper and an addressee."""
    with serving(tmp_path / "service") as (client, desk):
        shipper, addressee = desk.vault.seal([SHIPPER, ADDRESSEE])
        life = make_life()
        life[0]["related"] = [{"role": "shipper", "id": shipper}, {"role": "addressee", "id": addressee}]
        desk.ledger.append(make_frame(*life, *make_life(OTHER, 100)), now=NOW)
        yield client, desk, shipper, addressee


def test_a_strangers_key_reads_nothing(served):
    client, desk, shipper, _ = served
    never_made = {"Authorization": f"Bearer pr_{'0' * 12}_{'0' * 64}"}
    for headers in ({}, never_made, {"Authorization": "Basic eDp5"}):
        for method, path in [
            ("GET", f"/items/{ITEM}"),
            ("GET", f"/items/{ITEM}/events"),
            ("GET", f"/parties/{shipper}"),
            ("GET", "/keys"),
            ("GET", "/audit"),
            ("GET", "/audit/state"),
        ]:
            answer = client.request(method, path, headers=headers)
            assert answer.status_code in (401, 429), (method, path, answer.text)
            assert ITEM not in answer.text
    assert client.post("/items/search", json={"item_ids": [ITEM]}).status_code in (401, 429)
    assert client.post("/events", json=[]).status_code in (401, 429)
    assert {entry["outcome"] for entry in desk.audit.entries()} == {"refused"}


def test_an_addressee_reads_its_own_parcel_masked(served):
    client, desk, _, addressee = served
    key = keyed(desk, "addressee", party_ids={addressee})
    own = client.get(f"/items/{ITEM}", headers=key)
    assert own.status_code == 200
    assert own.json()["parties"] == [
        {"role": "shipper", "party_id": own.json()["parties"][0]["party_id"], "name": "测**", "phone": "138******78",
         "address": "某市某区某路1号***"},
        {"role": "addressee", "party_id": addressee, "name": "测**", "phone": "139******11", "address": "某县某镇某村"},
    ]  # fmt: skip
    assert client.get(f"/items/{OTHER}", headers=key).json()["code"] == "PR-L301"
    assert client.get(f"/items/{ITEM}/events", headers=key).json()["code"] == "PR-K120"
    assert client.post("/events", json=[], headers=key).status_code == 403
    reads = [(entry["action"], entry["subjects"], entry["outcome"]) for entry in desk.audit.entries()]
    assert ("find_item", [ITEM], "shown") in reads
    assert ("find_item", [OTHER], "not_found") in reads


def test_many_items_at_once(served):
    client, desk, shipper, _ = served
    answer = client.post(
        "/items/search", json={"item_ids": [ITEM, OTHER]}, headers=keyed(desk, "shipper", party_ids={shipper})
    ).json()
    assert [(one["item_id"], one["item"] is not None, one["code"]) for one in answer["items"]] == [
        (ITEM, True, None),
        (OTHER, False, "PR-L301"),
    ]


def test_whole_data_needs_scope_and_purpose_and_is_logged(served):
    client, desk, shipper, addressee = served
    regulator = client.get(f"/parties/{shipper}", headers=keyed(desk, "regulator")).json()
    assert (regulator["is_masked"], regulator["phone"]) == (True, "138******78")
    operator = keyed(desk, "operator")
    assert client.get(f"/parties/{shipper}", headers=operator).json()["code"] == "PR-K124"
    whole = client.get(f"/parties/{shipper}", params={"purpose": "wrong address"}, headers=operator).json()
    assert whole == {"party_id": shipper, "is_masked": False, **SHIPPER.model_dump()}
    assert client.get(f"/parties/{shipper}", headers=keyed(desk, "addressee", party_ids={addressee})).status_code == 403
    entry = [entry for entry in desk.audit.entries() if entry.get("unmasked")]
    assert [(one["subjects"], one["unmasked"], one["purpose"]) for one in entry] == [
        ([shipper], ["name", "phone", "address"], "wrong address")
    ]
    audit = client.get("/audit", params={"limit": 1}, headers=keyed(desk, "regulator")).json()
    assert audit["next"] == 1
    state = client.get("/audit/state", headers=keyed(desk, "regulator")).json()
    assert state == {"is_whole": True, "breaks": [], "unusual": []}


def test_unusual_reading_is_told(served):
    client, desk, shipper, _ = served
    operator = keyed(desk, "operator")
    for _ in range(30):  # the desk's clock stands at midnight
        client.get(f"/parties/{shipper}", params={"purpose": "x"}, headers=operator)
    [unusual] = client.get("/audit/state", headers=keyed(desk, "regulator")).json()["unusual"]
    assert (unusual["rule"], unusual["n_seen"]) == ("unmasked_at_night", 21)
    assert any(entry["action"] == "unusual:unmasked_at_night" for entry in desk.audit.entries())


def test_after_a_purge_nobody_reads_it(served):
    client, desk, shipper, _ = served
    administrator = keyed(desk, "administrator")
    assert client.post("/parties/purge", json={"party_ids": [shipper]}, headers=administrator).json() == {"n_purged": 1}
    gone = client.get(f"/parties/{shipper}", params={"purpose": "x"}, headers=keyed(desk, "operator"))
    assert (gone.status_code, gone.json()["code"]) == (404, "PR-K106")
    item = client.get(f"/items/{ITEM}", headers=keyed(desk, "operator")).json()
    assert item["parties"][0] == {"role": "shipper", "party_id": shipper, "name": None, "phone": None, "address": None}
    assert not desk.ledger.verify()
    held = b"".join(path.read_bytes() for path in desk.folder.rglob("*") if path.is_file())
    for text in (SHIPPER.name, SHIPPER.phone, SHIPPER.address):
        assert text.encode() not in held


def test_keys_are_made_and_withdrawn(served):
    client, desk, *_ = served
    administrator = keyed(desk, "administrator")
    made = client.post("/keys", json={"role": "regulator", "label": "bureau"}, headers=administrator)
    assert made.status_code == 201
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    assert client.get(f"/items/{ITEM}", headers=headers).status_code == 200
    listed = client.get("/keys", headers=administrator).json()["keys"]
    assert {key["role"] for key in listed} == {"administrator", "regulator"}
    assert made.json()["key"].rpartition("_")[2] not in str(listed)
    key_id = made.json()["key_id"]
    assert client.delete(f"/keys/{key_id}", headers=administrator).status_code == 204
    assert client.get(f"/items/{ITEM}", headers=headers).status_code == 401
    assert client.delete("/keys/none", headers=administrator).json()["code"] == "PR-K122"
    assert client.post("/keys", json={"role": "king"}, headers=administrator).json()["code"] == "PR-K110"
    assert client.post("/keys", json={"role": 5}, headers=administrator).json()["code"] == "PR-H108"
    assert client.post("/keys", json={"role": "regulator"}, headers=keyed(desk, "regulator")).status_code == 403


def test_parties_are_sealed(served):
    client, desk, *_ = served
    made = client.post("/parties", json={"parties": [SHIPPER.model_dump()]}, headers=keyed(desk, "operator"))
    assert made.status_code == 201
    [party_id] = made.json()["party_ids"]
    assert desk.vault.read(party_id) == SHIPPER
    wrong = client.post("/parties", json={"parties": [{"nome": "x"}]}, headers=keyed(desk, "operator")).json()
    assert wrong["code"] == "PR-H104"
    assert wrong["findings"][0]["code"] == "PR-H107"


def test_rates(served):
    client, desk, _, addressee = served
    key = keyed(desk, "addressee", party_ids={addressee})
    answers = [client.get(f"/items/{ITEM}", headers=key) for _ in range(15)]
    assert {answer.status_code for answer in answers} == {200, 429}
    late = answers[-1]
    assert (late.json()["code"], late.headers["retry-after"]) == ("PR-H103", "1")
