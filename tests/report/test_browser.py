"""The pages in a real browser: no error, every chart drawn, tables and switches that work. Needs Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import polars as pl
import pytest

from kit.report_data import compare_data, report_data, sweep_data
from postroad.report.run import render_comparison, render_report, render_sweep

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=4000",
    "--window-size=1360,1000",
)  # fmt: skip

PROBE = """<script>
addEventListener("load", () => setTimeout(() => {
  const answer = {};
  const hosts = [...document.querySelectorAll("[data-chart]")];
  const inked = (host) => {
    const canvas = host.querySelector("canvas");
    if (!canvas) return host.querySelectorAll("svg path, svg rect, svg line").length > 2;
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let k = 0; k < data.length; k += 401 * 4) seen.add(data[k] + "," + data[k + 1] + "," + data[k + 2]);
    return seen.size > 3;
  };
  const isDrawn = (host) => host.dataset.drawn === "true" && inked(host);
  answer.charts = Object.fromEntries(hosts.map((host) => [host.dataset.chart, isDrawn(host)]));
  answer.wide = document.documentElement.scrollWidth > innerWidth;
  answer.shown = getComputedStyle(document.querySelector("h1 span[lang=en]")).display;
  document.querySelector("[data-set-lang=en]").click();
  answer.after = getComputedStyle(document.querySelector("h1 span[lang=en]")).display;
  answer.title = document.title;
  const texts = [...document.querySelectorAll("svg text")].map((node) => node.textContent);
  answer.texts = texts.filter((text) => /[\\u4e00-\\u9fff]/.test(text));
  answer.extra = window.probe ? window.probe() : null;
  document.body.dataset.answer = JSON.stringify(answer);
}, 500));
</script>"""

RUN_PROBE = """<script>
window.probe = () => {
  const found = {};
  const table = document.querySelector("table[data-table=destinations]");
  const shown = () => [...table.tBodies[0].rows].filter((row) => row.offsetParent !== null);
  const first = () => shown()[0].cells[0].innerText.trim();
  found.rows = shown().length;
  const head = [...table.tHead.rows[0].cells].findIndex((cell) => cell.innerText.includes("mean hours"));
  const sorter = table.tHead.rows[0].cells[head].querySelector(".sort");
  sorter.click();
  found.slowest = first();
  sorter.click();
  found.fastest = first();
  found.order = table.tHead.rows[0].cells[head].getAttribute("aria-sort");
  const filter = document.querySelector("[data-filter=destinations]");
  filter.value = "guangzhou";
  filter.dispatchEvent(new Event("input"));
  found.filtered = shown().map((row) => row.cells[0].innerText.trim());
  filter.value = "";
  filter.dispatchEvent(new Event("input"));
  document.querySelector("[data-more=destinations]").click();
  found.all = shown().length;
  found.csv = PR.csvOf("centres").split("\\r\\n").slice(0, 2);
  URL.createObjectURL = (blob) => { found.saved = [blob.type, blob.size > 100]; return "blob:none"; };
  HTMLAnchorElement.prototype.click = function () { found.file = this.download; };
  document.querySelector("[data-csv=centres]").click();
  document.querySelectorAll("#chart-map .segmented button")[1].click();
  found.clock = document.querySelector("#chart-map output").textContent;
  document.querySelector(".map-rank button").click();
  found.chosen = document.querySelector("#chart-centre_explorer select").selectedOptions[0].textContent;
  document.getElementById("theme").click();
  found.theme = document.documentElement.dataset.theme;
  return found;
};
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        assert "POSTROAD_ENGINES" not in os.environ, "the machine should have Chromium"
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    return found


def visit(browser: str, folder: Path, html: str, query: str, extra: str = "") -> dict:
    """Open a page, run the probe in it, and give its answer; the console must stay silent."""
    page = folder / "page.html"
    page.write_text(html.replace("</body>", f"{extra}{PROBE}</body>"), encoding="utf-8")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", f"file://{page}?{query}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    answer = re.search(r'data-answer="(.*?)"', done.stdout)
    assert answer, done.stderr[-2000:]
    return json.loads(unescape(answer[1]))


def test_a_report_works_in_a_browser(browser, tmp_path):
    answer = visit(browser, tmp_path, render_report(report_data()), "lang=zh&theme=light", RUN_PROBE)
    assert [name for name, is_drawn in answer["charts"].items() if not is_drawn] == []
    assert len(answer["charts"]) >= 15
    assert not answer["wide"]
    assert (answer["shown"], answer["after"]) == ("none", "inline")
    assert answer["title"] == "The national peak day"
    assert answer["texts"] == []
    found = answer["extra"]
    assert found["rows"] == 12
    assert found["all"] == 372
    assert found["filtered"] == ["Guangzhou"]
    ordered = report_data().places.sort("total_h")
    assert found["fastest"] == ordered["name_en"][0]
    assert found["slowest"] == ordered["name_en"][-1]
    assert found["order"] == "ascending"
    assert found["csv"][0].startswith("\ufeffcentre,kind,sorted items [modelled]")
    assert found["csv"][1].startswith("Guangzhou,hub,")
    # What the head calls per cent is written as per cent.
    place = found["csv"][0].split(",").index("use % [modelled]")
    use = report_data().facilities.filter(pl.col("name_en") == "Guangzhou", pl.col("kind") == "hub")["use_share"][0]
    assert float(found["csv"][1].split(",")[place]) == pytest.approx(use * 100)
    assert (found["file"], found["saved"]) == ("centres.csv", ["text/csv", True])
    assert re.fullmatch(r"\d+ Nov \d\d:00", found["clock"])
    assert found["chosen"] == "Guangzhou"
    assert found["theme"] == "dark"


@pytest.mark.parametrize("make", [lambda: render_comparison(compare_data()), lambda: render_sweep(sweep_data())])
def test_comparisons_and_sweeps_work_in_a_browser(browser, tmp_path, make):
    answer = visit(browser, tmp_path, make(), "lang=zh&theme=dark")
    assert [name for name, is_drawn in answer["charts"].items() if not is_drawn] == []
    assert not answer["wide"]
    assert answer["texts"] == []
