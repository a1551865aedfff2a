"""Keys and grants: who may do what, and whose items each sees."""

from datetime import UTC, datetime, timedelta

import pytest

from postroad.core.errors import AccessError, InputError, NotFound
from postroad.guard.grants import Grant, known_scopes, may_see, roles
from postroad.guard.keys import KeyRing

NOW = datetime(2024, 5, 1, tzinfo=UTC)
EVENTS = [
    {
        "operator_id": "op1",
        "facility_id": "f1",
        "party_id": None,
        "related": [{"role": "shipper", "id": "p1"}, {"role": "addressee", "id": "p2"}],
    },
    {"operator_id": "op2", "facility_id": "f2", "party_id": None, "related": None},
]


@pytest.mark.parametrize(
    ("grant", "is_seen"),
    [
        (Grant(role="operator"), True),
        (Grant(role="operator", operator_ids={"op2"}), True),
        (Grant(role="operator", operator_ids={"op3"}), False),
        (Grant(role="franchisee", facility_ids={"f1"}), True),
        (Grant(role="franchisee", facility_ids={"f9"}), False),
        (Grant(role="regulator"), True),
        (Grant(role="shipper", party_ids={"p1"}), True),
        (Grant(role="shipper", party_ids={"p2"}), False),
        (Grant(role="addressee", party_ids={"p2"}), True),
        (Grant(role="addressee", party_ids={"p1"}), False),
        (Grant(role="administrator"), False),
    ],
)
def test_each_sees_its_own(grant, is_seen):
    assert may_see(grant, EVENTS) is is_seen


def test_scopes():
    assert Grant(role="addressee", party_ids={"p"}).allowed == {"items:read"}
    assert "personal:read" not in roles()["regulator"].scopes
    assert Grant(role="operator", scopes=set()).allowed == set()
    assert known_scopes() > roles()["operator"].scopes
    Grant(role="operator").demand("events:write")
    with pytest.raises(AccessError) as refusal:
        Grant(role="addressee", party_ids={"p"}).demand("events:write")
    assert refusal.value.code == "PR-K120"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"role": "king"}, "PR-K110"),
        ({"role": "addressee", "party_ids": {"p"}, "scopes": {"events:write"}}, "PR-K111"),
        ({"role": "franchisee"}, "PR-K112"),
        ({"role": "shipper"}, "PR-K112"),
    ],
)
def test_grants_that_cannot_be(fields, code):
    with pytest.raises(InputError) as refusal:
        Grant(**fields)
    assert refusal.value.code == code


@pytest.fixture
def ring(tmp_path):
    ring = KeyRing(tmp_path / "keys.db")
    yield ring
    ring.close()


def test_a_key_is_recognised_by_others_too(ring, tmp_path):
    grant = Grant(role="shipper", party_ids={"p1"}, label="a shop")
    key = ring.make(grant)
    key_id, found = ring.recognise(key)
    assert found == grant
    assert key.startswith(f"pr_{key_id}_")
    other = KeyRing(tmp_path / "keys.db")
    assert other.recognise(key) == (key_id, grant)
    other.withdraw(key_id)
    with pytest.raises(AccessError):
        ring.recognise(key)
    [listed] = ring.listed()
    assert listed["key_id"] == key_id
    assert listed["withdrawn_at"]
    other.close()


def test_no_file_holds_a_key(ring, tmp_path):
    secret = ring.make(Grant(role="regulator")).rpartition("_")[2]
    held = (tmp_path / "keys.db").read_bytes()
    assert secret.encode() not in held
    assert bytes.fromhex(secret) not in held


def test_a_strangers_key(ring):
    key = ring.make(Grant(role="regulator"))
    flipped = key[:-1] + ("0" if key[-1] != "0" else "1")
    for wrong in ("", "x", flipped, key.upper(), f"pr_{'0' * 12}_{'0' * 64}"):
        with pytest.raises(AccessError) as refusal:
            ring.recognise(wrong)
        assert refusal.value.code == "PR-K121"


def test_a_key_expires(ring):
    key = ring.make(Grant(role="regulator", expires_at=NOW + timedelta(hours=1)), now=NOW)
    assert ring.recognise(key, now=NOW)
    with pytest.raises(AccessError):
        ring.recognise(key, now=NOW + timedelta(hours=1))


def test_withdrawing_what_is_no_key(ring):
    with pytest.raises(NotFound) as refusal:
        ring.withdraw("nothing")
    assert refusal.value.code == "PR-K122"
