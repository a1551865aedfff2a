"""EMSEVT V3 events as plain records: from our events and back.

A record has the content of one EMSEVT event, as CSV columns or as members of a JSON object:

| column | content |
| --- | --- |
| `item_id` | S10 identifier of the item |
| `event` | EMSEVT code, such as EMD |
| `event_at` | local instant with its offset, ISO 8601 |
| `office` | IMPC code of the office |
| `next_office` | IMPC code of the next office |
| `reason` | reason code of the sender's list, as sent |
| `action` | action taken (EMH), as sent |
| `signed` | 1 when a signature was taken, 0 when not, empty when not said; never the signatory's name |
| `despatch_id`, `receptacle_id` | UPU S8 and S9 identifiers |
| `sent_at` | when the record was made, ISO 8601; `event_at` when empty |
| `event_id` | identity of the event, 32 hexadecimal digits; made from the content when empty |

**Assumes** this is not the message that posts send one another: the EDIFACT and XML layouts of M40 are not public, and
nothing here pretends to be them. Reason and action codes are carried, not interpreted, for the same reason.

**Source** UPU EMSEVT V3 (M40): codes and their meanings; the mapping to kinds is ours (``events/kinds.csv``).
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.errors import InputError
from postroad.core.findings import MAX_PER_CODE, Findings
from postroad.core.s10 import check_s10
from postroad.events.columns import empty_frame
from postroad.events.kinds import UNKNOWN, kinds
from postroad.exchange.rowids import digest_rows
from postroad.exchange.upu.offices import check_office
from postroad.exchange.waybills import is_s10

__all__ = [
    "COLUMNS",
    "events_from_records",
    "format_csv",
    "format_json",
    "parse_csv",
    "parse_json",
    "records_of_events",
]

COLUMNS = (
    "item_id",
    "event",
    "event_at",
    "office",
    "next_office",
    "reason",
    "action",
    "signed",
    "despatch_id",
    "receptacle_id",
    "sent_at",
    "event_id",
)
REQUIRED = ("item_id", "event", "event_at")
TABLE = "emsevt"
FORMAT = "postroad-emsevt"
VERSION = 1
RELATED = {"to": "next_office", "despatch": "despatch_id", "receptacle": "receptacle_id"}
INSTANTS = ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z")
OFFSET = r"([+-][0-9]{2}):?([0-9]{2})$"
PAYLOAD = pl.Struct({"standard": pl.String, "action": pl.String, "signed": pl.Boolean, "offset_min": pl.Int64})


@cache
def _kind_by_code() -> Mapping[str, str]:
    """Our kinds by EMSEVT code."""
    return {kind.emsevt: kind.kind for kind in kinds().values() if kind.emsevt}


def records_of_events(
    events: pl.DataFrame, *, offices: Mapping[str, str] | None = None, timezone: str = "UTC"
) -> tuple[pl.DataFrame, Findings]:
    """Write events as EMSEVT records.

    Parameters
    ----------
    events: frame of events of items, columns as declared for ``events``.
    offices: IMPC codes by facility; a facility that is not named here is written as it is.
    timezone: IANA name of the zone in which instants are written whose local offset the event does not say.

    Returns
    -------
    Frame of text, columns COLUMNS, one row an event that EMSEVT has a code for; and findings: PR-E312 a kind without a
    code (left out, warning), PR-C010, PR-C012 and PR-E301 of offices. An event of kind ``unknown`` that came from
    EMSEVT goes out under its own code again.

    Raises
    ------
    InputError: PR-C022 for an unknown time zone.
    """
    zone = time_zone(timezone).key
    findings = Findings()
    frame = _with_all(events)
    payload = pl.col("payload").str.json_decode(PAYLOAD)
    frame = frame.with_row_index("__row", offset=2).with_columns(
        pl.col("kind").cast(pl.String), payload.alias("__payload")
    )
    codes = {kind: code for code, kind in _kind_by_code().items()}
    came = pl.col("__payload").struct.field("standard").eq_missing("EMSEVT")
    sent = pl.when(came & (pl.col("kind") == UNKNOWN)).then(pl.col("raw").struct.field("code"))
    frame = frame.with_columns(
        pl.coalesce(pl.col("kind").replace_strict(codes, default=None, return_dtype=pl.String), sent).alias("event")
    )
    left = frame.filter(pl.col("event").is_null())
    for row in left.head(MAX_PER_CODE).iter_rows(named=True):
        findings.add("PR-E312", table="events", row=row["__row"], column="kind", value=row["kind"])
    findings.count("PR-E312", left.height - MAX_PER_CODE)
    records = frame.filter(pl.col("event").is_not_null()).select("__row", *_record_columns(offices or {}, zone))
    for name in ("office", "next_office"):
        _look_at(records, name, check_office, findings)
    return records.select(COLUMNS), findings


def events_from_records(
    records: pl.DataFrame, *, facilities: Mapping[str, str] | None = None, label: str = "measured"
) -> tuple[pl.DataFrame, Findings]:
    """Read EMSEVT records as events.

    Parameters
    ----------
    records: frame of text with the columns of COLUMNS; all but ``item_id``, ``event`` and ``event_at`` may be left out.
    facilities: our facility by IMPC code; an office that is not named here keeps its code as ``facility_id``.
    label: what the events are.

    Returns
    -------
    Frame of events, and findings: PR-E310 an unknown code (the kind becomes ``unknown``, the code stays in ``raw``),
    PR-E311 a record that cannot be read (left out), PR-E318 a column that is none of a record (left out), PR-C010..
    PR-C012 of items and offices and PR-E301 of offices (kept). Rows count from 2.

    >>> records = pl.DataFrame({"item_id": ["RB123456785GB"], "event": ["EMD"], "event_at": ["2025-11-11T09:30+08:00"]})
    >>> events_from_records(records)[0]["kind"].to_list()
    ['arrived_inward_office']
    """
    findings = Findings()
    frame = _read_cells(records, findings)
    if frame.height == 0:
        return empty_frame("events"), findings
    is_bad = pl.any_horizontal(pl.col("__at").is_null(), *(pl.col(name).is_null() for name in REQUIRED))
    refused = frame.filter(is_bad)
    for row in refused.head(MAX_PER_CODE).iter_rows(named=True):
        column = next((name for name in REQUIRED if row[name] is None), "event_at")
        findings.add("PR-E311", table=TABLE, row=row["__row"], column=column, value=row[column] or "")
    findings.count("PR-E311", refused.height - MAX_PER_CODE)
    frame = frame.filter(~is_bad)
    if frame.height == 0:
        return empty_frame("events"), findings
    known = pl.col("event").is_in(list(_kind_by_code()))
    foreign = frame.filter(~known)
    for row in foreign.head(MAX_PER_CODE).iter_rows(named=True):
        findings.add("PR-E310", table=TABLE, row=row["__row"], column="event", value=row["event"])
    findings.count("PR-E310", foreign.height - MAX_PER_CODE)
    _look_at(frame.filter(~is_s10(frame["item_id"])), "item_id", check_s10, findings)
    for name in ("office", "next_office"):
        _look_at(frame, name, check_office, findings)
    return _events_of(frame, facilities or {}, label), findings


def format_csv(records: pl.DataFrame) -> str:
    """Write records as CSV text with a header row."""
    return records.select(COLUMNS).write_csv()


def parse_csv(text: str) -> pl.DataFrame:
    """Read records from CSV text with a header row; every cell as text, an empty cell as null.

    Raises
    ------
    InputError: PR-E319 when the text is no CSV table.
    """
    try:
        return pl.read_csv(io.StringIO(text), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InputError("PR-E319", form="CSV", value=str(error).splitlines()[0][:80]) from error


def format_json(records: pl.DataFrame) -> str:
    """Write records as JSON: ``{"format": "postroad-emsevt", "version": 1, "records": [{...}, ...]}``.

    Empty members are left out of a record.
    """
    rows = ({name: value for name, value in row.items() if value} for row in records.iter_rows(named=True))
    return json.dumps({"format": FORMAT, "version": VERSION, "records": list(rows)}, ensure_ascii=False, indent=1)


def parse_json(text: str) -> pl.DataFrame:
    """Read records from the JSON that :func:`format_json` writes.

    Raises
    ------
    InputError: PR-E319 when the text is not such JSON, or of another version.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError("PR-E319", form="JSON", value=str(error)) from error
    is_ours = isinstance(document, dict) and (document.get("format"), document.get("version")) == (FORMAT, VERSION)
    rows = document.get("records") if is_ours else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("PR-E319", form=f"{FORMAT} {VERSION}", value=text[:60])
    names = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
    cells = {name: [_cell(row.get(name)) for row in rows] for name in names}
    return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String))


def _cell(value: object) -> str | None:
    """A JSON value as the cell of a record."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, bool) else value, ensure_ascii=False)


def _with_all(events: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of events, those that it lacks null."""
    wanted = empty_frame("events").schema
    return events.select(
        pl.col(name) if name in events.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in wanted.items()
    )


def _record_columns(offices: Mapping[str, str], zone: str) -> list[pl.Expr]:
    """The columns of records, from events with ``event`` and ``__payload``."""
    payload = pl.col("__payload").struct
    utc = pl.col("occurred_at").dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    local = pl.col("occurred_at").dt.convert_time_zone(zone)
    zone_min = (local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_minutes()
    offset_min = pl.coalesce(payload.field("offset_min"), zone_min).cast(pl.Int64)
    related = {name: _related_id(role) for role, name in RELATED.items()}
    return [
        pl.col("item_id"),
        pl.col("event"),
        pl.concat_str(
            (utc + pl.duration(minutes=offset_min)).dt.strftime("%Y-%m-%dT%H:%M:%S%.f"), _offset(offset_min)
        ).alias("event_at"),
        pl.col("facility_id").replace(offices).alias("office") if offices else pl.col("facility_id").alias("office"),
        (related["next_office"].replace(offices) if offices else related["next_office"]).alias("next_office"),
        pl.col("reason"),
        payload.field("action").alias("action"),
        payload.field("signed").cast(pl.Int8).cast(pl.String).alias("signed"),
        related["despatch_id"].alias("despatch_id"),
        related["receptacle_id"].alias("receptacle_id"),
        pl.col("recorded_at").dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00").alias("sent_at"),
        pl.col("event_id").bin.encode("hex").alias("event_id"),
    ]


def _offset(minutes: pl.Expr) -> pl.Expr:
    """An offset in minutes as ``+08:00``."""
    size = minutes.abs()
    sign = pl.when(minutes < 0).then(pl.lit("-")).otherwise(pl.lit("+"))
    hours, rest = (size // 60).cast(pl.String).str.zfill(2), (size % 60).cast(pl.String).str.zfill(2)
    return pl.concat_str(sign, hours, pl.lit(":"), rest)


def _related_id(role: str) -> pl.Expr:
    """The id of the first related thing of a role."""
    of_role = pl.col("related").list.filter(pl.element().struct.field("role") == role)
    return of_role.list.first().struct.field("id")


def _read_cells(records: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Records with all columns, trimmed, their rows numbered and their instants read."""
    for name in records.columns:
        if name not in COLUMNS:
            findings.add("PR-E318", table=TABLE, column=name, known=", ".join(COLUMNS))
    cells = [
        (pl.col(name).cast(pl.String) if name in records.columns else pl.lit(None, dtype=pl.String)).alias(name)
        for name in COLUMNS
    ]
    frame = records.with_row_index("__row", offset=2).select("__row", *cells)
    trimmed = pl.col(COLUMNS).str.strip_chars()
    frame = frame.with_columns(pl.when(trimmed != "").then(trimmed))
    frame = frame.with_columns(pl.col("event").str.to_uppercase(), item_id=_squeezed("item_id"))
    return frame.with_columns(
        _instant("event_at").alias("__at"), _instant("sent_at").alias("__sent"), _offset_min().alias("__offset_min")
    )


def _squeezed(name: str) -> pl.Expr:
    """A number in capitals and without spaces, as S10 writes it."""
    return pl.col(name).str.replace_all(r"\s", "").str.to_uppercase()


def _instant(name: str) -> pl.Expr:
    """An instant with offset as UTC; null where it cannot be read."""
    text = pl.col(name).str.replace("Z$", "+00:00").str.replace(" ", "T", literal=True)
    tries = [text.str.to_datetime(form, time_unit="us", strict=False, exact=True) for form in INSTANTS]
    return pl.coalesce(tries)


def _offset_min() -> pl.Expr:
    """The local offset of the event's instant, minutes."""
    text = pl.col("event_at").str.replace("Z$", "+00:00")
    hours = text.str.extract(OFFSET, 1)
    minutes = text.str.extract(OFFSET, 2).cast(pl.Int64)
    sign = pl.when(hours.str.starts_with("-")).then(-1).otherwise(1)
    return hours.str.slice(1).cast(pl.Int64) * 60 * sign + minutes * sign


def _look_at(frame: pl.DataFrame, name: str, check, findings: Findings) -> None:
    """Check each different value of a column once and add what is found for each row."""
    odd = {}
    for value in frame[name].drop_nulls().unique(maintain_order=True).to_list():
        finding = check(value)
        if finding is not None:
            odd[value] = finding
    if not odd:
        return
    told = dict.fromkeys([finding.code for finding in odd.values()], 0)
    for row, value in frame.filter(pl.col(name).is_in(list(odd))).select("__row", name).iter_rows():
        code = odd[value].code
        told[code] += 1
        if told[code] <= MAX_PER_CODE:
            params = odd[value].params
            findings.add(code, table=TABLE, row=row, column=name, value=value, **params)
    for code, n_found in told.items():
        findings.count(code, n_found - MAX_PER_CODE)


def _events_of(frame: pl.DataFrame, facilities: Mapping[str, str], label: str) -> pl.DataFrame:
    """Events of records that were looked through."""
    kind = pl.col("event").replace_strict(_kind_by_code(), default=UNKNOWN, return_dtype=pl.String)
    signed = pl.when(pl.col("signed").is_in(["1", "true"])).then(True).when(pl.col("signed").is_in(["0", "false"]))
    office = pl.col("office").replace(facilities) if facilities else pl.col("office")
    onward = pl.col("next_office").replace(facilities) if facilities else pl.col("next_office")
    frame = frame.with_columns(
        kind.alias("kind"), signed.then(False).alias("__signed"), office.alias("office"), onward.alias("next_office")
    )
    pairs = [
        pl.when(pl.col(name).is_not_null()).then(pl.struct(pl.lit(role).alias("role"), pl.col(name).alias("id")))
        for role, name in RELATED.items()
    ]
    pairs = pl.concat_list(pairs).list.drop_nulls()
    raw = pl.struct(pl.col("event").alias("code"), pl.lit(None, dtype=pl.String).alias("text"))
    made = digest_rows(frame, [name for name in COLUMNS if name not in ("sent_at", "event_id")], FORMAT)
    given = pl.col("event_id").str.replace_all("-", "").str.to_lowercase()
    given = pl.when(given.str.contains("^[0-9a-f]{32}$")).then(given)
    columns = {
        "event_id": pl.coalesce(given.str.decode("hex"), pl.lit(made)),
        "kind": pl.col("kind"),
        "occurred_at": pl.col("__at"),
        "recorded_at": pl.coalesce("__sent", "__at"),
        "item_id": pl.col("item_id"),
        "facility_id": pl.col("office"),
        "related": pl.when(pairs.list.len() > 0).then(pairs),
        "reason": pl.col("reason"),
        "raw": raw,
        "payload": _payload(frame),
        "label": pl.lit(label),
    }
    wanted = empty_frame("events").schema
    return frame.select(columns.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in wanted.items())


def _payload(frame: pl.DataFrame) -> pl.Series:
    """What an event of ours has no column for, as JSON; each different content is written once."""
    names = ["action", "__signed", "__offset_min"]
    texts = []
    different = frame.select(names).unique()
    for row in different.iter_rows(named=True):
        content = {"standard": "EMSEVT", "action": row["action"], "signed": row["__signed"]}
        content["offset_min"] = row["__offset_min"]
        kept = {name: value for name, value in content.items() if value is not None}
        texts.append(json.dumps(kept, ensure_ascii=False, sort_keys=True))
    different = different.with_columns(pl.Series("payload", texts))
    return frame.select(names).join(different, on=names, how="left", nulls_equal=True, maintain_order="left")["payload"]
