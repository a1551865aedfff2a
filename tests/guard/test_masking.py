"""What may be shown of a name, a number and an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.guard.masking import is_hidden_phone, mask_address, mask_name, mask_party, mask_phone
from postroad.guard.party import Party


def test_published_vectors():
    """Of GB/T 41833-2022: at least one character, six digits, the unit and the room."""
    assert mask_name("张三") == "张*"
    assert mask_phone("13812345678") == "138******78"
    assert mask_address("朝阳区建国路88号3单元1201室") == "朝阳区建国路88号***"
    assert not is_hidden_phone("13812345678", "138****5678")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("朝阳区建国路88号院2号楼3单元1201", "朝阳区建国路88号***"),
        ("海淀区幸福里小区12栋1单元302室", "海淀区幸福里小区***"),
        ("浦东新区世纪大道100号环球金融中心30层", "浦东新区世纪大道100号***"),
        ("南京路步行街五号楼二单元", "南京路步行街***"),
        ("望京SOHO T3 B座2801", "望京SOHO T3 ***"),
        ("幸福里5-2-301", "幸福里***"),
        ("301室，建国路88号", "***"),
        ("东京都港区芝公园4-2-8", "东京都港区芝公园***"),
        ("Flat 5, 12 High Street", "***"),
        ("350 Fifth Avenue Suite 3300", "350 Fifth Avenue ***"),
        ("88-3-1201 Jianguo Road Building A", "***"),
        ("新城镇桃源村", "新城镇桃源村"),
        ("解放楼道巷甲单元", "解放楼道巷***"),
        ("", ""),
    ],
)
def test_addresses(address, shown):
    assert mask_address(address) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("010-65911234", "010-******34"),
        ("+86 13812345678", "+86 138******78"),
        ("0086-138-1234-5678", "0086-138-****-**78"),
        ("13812345678/13900001111", "138******78/139******11"),
        ("110", "***"),
        ("6591123", "******3"),
        ("none", "none"),
    ],
)
def test_phones(phone, shown):
    assert mask_phone(phone) == shown


@given(st.text(min_size=1, max_size=12))
def test_a_name_always_hides_something(name):
    masked = mask_name(name)
    assert len(masked) == len(name.strip())
    assert not name.strip() or "*" in masked[1:] or masked == "*"


@given(st.from_regex(r"\+?[0-9][0-9 -]{0,20}[0-9]", fullmatch=True))
def test_a_phone_always_hides_six_digits_or_all(phone):
    masked = mask_phone(phone)
    assert len(masked) == len(phone)
    assert is_hidden_phone(phone.lstrip("+"), masked.lstrip("+")) or sum(map(str.isdigit, masked)) <= 3


@given(st.integers(1, 9999), st.integers(1, 99), st.integers(100, 9999))
def test_unit_and_room_never_stay(house, unit, room):
    for text in (
        f"中山路{house}号{unit}单元{room}室",
        f"中山路{house}号-{unit}-{room}",
        f"阳光花园{house}栋{unit}单元{room}",
    ):
        assert mask_address(text).endswith("***")
        assert f"{unit}单元" not in mask_address(text)
        assert not mask_address(text)[:-3].endswith(str(room))


def test_a_party_is_masked_in_every_field():
    party = mask_party(Party(name="张三", phone="13812345678"))
    assert party == Party(name="张*", phone="138******78", address=None)
