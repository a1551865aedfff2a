"""Findings: what a check noticed, collected all at once and raised once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from postroad.core.errors import InputError, PostroadError, _fill, registry

__all__ = ["Finding", "Findings"]

MAX_PER_CODE = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed: code, place (table, row, column, value) and the values for the code's texts.

    ``row`` counts data rows from 2, as an editor shows them (row 1 is the header); 0 when no row is meant.
    """

    code: str
    table: str = ""
    row: int = 0
    column: str = ""
    value: str = ""
    params: dict[str, object] = field(default_factory=dict)

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        entry = registry().get(self.code)
        return entry.severity if entry else "error"

    @property
    def at(self) -> str:
        """The place, as ``trips row 88, column arrive``."""
        parts = [self.table, f"row {self.row}" if self.row else ""]
        place = " ".join(part for part in parts if part)
        return ", ".join(part for part in (place, f"column {self.column}" if self.column else "") if part)

    def _values(self) -> dict[str, object]:
        return {"table": self.table, "row": self.row, "column": self.column, "value": self.value, **self.params}

    def message(self, language: str = "en") -> str:
        """What is wrong, in ``en`` or ``zh``."""
        return _fill(self.code, "text", language, self._values())

    def fix(self, language: str = "en") -> str:
        """How to mend it, in ``en`` or ``zh``."""
        return _fill(self.code, "fix", language, self._values())


class Findings:
    """A collection of findings; keeps at most 50 of a code and counts the rest."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def add(
        self, code: str, /, *, table: str = "", row: int = 0, column: str = "", value: object = "", **params: object
    ) -> None:
        """Add one finding."""
        self.append(Finding(code, table, row, column, str(value), params))

    def append(self, finding: Finding) -> None:
        """Add a finding that is already made; ``dataclasses.replace`` gives it the place it was found at."""
        self._counts[finding.code] += 1
        if self._counts[finding.code] <= MAX_PER_CODE:
            self._kept.append(finding)

    def count(self, code: str, n_more: int) -> None:
        """Count further occurrences of a code that are not kept."""
        if n_more > 0:
            self._counts[code] += n_more

    def moved(self, row_of: Callable[[int], int]) -> Findings:
        """The same findings, each at another row."""
        moved = Findings()
        moved._counts.update(self._counts)
        moved._kept = [replace(finding, row=row_of(finding.row)) if finding.row else finding for finding in self._kept]
        return moved

    def extend(self, other: Findings) -> None:
        """Add all of another collection, its uncounted rest included."""
        for code, count in other._counts.items():
            room = max(0, MAX_PER_CODE - self._counts[code])
            self._kept.extend([finding for finding in other._kept if finding.code == code][:room])
            self._counts[code] += count

    def __iter__(self) -> Iterator[Finding]:
        """Go through the kept findings in the order they were made."""
        return iter(self._kept)

    def __len__(self) -> int:
        """How many findings there are, the ones not kept included."""
        return sum(self._counts.values())

    @property
    def counts(self) -> dict[str, int]:
        """How often each code was found, the ones not kept included."""
        return dict(self._counts)

    @property
    def errors(self) -> list[Finding]:
        """The kept findings of severity ``error``."""
        return [finding for finding in self._kept if finding.severity == "error"]

    def raise_on_errors(self, error: type[PostroadError] = InputError) -> None:
        """Raise one error that stands for all findings of severity ``error``; do nothing when there is none.

        Raises
        ------
        InputError: PR-C001 with the findings attached.
        """
        errors = self.errors
        if not errors:
            return
        codes = {finding.code for finding in errors}
        counts = {code: n for code, n in self._counts.items() if code in codes}
        first, first_zh = errors[0].message(), errors[0].message("zh")
        raise error("PR-C001", findings=errors, counts=counts, n=sum(counts.values()), first=first, first_zh=first_zh)
