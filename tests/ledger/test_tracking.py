"""Tracking from a number alone, and the page it prints."""

import json
import os
from datetime import timedelta

import polars as pl
import pytest

from kit.ledger import ITEM, NOW, START, make_event, make_frame, make_id, make_life
from postroad.core.errors import InputError, NotFound
from postroad.ledger.screen import write_screen
from postroad.ledger.store import Ledger
from postroad.ledger.tracking import find_ledger, newest_run, track

PLACES = pl.DataFrame(
    {
        "facility_id": ["HGH", "URC"],
        "name": ["杭州分拨中心", "天山营业部"],
        "name_en": ["Hangzhou sorting centre", "Tianshan outlet"],
        "city": ["杭州", "乌鲁木齐市"],
        "city_en": ["Hangzhou", "Urumqi"],
    }
)
PRODUCTS = pl.DataFrame({"product_id": ["express"], "name": ["特快"], "name_en": ["Express"]})
RECORD = {
    "item_id": ITEM,
    "product_id": "express",
    "origin_id": "HGH",
    "destination_id": "URC",
    "accepted_at": START + timedelta(minutes=30),
    "promise_at": START + timedelta(days=3),
    "label": "simulated",
}


def make_run(folder, rows, record=RECORD):
    with Ledger.create(folder / "ledger", timezone="Asia/Shanghai") as ledger:
        ledger.append(make_frame(*rows), now=NOW)
        if record:
            ledger.append_items(pl.DataFrame([record], schema_overrides={"promise_at": pl.Datetime("us", "UTC")}))
    return folder


def screen(run, language, **rest):
    return write_screen(track(run, ITEM, places=PLACES, products=PRODUCTS, **rest), language)


ENGLISH = """\
ZA000000015CN  Delivered
Express · Hangzhou sorting centre → Tianshan outlet, Urumqi
Accepted     Tue 2025-11-11 09:30
Promised by  Fri 2025-11-14 09:00
Delivered    Thu 2025-11-13 16:00   17 h 00 min before the promise

Thu 2025-11-13
  16:00  ●  Delivered                         Tianshan outlet, Urumqi
  15:00  ○  Out for delivery                  Tianshan outlet, Urumqi

Wed 2025-11-12
  16:40  ○  Delivery attempt failed (absent)  Tianshan outlet, Urumqi
  15:00  ○  Out for delivery                  Tianshan outlet, Urumqi
  11:00  ○  Sorted                            Tianshan outlet, Urumqi
  10:00  ○  Arrived                           Tianshan outlet, Urumqi

Tue 2025-11-11
  11:30  ○  Departed for Tianshan outlet      Hangzhou sorting centre
  10:30  ○  Sorted                            Hangzhou sorting centre
  10:00  ○  Security screening passed         Hangzhou sorting centre
  09:30  ○  Accepted                          Hangzhou sorting centre

Local times, Asia/Shanghai.
"""

CHINESE = """\
ZA000000015CN  已签收
特快 · 杭州分拨中心 → 【乌鲁木齐市】天山营业部
收寄      2025-11-11 周二 09:30
承诺送达  2025-11-14 周五 09:00
已签收    2025-11-13 周四 16:00   比承诺提前 17 小时 00 分

2025-11-13 周四
  16:00  ●  已签收                【乌鲁木齐市】天山营业部
  15:00  ○  正在派件              【乌鲁木齐市】天山营业部

2025-11-12 周三
  16:40  ○  投递未成功（absent）  【乌鲁木齐市】天山营业部
  15:00  ○  正在派件              【乌鲁木齐市】天山营业部
  11:00  ○  已分拣                【乌鲁木齐市】天山营业部
  10:00  ○  已到达                【乌鲁木齐市】天山营业部

2025-11-11 周二
  11:30  ○  已发往天山营业部      杭州分拨中心
  10:30  ○  已分拣                杭州分拨中心
  10:00  ○  已通过安检            杭州分拨中心
  09:30  ○  已收寄                杭州分拨中心

当地时间，Asia/Shanghai。
"""


@pytest.mark.parametrize(("language", "expected"), [("en", ENGLISH), ("zh", CHINESE)])
def test_the_page(tmp_path, language, expected):
    assert screen(make_run(tmp_path, make_life()), language) == expected


MENDED = """\
ZA000000015CN  In transit
Express · Hangzhou sorting centre → Tianshan outlet, Urumqi
Accepted     Tue 2025-11-11 09:30
Promised by  Fri 2025-11-14 09:00

Tue 2025-11-11
  11:40  x  Arrived                    Tianshan outlet, Urumqi
  11:30  ●  Departed                   Hangzhou sorting centre
  11:00  !  Accepted                   Hangzhou sorting centre
  10:30  ○  Sorted                     Hangzhou sorting centre
  10:00  ○  Security screening passed  Hangzhou sorting centre
  09:30  ○  Accepted                   Hangzhou sorting centre

Local times, Asia/Shanghai.
x  declared void by a correction.
!  cannot have happened after what came before.
Simulated run: the times are modelled, to the minute.
PR-L304  'accepted' at 2025-11-11T03:00+00:00 comes after a later stage of the journey was seen ('screened').
"""


def test_the_page_of_a_history_that_was_mended(tmp_path):
    rows = [row | {"label": "simulated"} for row in make_life()[:4]]
    odd = make_event(50, "accepted", 120)
    void = [make_event(60, "arrived", 160, "URC"), make_event(61, "correction", 170, None, follows=make_id(60))]
    assert screen(make_run(tmp_path, [*rows, odd, *void]), "en") == MENDED


def test_late_delivery_is_told(tmp_path):
    run = make_run(tmp_path, make_life(), RECORD | {"promise_at": START + timedelta(days=2)})
    assert track(run, ITEM).is_promise_kept is False
    assert "7 h 00 min after the promise" in screen(run, "en")
    assert "比承诺晚 7 小时 00 分" in screen(run, "zh")


def test_without_names_ids_are_shown_and_without_a_record_no_promise(tmp_path):
    found = track(make_run(tmp_path, make_life(), None), ITEM)
    assert (found.promise_at, found.is_promise_kept, found.origin, found.product) == (None, None, None, None)
    assert found.steps[0].place.text("en") == found.steps[0].place.text("zh") == "HGH"
    assert "●  Delivered" in write_screen(found)


def test_a_number_may_be_written_with_spaces_and_small_letters(tmp_path):
    run = make_run(tmp_path, make_life())
    assert track(run, "za 000 000 015 cn").item_id == ITEM


def test_another_time_zone(tmp_path):
    run = make_run(tmp_path, make_life())
    assert "Thu 2025-11-13 08:00" in screen(run, "en", timezone="UTC")
    with pytest.raises(InputError) as caught:
        track(run, ITEM, timezone="Mars/Olympus")
    assert caught.value.code == "PR-C022"


def test_an_item_that_is_not_there(tmp_path):
    with pytest.raises(NotFound) as caught:
        track(make_run(tmp_path, make_life()), "ZA999999999CN")
    assert caught.value.code == "PR-L301"
    assert "ZA999999999CN" in caught.value.message("zh")


def test_a_number_that_was_used_again_shows_its_newest_promise(tmp_path):
    run = make_run(tmp_path, make_life())
    later = RECORD | {"accepted_at": START + timedelta(days=400), "promise_at": START + timedelta(days=403)}
    with Ledger(run / "ledger") as ledger:
        ledger.append_items(pl.DataFrame([later]))
    assert track(run, ITEM).promise_at == START + timedelta(days=403)


def test_the_record_is_json(tmp_path):
    record = json.loads(json.dumps(track(make_run(tmp_path, make_life()), ITEM, places=PLACES).record()))
    assert record["state"] == "delivered"
    assert record["delivered_at"] == "2025-11-13T16:00:00+08:00"
    assert record["steps"][3]["text_zh"] == "已发往天山营业部"
    assert record["steps"][3]["place"]["city_en"] == "Hangzhou"


def test_a_ledger_is_found_in_its_folder_and_in_its_run(tmp_path):
    run = make_run(tmp_path, make_life())
    assert find_ledger(run) == find_ledger(run / "ledger") == run / "ledger"
    with pytest.raises(NotFound) as caught:
        find_ledger(tmp_path / "elsewhere")
    assert caught.value.code == "PR-L201"


def test_the_newest_run_is_found(tmp_path):
    for number, name in enumerate(["first", "third", "second"]):
        make_run(tmp_path / name, make_life())
        manifest = tmp_path / name / "ledger" / "manifest.json"
        os.utime(manifest, (1_700_000_000 + number % 2, 1_700_000_000 + number % 2))
    assert newest_run(tmp_path) == tmp_path / "third"
    with pytest.raises(NotFound) as caught:
        newest_run(tmp_path / "first")
    assert caught.value.code == "PR-L302"
