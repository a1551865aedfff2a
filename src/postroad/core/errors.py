"""The error tree and the registry of codes.

Every refusal has a stable code. A code is declared once, in ``core/codes/<room>.csv``, with its texts in English
and Chinese; the texts are templates filled with the parameters of the occurrence.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

__all__ = [
    "AccessError",
    "CodeEntry",
    "InfeasibleError",
    "InputError",
    "InternalError",
    "LedgerError",
    "LimitReached",
    "NotFound",
    "PostroadError",
    "UsageError",
    "read_codes",
    "registry",
]


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One registered code: its severity (``error`` or ``warning``), its texts and what it means."""

    code: str
    severity: str
    text_en: str
    text_zh: str
    fix_en: str
    fix_zh: str
    explain_en: str
    explain_zh: str


FIELDS = {field.name for field in fields(CodeEntry)}


@cache
def registry() -> Mapping[str, CodeEntry]:
    """All codes by name, read from the tables in ``core/codes``."""
    return read_codes(files("postroad.core").joinpath("codes"))


def read_codes(folder: Traversable) -> Mapping[str, CodeEntry]:
    """Read the tables of codes in a folder.

    Raises
    ------
    InternalError: PR-I001 when a code is declared twice, PR-I003 when a row has too few or too many fields.
    """
    entries: dict[str, CodeEntry] = {}
    for table in sorted(folder.iterdir(), key=lambda path: path.name):
        if not table.name.endswith(".csv"):
            continue
        with table.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            for row in reader:
                if set(row) != FIELDS or None in row.values():
                    raise InternalError("PR-I003", table=table.name, line=reader.line_num)
                entry = CodeEntry(**row)
                if entry.code in entries:
                    raise InternalError("PR-I001", code=entry.code, table=table.name)
                entries[entry.code] = entry
    return entries


class PostroadError(Exception):
    """What went wrong, with a stable code, where it is, and how to mend it.

    Parameters
    ----------
    code: a registered code.
    at: the place in the user's words (``trips.csv row 88, column arrive``); empty when there is none.
    findings: further findings that this refusal stands for (each prints as its own error).
    counts: how often each code was found, when more were found than are attached.
    params: values for the code's text templates.
    """

    exit_code = 70
    http_status = 500

    def __init__(
        self,
        code: str,
        /,
        *,
        at: str = "",
        findings: Iterable[object] = (),
        counts: Mapping[str, int] | None = None,
        **params: object,
    ) -> None:
        self.code = code
        self.at = at
        self.findings = tuple(findings)
        self.counts = dict(counts or {})
        self.params = params
        super().__init__(code)

    def message(self, language: str = "en") -> str:
        """The text of the error in ``en`` or ``zh``."""
        return _fill(self.code, "text", language, self.params)

    def fix(self, language: str = "en") -> str:
        """How to mend it, in ``en`` or ``zh``."""
        return _fill(self.code, "fix", language, self.params)

    def __str__(self) -> str:
        return f"{self.code}  {self.message()}" + (f"  at {self.at}" if self.at else "")


class InputError(PostroadError):
    """Bad input; nothing was changed."""

    exit_code = 3
    http_status = 422


class NotFound(InputError):
    """The thing asked for does not exist."""

    http_status = 404


class AccessError(PostroadError):
    """Whoever asks may not; nothing was read or changed."""

    exit_code = 3
    http_status = 403


class LedgerError(PostroadError):
    """The ledger refused; nothing was lost."""

    exit_code = 3
    http_status = 409


class InfeasibleError(PostroadError):
    """No plan can satisfy the input; names the conflict in the user's words."""

    exit_code = 4
    http_status = 409


class LimitReached(PostroadError):
    """A limit was reached before there was a plan; carries the bound."""

    exit_code = 5
    http_status = 504


class InternalError(PostroadError):
    """Our fault."""


class UsageError(PostroadError):
    """The words of the command line are off."""

    exit_code = 2
    http_status = 400


def _fill(code: str, part: str, language: str, params: Mapping[str, object]) -> str:
    """Fill one template of a registered code.

    A code that is not registered, or whose registry is broken, is shown with its parameters; a missing parameter as
    ``{name}``: a fault in the words must not hide the refusal itself. Tests hold that none of this happens.
    """
    try:
        entry = registry().get(code)
    except InternalError:
        entry = None
    if entry is None:
        return f"{code} {dict(params)}"
    return getattr(entry, f"{part}_{language}").format_map(_Params(params))


class _Params(dict):
    """Parameters of a template, where a missing one stands for itself."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"
