"""Masks: what of a name, a number or an address may be shown to those who are not entitled to the whole.

Source: GB/T 41833-2022 (electronic waybills, in force 2023-02-01): of a name at least one character is hidden, of a
telephone number at least six digits, of an address the unit and the room. Where a text leaves doubt, more is hidden.
"""

from __future__ import annotations

import re

from postroad.guard.party import Party

__all__ = ["HIDDEN", "is_hidden_phone", "mask_address", "mask_name", "mask_party", "mask_phone"]

HIDDEN = "*"
HIDDEN_DIGITS = 6
HIDDEN_REST = HIDDEN * 3

_DIGITS = "0-9０-９"
_COUNTED = f"{_DIGITS}一二三四五六七八九十百零〇甲乙丙丁A-Za-z"
# What tells where within a building: all that follows it is hidden too.
_INSIDE = re.compile(
    rf"[{_COUNTED}][{_COUNTED}\-－#]*\s*(?:单元|單元|室|户(?!外)|戶|层|層|楼(?!道|盘|村|镇)|樓|房|号铺|铺|座|栋|棟|幢|号楼|號樓)"
    rf"|\b(?:apt|apartment|flat|unit|room|rm|suite|ste|floor|fl|bldg|building)\b\.?\s*[#{_DIGITS}A-Za-z]"
    rf"|#\s*[{_DIGITS}]|\bp\.?\s?o\.?\s+box\b",
    re.IGNORECASE,
)
_NUMBER_OF_STREET = re.compile(rf"[{_DIGITS}](?:[{_DIGITS}\-－之附]*)[号號](?![楼樓])")
_NUMBER = re.compile(rf"[{_DIGITS}]+")
_LISTED = re.compile(r"([/,;、，；|\n]+)")
_PREFIX = re.compile(r"^\s*(?:\+|00)\d{1,3}[\s-]*")


def mask_name(name: str) -> str:
    """A person's or a firm's name with all but its first character hidden.

    >>> mask_name("张三"), mask_name("欧阳娜娜"), mask_name("John Smith"), mask_name("王")
    ('张*', '欧***', 'J*** *****', '*')
    """
    name = name.strip()
    shown = 1 if len(name) > 1 else 0
    return name[:shown] + "".join(one if one.isspace() else HIDDEN for one in name[shown:])


def mask_phone(phone: str) -> str:
    """A telephone number with at least six digits hidden; of several in one text, each.

    Eleven digits keep their first three and last two; the sign and the code of a country before them are kept too. What
    has six digits or fewer is hidden whole.

    >>> mask_phone("13812345678"), mask_phone("+86 138 1234 5678"), mask_phone("010-6591")
    ('138******78', '+86 138 **** **78', '***-***1')
    """
    return "".join(_mask_one(part) if place % 2 == 0 else part for place, part in enumerate(_LISTED.split(phone)))


def is_hidden_phone(phone: str, shown: str) -> bool:
    """Whether a masked number hides at least six digits of the whole one, or all there are.

    >>> is_hidden_phone("13812345678", "138******78"), is_hidden_phone("13812345678", "138****5678")
    (True, False)
    """
    whole, left = (sum(one.isdigit() for one in text) for text in (phone, shown))
    return whole - left >= min(HIDDEN_DIGITS, whole)


def mask_address(address: str) -> str:
    """An address without what tells the unit and the room: street and number stay.

    All after the number of the house in the street is hidden; without one, all from the first word that tells a
    building, a unit, a floor or a room, or from the first digit where that leaves doubt.

    >>> mask_address("朝阳区建国路88号3单元1201室"), mask_address("幸福小区5栋2单元301")
    ('朝阳区建国路88号***', '幸福小区***')
    >>> mask_address("12 High Street, Flat 4B"), mask_address("赤水市大同镇民族村")
    ('12 High Street, ***', '赤水市大同镇民族村')
    """
    address = address.strip()
    cut = _find_cut(address)
    return address[:cut] + (HIDDEN_REST if cut < len(address) else "")


def _find_cut(address: str) -> int:
    """How many characters of an address may be shown."""
    inside, house = _INSIDE.search(address), _NUMBER_OF_STREET.search(address)
    first = len(address) if inside is None else inside.start()
    if house and house.start() <= first:
        return house.end()
    numbers = list(_NUMBER.finditer(address, 0, first))
    if numbers and (inside is None or len(numbers) > 1):
        return numbers[0].start()
    return first


def mask_party(party: Party) -> Party:
    """A party of whom nothing is shown but what may be."""
    return Party(
        name=party.name and mask_name(party.name),
        phone=party.phone and mask_phone(party.phone),
        address=party.address and mask_address(party.address),
    )


def _mask_one(phone: str) -> str:
    """One number: its separators stay where they are."""
    prefix = _PREFIX.match(phone)
    begin = prefix.end() if prefix else 0
    places = [place for place in range(begin, len(phone)) if phone[place].isdigit()]
    n_shown = max(len(places) - HIDDEN_DIGITS, 0)
    n_last = min(2, n_shown // 2) if n_shown > 1 else n_shown
    n_first = min(3, n_shown - n_last)
    hidden = set(places[n_first : len(places) - n_last] if n_last else places[n_first:])
    return "".join(HIDDEN if place in hidden else one for place, one in enumerate(phone))
