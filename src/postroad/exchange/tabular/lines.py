"""The bytes of a CSV file on their way to the parser: in UTF-8, and with quotes that open and never close set apart.

A stray quote would take all lines up to the next quote, or the end of the file, into one cell. So a line that leaves a
quote open is compared with the line after it: if that is a whole row by itself, the quote is stray, and only its own
line is lost.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

__all__ = ["STRAY", "QuotedLines"]

BLOCK = 1 << 22
STRAY = "\x1e"
"""Stands in a cell of its own at the end of a line whose quote does not close, which makes the line ragged."""


class QuotedLines:
    """A file to read bytes of UTF-8 from.

    Parameters
    ----------
    path: the file.
    encoding: what it is written in.
    delimiter: one character between cells, replaced by ``mark`` where that is another.
    mark: one ASCII character between cells in what is read.
    n_columns: cells of a whole row.
    n_head: lines that are not looked at.
    """

    closed = False

    def __init__(self, path: Path, encoding: str, delimiter: str, mark: str, n_columns: int, n_head: int) -> None:
        self._path, self._handle = path, None
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
        self._delimiter, self._mark, self._n_marks = delimiter, mark, n_columns - 1
        cut = re.escape(mark)
        self._whole = re.compile(f'(?:^|(?<={cut}))"(?:[^"]|"")*"(?={cut}|\r?$)')
        self._opens = re.compile(f'(?:^|{cut})"')
        self._n_head, self._rest, self._ready = n_head, "", b""
        self._is_inside = self._is_over = False

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes; all that is left when the size is negative; none at the end."""
        while not self._is_over and (size < 0 or len(self._ready) < size):
            self._ready += self._fill()
        size = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            self._handle.close()
        self.closed = True

    def _fill(self) -> bytes:
        """Another block, up to a line whose next line is known."""
        if self._handle is None:
            self._handle = self._path.open("rb")
        block = self._handle.read(BLOCK)
        self._is_over = not block
        text = self._rest + self._decoder.decode(block, final=self._is_over)
        if self._is_over:
            done, self._rest = text, ""
        else:
            end = text.rfind("\n", 0, max(0, text.rfind("\n")))
            done, self._rest = text[: end + 1], text[end + 1 :]
        if self._delimiter != self._mark:
            done = done.replace(self._delimiter, self._mark)
        following = self._rest.split("\n", 1)[0].replace(self._delimiter, self._mark)
        return self._set_apart(done, following).encode()

    def _set_apart(self, text: str, following: str) -> str:
        """Mark the lines whose quote is stray."""
        if not self._is_inside and self._n_head == 0 and '"' not in text:
            return text
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if self._n_head:
                self._n_head -= 1
            elif line.count('"') % 2 == 0:
                continue
            elif self._is_inside:
                self._is_inside = False
            elif self._opens.search(self._whole.sub("", line)):
                after = lines[number + 1] if number + 1 < len(lines) else ""
                after = following if number + 2 >= len(lines) and not after else after
                if self._is_row(after):
                    lines[number] = line.replace('"', "").rstrip("\r") + self._mark + STRAY
                else:
                    self._is_inside = True
        return "\n".join(lines)

    def _is_row(self, line: str) -> bool:
        """Whether a line is a whole row by itself, or the end of the file."""
        return not line.strip() or (line.count('"') % 2 == 0 and line.count(self._mark) >= max(1, self._n_marks))
