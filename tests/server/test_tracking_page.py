"""The tracking page in a real browser: a number is searched, its journey shown on a line and on a map."""

import json
import os
import re
import shutil
import subprocess
from html import unescape
from urllib.parse import urlencode

import pytest

from kit.ledger import ITEM, NOW, make_frame, make_life
from kit.service import ADDRESSEE, SHIPPER, keyed, running, serving
from postroad.guard.grants import Grant
from postroad.ledger.tracking import Name
from postroad.report.journeymap import draw_journey_svg
from postroad.service.desk import Desk, Names

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NAMES = Names(
    {
        "HGH": Name("HGH", "Hangzhou hub", "杭州分拨中心", "Hangzhou", "杭州"),
        "URC": Name("URC", "Urumqi hub", "乌鲁木齐分拨中心", "Urumqi", "乌鲁木齐"),
    },
    {},
    {"HGH": (120.2, 30.3), "URC": (87.6, 43.8)},
)


def test_the_map_of_an_item(tmp_path):
    with serving(tmp_path / "service", desk={"names": NAMES}) as (client, desk):
        desk.ledger.append(make_frame(*make_life(), *make_life("ZB000000015CN", 50)[:1]), now=NOW)
        operator = keyed(desk, "operator")
        drawn = client.get(f"/items/{ITEM}/map.svg", params={"lang": "zh"}, headers=operator)
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert drawn.text.count("<circle") == 2
        assert drawn.text.index("杭州") < drawn.text.index("乌鲁木齐")
        assert client.get(f"/items/{ITEM}/map.svg").status_code == 401
        desk.names = Names({}, {})
        assert client.get(f"/items/{ITEM}/map.svg", headers=operator).json()["code"] == "PR-H119"


def test_names_on_a_map_are_text():
    drawn = draw_journey_svg([("<script>", 120.0, 30.0), ("London", -0.1, 51.5)], "<b>")
    assert "<script>" not in drawn
    assert "<b>" not in drawn


def test_the_page_loads_nothing_from_elsewhere(tmp_path):
    with serving(tmp_path / "service") as (client, _):
        page = client.get("/")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "//" not in re.sub(r"<!doctype.*?>", "", page.text)
        assert client.get("/page/track.js").status_code == client.get("/page/track.css").status_code == 200
        assert client.get("/page/other").status_code == 404


def look(url, *, language="en"):
    """The page as Chromium leaves it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        assert "POSTROAD_ENGINES" not in os.environ, "Chromium is missing"
        pytest.skip("needs Chromium")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", f"--lang={language}"]
    done = subprocess.run(
        [browser, *flags, f"--accept-lang={language}", "--dump-dom", url], capture_output=True, text=True, timeout=120
    )
    return unescape(done.stdout)


def test_a_number_is_searched_in_a_browser(tmp_path):
    folder = tmp_path / "service"
    with Desk(folder, timezone="Asia/Shanghai") as desk:
        shipper, addressee = desk.vault.seal([SHIPPER, ADDRESSEE])
        life = make_life()
        life[0]["related"] = [{"role": "shipper", "id": shipper}, {"role": "addressee", "id": addressee}]
        desk.ledger.append(make_frame(*life), now=NOW)
        key = desk.keys.make(Grant(role="addressee", party_ids={addressee}))
    with running(folder, "--timezone", "Asia/Shanghai", "--feed", "tiny", "--quiet") as (client, _):
        link = f"{client.base_url}/#" + urlencode({"number": ITEM, "key": key})
        page = look(link)
        assert re.search(r'<p id="state">Delivered</p>', page), page[:3000]
        assert "2025-11-13" in page
        assert "138******78" in page
        assert SHIPPER.phone not in page
        steps = re.findall(r"<li.*?</li>", page, re.S)
        assert len(steps) == 10
        assert "Delivered" in steps[0]
        missing = look(f"{client.base_url}/#" + urlencode({"number": "NOTHING", "key": key}))
        assert "PR-L301" in missing
        stranger = look(f"{client.base_url}/#" + urlencode({"number": ITEM, "key": "pr_x"}))
        assert "PR-K121" in stranger
        assert "Delivered" not in json.dumps(re.findall(r'<p id="state">.*?</p>', stranger))
