"""How a refusal looks: what, where, how to mend it, under a stable code.

::

    PR-T104  Trip 'HGH-CAN-2215' arrives before it departs: 21:50 after 22:15 on the same day.
             at   trips row 88, column arrive
             fix  If it arrives the next day, set arrive_day to 1.        postroad explain PR-T104
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from postroad.core.errors import PostroadError
from postroad.core.findings import Finding
from postroad.core.language import pick

__all__ = ["describe_findings", "describe_refusal", "refusal_data"]

MARGIN = " " * 9


def describe_refusal(error: PostroadError, language: str = "en") -> str:
    """Write an error as text, its findings first and itself last; ends without a line break."""
    own = _entry(error.code, error.message(language), error.at, error.fix(language), language)
    if not error.findings:
        return own
    return f"{describe_findings(error.findings, error.counts, language)}\n{own}"


def describe_findings(findings: Iterable[Finding], counts: Mapping[str, int], language: str = "en") -> str:
    """Write findings one below the other, and how many more there are of a code than are shown.

    Parameters
    ----------
    findings: what was kept.
    counts: how often each code was found, when more than what was kept; may be empty.
    """
    findings = list(findings)
    entries = [_entry(f.code, f.message(language), f.at, f.fix(language), language) for f in findings]
    shown = Counter(finding.code for finding in findings)
    for code, n in counts.items():
        if n > shown[code]:
            more = f"{n - shown[code]:,}"
            entries.append(f"{code}  {pick(language, f'… and {more} more of these.', f'……另有 {more} 处同类问题。')}")
    return "\n".join(entries)


def refusal_data(error: PostroadError, language: str = "en") -> dict[str, object]:
    """Give an error as data for JSON."""
    own = _data(error.code, "error", error.message(language), error.at, error.fix(language))
    found = [_data(f.code, f.severity, f.message(language), f.at, f.fix(language)) for f in error.findings]
    return {"error": {**own, "findings": found, "counts": error.counts}}


def _entry(code: str, message: str, at: str, fix: str, language: str) -> str:
    """Write one entry of two or three lines."""
    lines = [f"{code}  {message}"]
    if at:
        lines.append(f"{MARGIN}{pick(language, 'at ', '位置')}  {at}")
    lines.append(f"{MARGIN}{pick(language, 'fix', '办法')}  {fix}        postroad explain {code}")
    return "\n".join(lines)


def _data(code: str, severity: str, message: str, at: str, fix: str) -> dict[str, object]:
    """Give one entry as data."""
    return {"code": code, "severity": severity, "message": message, "at": at, "fix": fix}
