"""Rows in the binary format of PostgreSQL's COPY, filled in column by column.

Source: PostgreSQL documentation, COPY, "Binary Format": each row begins with its number of fields as int16; each field
is its length as int32 and so many bytes, or a length of -1 for a null; numbers have their high byte first.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["add_sizes", "begin_rows", "write_field"]

NO_MARK = -1


@njit
def add_sizes(sizes, lengths, n_mark):
    """Add the bytes that a field takes to the size of each row.

    Parameters
    ----------
    sizes: int64 (n,), added to. lengths: int32 (n,), bytes of the values, -1 for a null. n_mark: bytes before a value.
    """
    for row in range(sizes.size):
        sizes[row] += 4 + (lengths[row] + n_mark if lengths[row] >= 0 else 0)


@njit
def begin_rows(out, places, n_fields):
    """Write the number of fields at the place of each row, and move each place behind it.

    Parameters
    ----------
    out: uint8, written. places: int64 (n,), moved on. n_fields: of every row.
    """
    for row in range(places.size):
        out[places[row]] = np.uint8(n_fields >> 8)
        out[places[row] + 1] = np.uint8(n_fields & 255)
        places[row] += 2


@njit
def write_field(out, places, data, starts, lengths, mark):
    """Write one field of each row at its place, and move each place behind it.

    Parameters
    ----------
    out: uint8, written. places: int64 (n,), moved on.
    data: uint8, the bytes of all values. starts: int64 (n,), where each value begins. lengths: int32 (n,), -1 for null.
    mark: a byte that comes before every value; -1 for none.
    """
    n_mark = 0 if mark == NO_MARK else 1
    for row in range(places.size):
        place, length = places[row], lengths[row]
        told = np.uint32(0xFFFFFFFF) if length < 0 else np.uint32(length + n_mark)
        out[place] = np.uint8(told >> np.uint32(24))
        out[place + 1] = np.uint8((told >> np.uint32(16)) & np.uint32(255))
        out[place + 2] = np.uint8((told >> np.uint32(8)) & np.uint32(255))
        out[place + 3] = np.uint8(told & np.uint32(255))
        place += 4
        if length >= 0:
            if n_mark:
                out[place] = np.uint8(mark)
                place += 1
            start = starts[row]
            for byte in range(length):
                out[place + byte] = data[start + byte]
            place += length
        places[row] = place
