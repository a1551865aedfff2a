"""Status tables: what a code of another platform means among our kinds.

A platform's status often says less than an event: "in transit" may be a dozen scans. Such a code is known, and its kind
is ``unknown`` all the same; nothing is guessed. A code that is not in the table at all is unknown too, with a finding.

**Source** each row names its own; ``emsevt`` is made from the closed list of kinds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import polars as pl

from postroad.core.errors import InputError, NotFound
from postroad.core.findings import Findings
from postroad.events.kinds import UNKNOWN, kinds

__all__ = ["MARKS", "Status", "StatusTable", "platforms", "read_statuses", "status_table", "translate_statuses"]

MARKS = ("sourced", "unverified")
HEADER = ("code", "kind", "reason", "meaning", "mark", "source")
EMSEVT = "emsevt"


@dataclass(frozen=True, slots=True)
class Status:
    """One code of a platform.

    Attributes
    ----------
    code: as the platform writes it.
    kind: a kind of the closed list; ``unknown`` when the code does not say which event it was.
    reason: reason to give an event whose kind asks for one; empty otherwise.
    meaning: what the code says, in a few words.
    mark, source: ``sourced`` or ``unverified``, and where the row comes from.
    """

    code: str
    kind: str
    reason: str
    meaning: str
    mark: str
    source: str


@dataclass(frozen=True, slots=True)
class StatusTable:
    """The codes of one platform, by code in lower case."""

    platform: str
    name: str
    statuses: Mapping[str, Status]

    def find(self, code: str) -> Status | None:
        """The status of a code, written in capitals or not, with spaces around it or not; None when it has none."""
        return self.statuses.get(_plain(code))

    @property
    def kind_by_code(self) -> dict[str, str]:
        """Kinds by code as the platform writes it."""
        return {status.code: status.kind for status in self.statuses.values()}


@cache
def platforms() -> tuple[str, ...]:
    """Names of the platforms whose codes are shipped.

    >>> platforms()
    ('emsevt', 'karrio', 'aftership', 'trackingmore', 'kuaidi100')
    """
    return (EMSEVT, *(row["platform"] for row in _shipped()))


@cache
def status_table(platform: str) -> StatusTable:
    """The shipped codes of a platform.

    Raises
    ------
    NotFound: PR-E340 when none are shipped for it.

    >>> status_table("karrio").find("Out_For_Delivery").kind
    'out_for_delivery'
    """
    if platform == EMSEVT:
        source = "UPU EMSEVT V3 (M40); mapping ours"
        rows = [Status(kind.emsevt, kind.kind, "", kind.text_en, "sourced", source) for kind in kinds().values()]
        return StatusTable(EMSEVT, "UPU EMSEVT", {_plain(row.code): row for row in rows if row.code})
    entry = next((row for row in _shipped() if row["platform"] == platform), None)
    if entry is None:
        raise NotFound("PR-E340", value=platform, known=", ".join(platforms()))
    text = _folder().joinpath(entry["table"]).read_text(encoding="utf-8")
    return _read_table(text, platform, entry["name"], entry["table"])


def read_statuses(path: Path | str, platform: str = "") -> StatusTable:
    """Read a table of your own: CSV with the columns code and kind, and reason, meaning, mark and source if you like.

    Parameters
    ----------
    path: the file, UTF-8.
    platform: its name; the file's when left out.

    Raises
    ------
    InputError: PR-E341 for a column that is missing or unknown, a kind that is not in the closed list, a mark that is
        none, or a code that comes twice.
    """
    path = Path(path)
    name = platform or path.stem
    return _read_table(path.read_text(encoding="utf-8-sig"), name, name, path.name)


def translate_statuses(codes: pl.Series, table: StatusTable) -> tuple[pl.DataFrame, Findings]:
    """Translate a column of a platform's codes.

    Parameters
    ----------
    codes: text (n,).
    table: as :func:`status_table` or :func:`read_statuses` gives it.

    Returns
    -------
    Frame of n rows: ``kind`` (never null) and ``reason`` (null where there is none); and findings, both warnings, one
    a different code with its count: PR-E342 a code that is not in the table, PR-E343 a code that is, and does not say
    which event it was.

    >>> translate_statuses(pl.Series(["delivered", "??"]), status_table("karrio"))[0]["kind"].to_list()
    ['delivered', 'unknown']
    """
    findings = Findings()
    plain = codes.cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase().alias("plain")
    frame = pl.DataFrame([plain, codes.cast(pl.String).alias("code")])
    kind_by_code = {code: status.kind for code, status in table.statuses.items()}
    reason_by_code = {code: status.reason for code, status in table.statuses.items() if status.reason}
    frame = frame.with_columns(
        pl.col("plain").replace_strict(kind_by_code, default=UNKNOWN, return_dtype=pl.String).alias("kind"),
        pl.col("plain").replace_strict(reason_by_code, default=None, return_dtype=pl.String).alias("reason"),
    )
    vague = frame.filter(pl.col("kind") == UNKNOWN).group_by("plain", maintain_order=True)
    for row in vague.agg(pl.len().alias("n_rows"), pl.col("code").first()).iter_rows(named=True):
        status = table.statuses.get(row["plain"])
        place = {"table": table.platform, "column": "code", "value": row["code"] or ""}
        if status is None:
            findings.add("PR-E342", **place, n_rows=row["n_rows"])
        else:
            findings.add("PR-E343", **place, n_rows=row["n_rows"], meaning=status.meaning)
    return frame.select("kind", "reason"), findings


def _read_table(text: str, platform: str, name: str, file: str) -> StatusTable:
    """Read the text of a table."""
    reader = csv.DictReader(io.StringIO(text))
    header = reader.fieldnames or []
    for column in header:
        if column not in HEADER:
            raise InputError("PR-E341", at=f"{file} row 1", value=column, expected=", ".join(HEADER))
    for column in HEADER[:2]:
        if column not in header:
            raise InputError("PR-E341", at=f"{file} row 1", value=", ".join(header), expected=column)
    statuses: dict[str, Status] = {}
    for row in reader:
        at = f"{file} row {reader.line_num}"
        cells = {column: (row.get(column) or "").strip() for column in HEADER}
        cells["mark"] = cells["mark"] or "unverified"
        if cells["kind"] not in kinds():
            raise InputError("PR-E341", at=at, value=cells["kind"], expected="a kind of the closed list")
        if cells["mark"] not in MARKS:
            raise InputError("PR-E341", at=at, value=cells["mark"], expected=", ".join(MARKS))
        if not cells["code"] or _plain(cells["code"]) in statuses:
            raise InputError("PR-E341", at=at, value=cells["code"], expected="a code that comes once")
        statuses[_plain(cells["code"])] = Status(**cells)
    return StatusTable(platform, name, statuses)


def _plain(code: str) -> str:
    """A code as it is looked up."""
    return code.strip().lower()


def _folder():
    return files("postroad.exchange.statuses")


def _shipped() -> list[dict[str, str]]:
    """The shipped platforms."""
    with _folder().joinpath("platforms.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
