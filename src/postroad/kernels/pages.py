"""Pages of a Parquet file, read where they lie: a few rows of every column without unpacking the others.

A *leaf* is one column of the file's schema tree; its pages hold :data:`PAGE_ROWS` rows each, the last of a row group
fewer. All pages but those of packed leaves are stored plainly, so that a kernel finds its way in the mapped file.

Source: Apache Parquet format 2.10 (2023): Thrift compact page headers; RLE and bit-packed hybrid; DELTA_BINARY_PACKED;
PLAIN; data page version 1. CRC-32 of ISO 3309, eight bytes at a time after M. Kounavis, F. Berry (2005).
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = [
    "CRC_TABLES",
    "DELTA",
    "DICTIONARY",
    "FIXED",
    "PACKED",
    "PAGE_ROWS",
    "TEXT",
    "index_pages",
    "levels_of",
    "read_leaves",
    "read_texts",
    "sample_texts",
]

PAGE_ROWS = 1024
FIXED, DELTA, DICTIONARY, TEXT, PACKED = range(5)
"""How a leaf is stored: 16 bytes plainly, integers as differences, texts by a dictionary, texts plainly, compressed."""
SAMPLE = 16
"""Every so many entries of a dictionary its place is noted; the ones between are counted off."""
PAGE_TYPE, UNPACKED_SIZE, PACKED_SIZE, CHECKSUM, N_VALUES, N_FACTS = range(6)
BOOLEANS, BINARY, LIST, STRUCT, DOUBLE, BYTE = (1, 2), 8, 9, 12, 7, 3


def _crc_tables() -> np.ndarray:
    """The tables of CRC-32 for eight bytes at a time, uint32 (8, 256)."""
    tables = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        tables[0, byte] = value
    for step in range(1, 8):
        before = tables[step - 1]
        tables[step] = (before >> np.uint32(8)) ^ tables[0][before & np.uint32(255)]
    return tables


CRC_TABLES = _crc_tables()


@njit
def crc32(file, start, stop, tables):
    """CRC-32 of bytes ``start`` to ``stop``; ``tables`` as CRC_TABLES."""
    crc = np.uint32(0xFFFFFFFF)
    place = start
    while place + 8 <= stop:
        crc = (
            tables[7, (crc ^ file[place]) & np.uint32(255)]
            ^ tables[6, ((crc >> np.uint32(8)) ^ file[place + 1]) & np.uint32(255)]
            ^ tables[5, ((crc >> np.uint32(16)) ^ file[place + 2]) & np.uint32(255)]
            ^ tables[4, ((crc >> np.uint32(24)) ^ file[place + 3]) & np.uint32(255)]
            ^ tables[3, file[place + 4]]
            ^ tables[2, file[place + 5]]
            ^ tables[1, file[place + 6]]
            ^ tables[0, file[place + 7]]
        )
        place += 8
    while place < stop:
        crc = (crc >> np.uint32(8)) ^ tables[0, (crc ^ file[place]) & np.uint32(255)]
        place += 1
    return crc ^ np.uint32(0xFFFFFFFF)


@njit
def _varint(file, place):
    """A number of seven bits a byte, and the place behind it."""
    value = np.int64(0)
    shift = np.int64(0)
    while True:
        byte = np.int64(file[place])
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7


@njit
def _zigzag(file, place):
    """A signed number of seven bits a byte, and the place behind it."""
    value, place = _varint(file, place)
    unsigned = np.uint64(value)
    return np.int64(unsigned >> np.uint64(1)) ^ -np.int64(unsigned & np.uint64(1)), place


@njit
def _read_header(file, place, facts):
    """Read a page header: ``facts`` is written, and the place of the page's content returned; -1 when it is none."""
    facts[:] = 0
    fields = np.zeros(4, np.int64)
    depth = 0
    parent = np.int64(0)
    while True:
        head = np.int64(file[place])
        place += 1
        if head == 0:
            if depth == 0:
                return place
            depth -= 1
            continue
        kind = head & 15
        if head >> 4:
            fields[depth] += head >> 4
        else:
            fields[depth], place = _zigzag(file, place)
        if kind == STRUCT:
            if depth == 3:
                return np.int64(-1)
            parent = fields[depth] if depth == 0 else np.int64(0)
            depth += 1
            fields[depth] = 0
        elif kind == BINARY:
            length, place = _varint(file, place)
            place += length
        elif kind in (DOUBLE, LIST):
            return np.int64(-1)
        elif kind == BYTE:
            place += 1
        elif kind > 2:
            value, place = _zigzag(file, place)
            if depth == 0 and 1 <= fields[0] <= 4:
                facts[fields[0] - 1] = value
            elif depth == 1 and fields[1] == 1 and parent > 0:
                facts[N_VALUES] = value


@njit
def index_pages(file, start, stop, places, sizes, unpacked, values, checks):
    """Find the data pages of a column chunk.

    Parameters
    ----------
    file: uint8 (n,), the whole file. start, stop: the chunk, its dictionary page included.
    places: int64, sizes, unpacked, values: int32, checks: uint32, all (n_pages,): written: where the content of each
        data page begins, its bytes as stored and unpacked, how many values it has, and its checksum.

    Returns
    -------
    How many data pages there are; where the dictionary's content begins, -1 without one; entries of the dictionary.
    -1 pages when a header is not as expected or there are more pages than room.
    """
    facts = np.zeros(N_FACTS, np.int64)
    place = start
    n_pages = 0
    dictionary = np.int64(-1)
    n_entries = np.int64(0)
    while place < stop:
        content = _read_header(file, place, facts)
        if content < 0 or content + facts[PACKED_SIZE] > stop:
            return -1, dictionary, n_entries
        if facts[PAGE_TYPE] == 2:
            dictionary, n_entries = content, facts[N_VALUES]
        else:
            if n_pages == places.size:
                return -1, dictionary, n_entries
            places[n_pages] = content
            sizes[n_pages] = facts[PACKED_SIZE]
            unpacked[n_pages] = facts[UNPACKED_SIZE]
            values[n_pages] = facts[N_VALUES]
            checks[n_pages] = np.uint32(facts[CHECKSUM] & 0xFFFFFFFF)
            n_pages += 1
        place = content + facts[PACKED_SIZE]
    return n_pages, dictionary, n_entries


@njit
def _word(file, place):
    """Four bytes as a number."""
    low = np.int64(file[place]) | np.int64(file[place + 1]) << 8
    return low | np.int64(file[place + 2]) << 16 | np.int64(file[place + 3]) << 24


@njit
def sample_texts(file, place, n_entries, samples, checks, tables):
    """Note where every SAMPLE-th entry of a dictionary page begins, and a checksum of the entries up to the next.

    Parameters
    ----------
    file: uint8. place: where the first entry begins. n_entries: how many there are. tables: CRC_TABLES.
    samples: int64 (ceil(n_entries / SAMPLE) + 1,), written; the last is where the dictionary ends.
    checks: uint32, as many, written.
    """
    checks[:] = 0
    for entry in range(n_entries):
        if entry % SAMPLE == 0:
            samples[entry // SAMPLE] = place
        place += 4 + _word(file, place)
    samples[-1] = place
    for sample in range(samples.size - 1):
        checks[sample] = crc32(file, samples[sample], samples[sample + 1], tables)


@njit
def _unpack(file, place, stop, width, n, values):
    """Unpack ``n`` numbers of the RLE and bit-packed hybrid; ``values``: int32, written."""
    done = 0
    n_bytes = (width + 7) // 8
    mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    while done < n and place < stop:
        head, place = _varint(file, place)
        if head & 1:
            count = (head >> 1) * 8
            bits = np.uint64(0)
            n_bits = 0
            end = min(place + (head >> 1) * width, stop)
            for _ in range(min(count, n - done)):
                while n_bits < width:
                    bits |= np.uint64(file[place]) << np.uint64(n_bits)
                    place += 1
                    n_bits += 8
                values[done] = np.int32(bits & mask)
                bits >>= np.uint64(width)
                n_bits -= width
                done += 1
            place = end
        else:
            value = np.int64(0)
            for byte in range(n_bytes):
                value |= np.int64(file[place + byte]) << (8 * byte)
            place += n_bytes
            last = min(done + (head >> 1), n)
            values[done:last] = np.int32(value)
            done = last
    return place


@njit
def _n_bits(top):
    """Bits of a number up to ``top``."""
    n_bits = 0
    while top >> n_bits:
        n_bits += 1
    return n_bits


@njit
def _unpack_levels(file, place, width, n, levels):
    """Unpack the levels that stand before the values of a page; returns where the values begin."""
    size = _word(file, place)
    _unpack(file, place + 4, place + 4 + size, width, n, levels)
    return place + 4 + size


@njit
def _unpack_delta(file, place, n, values):
    """Unpack ``n`` integers stored as differences; ``values``: int64, written."""
    block, place = _varint(file, place)
    n_mini, place = _varint(file, place)
    _, place = _varint(file, place)
    value, place = _zigzag(file, place)
    if n == 0:
        return
    values[0] = value
    done = 1
    per_mini = block // n_mini
    while done < n:
        least, place = _zigzag(file, place)
        widths = place
        place += n_mini
        for mini in range(n_mini):
            if done >= n:
                break
            width = np.int64(file[widths + mini])
            bits = np.uint64(0)
            n_bits = 0
            end = place + per_mini * width // 8
            for _ in range(min(per_mini, n - done)):
                delta = np.uint64(0)
                got = 0
                while got < width:
                    if n_bits == 0:
                        bits = np.uint64(file[place])
                        place += 1
                        n_bits = 8
                    take = min(n_bits, width - got)
                    delta |= (bits & ((np.uint64(1) << np.uint64(take)) - np.uint64(1))) << np.uint64(got)
                    bits >>= np.uint64(take)
                    n_bits -= take
                    got += take
                value += least + np.int64(delta)
                values[done] = value
                done += 1
            place = end


@njit
def _entry(file, samples, sample_checks, base, code, tables):
    """Where the text of a dictionary's entry begins, and its bytes; -1 and 0 when the dictionary is damaged there."""
    sample = base + code // SAMPLE
    place = samples[sample]
    if crc32(file, place, samples[sample + 1], tables) != sample_checks[sample]:
        return np.int64(-1), np.int64(0)
    for _ in range(code % SAMPLE):
        place += 4 + _word(file, place)
    return place + 4, _word(file, place)


@njit
def read_leaves(
    file, first, count, ways, tops, starts, bases, samples, sample_checks, places, sizes, checks, tables, at, size
):
    """Read neighbouring rows of one row group of every flat leaf.

    Parameters
    ----------
    file: uint8, the whole file. first, count: rows within the row group.
    ways: int8 (n_leaf,): FIXED, DELTA, DICTIONARY or TEXT; a leaf of any other way is passed over.
    tops: int8 (n_leaf,), the greatest definition level; a lower one means null.
    starts: int64 (n_leaf,), index of the leaf's first page of this group in ``places``.
    bases: int64 (n_leaf,), index of its dictionary in ``samples``. samples, sample_checks: of :func:`sample_texts`.
    places, sizes, checks: of all pages. tables: CRC_TABLES.
    at: int64 (n_leaf, count), written: the value of a DELTA leaf, else where the value stands in the file.
    size: int32 (n_leaf, count), written: bytes of the value; -1: null.

    Returns
    -------
    The first leaf with a page or an entry whose checksum is not right, -1 when all are.
    """
    levels = np.empty(PAGE_ROWS, np.int32)
    codes = np.empty(PAGE_ROWS, np.int32)
    numbers = np.empty(PAGE_ROWS, np.int64)
    for leaf in range(ways.size):
        if ways[leaf] > TEXT:
            continue
        row = first
        while row < first + count:
            page = starts[leaf] + row // PAGE_ROWS
            begin = row % PAGE_ROWS
            upto = min(begin + first + count - row, PAGE_ROWS)
            place, stop = places[page], places[page] + sizes[page]
            if crc32(file, place, stop, tables) != checks[page]:
                return leaf
            place = _unpack_levels(file, place, _n_bits(np.int64(tops[leaf])), upto, levels)
            out = slice(row - first, row - first + upto - begin)
            _read_page(
                file, place, stop, begin, upto, ways[leaf], tops[leaf], levels, codes, numbers, at[leaf, out],
                size[leaf, out],
            )  # fmt: skip
            if ways[leaf] == DICTIONARY:
                for row_out in range(out.start, out.stop):
                    if size[leaf, row_out] >= 0:
                        code = at[leaf, row_out]
                        entry, length = _entry(file, samples, sample_checks, bases[leaf], code, tables)
                        if entry < 0:
                            return leaf
                        at[leaf, row_out], size[leaf, row_out] = entry, length
            row += upto - begin
    return -1


@njit
def _read_page(file, place, stop, begin, upto, way, top, levels, codes, numbers, at, size):
    """Read rows ``begin`` to ``upto`` of a page whose values begin at ``place``, of a dictionary only the codes; the
    rest as in :func:`read_leaves`."""
    before = 0
    for row in range(begin):
        before += levels[row] == top
    n_there = before
    for row in range(begin, upto):
        n_there += levels[row] == top
    if n_there > before:
        if way == DELTA:
            _unpack_delta(file, place, n_there, numbers)
        elif way == DICTIONARY:
            _unpack(file, place + 1, stop, np.int64(file[place]), n_there, codes)
        elif way == TEXT:
            for value in range(n_there):
                numbers[value] = place
                place += 4 + _word(file, place)
    value = before
    for row in range(begin, upto):
        out = row - begin
        if levels[row] != top:
            size[out] = -1
            continue
        if way == FIXED:
            at[out] = place + 16 * value
            size[out] = 16
        elif way == DELTA:
            at[out] = numbers[value]
            size[out] = 8
        elif way == DICTIONARY:
            at[out] = codes[value]
            size[out] = 0
        else:
            at[out] = numbers[value] + 4
            size[out] = _word(file, numbers[value])
        value += 1


@njit
def levels_of(page, n, has_lists, top, repeats, levels):
    """Unpack the levels of a page that was taken out of the file.

    Parameters
    ----------
    page: uint8, its content. n: how many values it has. has_lists: whether it has repetition levels (of one bit).
    top: the greatest definition level. repeats, levels: int32 (n,), written.

    Returns
    -------
    Where the values begin.
    """
    place = np.int64(0)
    if has_lists:
        place = _unpack_levels(page, place, 1, n, repeats)
    else:
        repeats[:n] = 0
    return _unpack_levels(page, place, _n_bits(top), n, levels)


@njit
def read_texts(page, place, n, at, size):
    """Find ``n`` texts that stand plainly one after another; ``at``, ``size``: int64 (n,), written."""
    for value in range(n):
        size[value] = _word(page, place)
        at[value] = place + 4
        place += 4 + size[value]
