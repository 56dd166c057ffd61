"""Ask real servers how they convert every character set to UTF-8, and write the decoder's tables.

    python -m tools.charset_tables

Starts MySQL and MariaDB through the test harness and writes, below rust/binlog/src/charset/:

tables.bin      zlib-compressed; per character set and width the mapped codes (see `_pack`); 4-byte
                codes by their ordinal (`_linear`)
collations.tsv  flavour, first id, last id, character set

A code that the server cannot convert (it answers `?` or NULL) is not in the table: the decoder
makes an error of it. The Unicode sets (utf8, ucs2, utf16, utf32) are arithmetic, not tables.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.harness.catalogue import create

OUT: Final = Path(__file__).parent.parent / "rust/binlog/src/charset"
ARITHMETIC: Final = {"binary", "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32"}
SERVERS: Final = {"mysql": "mysql", "mariadb": "mariadb11"}  # flavour -> name in the harness
BATCH: Final = 4000
HIGH: Final = range(0x80, 0x100)

# Width in bytes -> the codes of that width that might be characters.
DOUBLE: Final = [(lead << 8) | trail for lead in HIGH for trail in range(0x100)]
TRIPLE: Final = [(0x8F << 16) | (a << 8) | b for a in HIGH for b in HIGH]  # JIS X 0212 in EUC
DIGITS: Final = range(0x30, 0x3A)
QUADRUPLE: Final = [
    (a << 24) | (b << 16) | (c << 8) | d
    for a in range(0x81, 0xFF)
    for b in DIGITS
    for c in range(0x81, 0xFF)
    for d in DIGITS
]  # GB 18030

Table = dict[int, int]  # code -> code point


def main() -> int:
    collations: list[tuple[str, int, str]] = []
    tables: dict[tuple[str, str, int], Table] = {}
    for flavour, name in SERVERS.items():
        with create(name) as server, server.connect() as connection:
            cursor = connection.cursor()
            found = _collations(cursor)
            collations += [(flavour, id_, charset) for id_, charset in found]
            for charset in sorted({charset for _, charset in found} - ARITHMETIC):
                for width, table in _tables(cursor, charset):
                    tables[flavour, charset, width] = table
                    print(f"{flavour} {charset}: {len(table)} of {width} bytes", flush=True)
    (OUT / "tables.bin").write_bytes(zlib.compress(_pack(tables), 9))
    (OUT / "collations.tsv").write_text("".join(_ranges(collations)))
    return 0


def _collations(cursor: Any) -> list[tuple[int, str]]:
    """Id and character set of every collation; MariaDB 11 lists some in a second table only."""
    cursor.execute("SELECT id, character_set_name FROM information_schema.collations WHERE id IS NOT NULL")
    found = {(int(id_), str(charset)) for id_, charset in cursor.fetchall() if charset}
    cursor.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'information_schema'"
        " AND table_name = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND column_name = 'ID'"
    )
    if cursor.fetchone()[0]:
        cursor.execute("SELECT id, character_set_name FROM information_schema.collation_character_set_applicability")
        found |= {(int(id_), str(charset)) for id_, charset in cursor.fetchall() if id_ is not None}
    return sorted(found)


def _tables(cursor: Any, charset: str) -> Iterator[tuple[int, Table]]:
    for width, codes in ((1, range(0x100)), (2, DOUBLE), (3, TRIPLE)):
        table = _convert(cursor, charset, width, codes)
        if table:
            yield width, table
    if charset == "gb18030":
        table = _convert(cursor, charset, 4, QUADRUPLE)
        yield 4, {_linear(code): point for code, point in table.items()}


def _linear(code: int) -> int:
    """Ordinal of a 4-byte code of GB 18030, whose bytes have 126, 10, 126 and 10 values."""
    a, b, c, d = code.to_bytes(4, "big")
    return (((a - 0x81) * 10 + b - 0x30) * 126 + c - 0x81) * 10 + d - 0x30


def _convert(cursor: Any, charset: str, width: int, codes: Sequence[int]) -> Table:
    """The codes that are one character of the set, with the code point the server makes of each."""
    table: Table = {}
    for at in range(0, len(codes), BATCH):
        batch = codes[at : at + BATCH]
        rows = " UNION ALL ".join(
            f"SELECT x'{code:0{2 * width}x}' {'AS b' if i == 0 else ''}" for i, code in enumerate(batch)
        )
        text = f"CONVERT(b USING {charset})"
        cursor.execute(f"SELECT HEX(b), CHAR_LENGTH({text}), HEX(CONVERT({text} USING utf32)) FROM ({rows}) c")
        for code, length, points in cursor.fetchall():
            if length == 1 and points is not None and len(points) == 8:
                point = int(points, 16)
                if point != ord("?") or int(code, 16) == ord("?"):
                    table[int(code, 16)] = point
    return table


def _pack(tables: dict[tuple[str, str, int], Table]) -> bytes:
    """Per table: varint length of what follows, flavours (1 MySQL, 2 MariaDB, 3 both), width, name
    (length byte, bytes), then runs of consecutive codes: gap since the last run's end, length, and
    per code the zigzag difference to the code point before it plus one; a run of codes whose points
    are consecutive too has its length's lowest bit set and one difference only."""
    out = bytearray()
    bits = {"mysql": 1, "mariadb": 2}
    merged: list[tuple[int, str, int, Table]] = []
    for (flavour, charset, width), table in sorted(tables.items(), key=lambda item: item[0][1:]):
        for i, (flavours, name, same_width, same) in enumerate(merged):
            if (name, same_width, same) == (charset, width, table):
                merged[i] = (flavours | bits[flavour], name, width, table)
                break
        else:
            merged.append((bits[flavour], charset, width, table))
    for flavours, charset, width, table in merged:
        name = charset.encode()
        body = bytes([flavours, width, len(name)]) + name + _runs(table)
        out += _varint(len(body)) + body
    return bytes(out)


def _runs(table: Table) -> bytes:
    out = bytearray()
    codes = sorted(table)
    at, end, point = 0, 0, 0
    while at < len(codes):
        stop = at + 1
        while stop < len(codes) and codes[stop] == codes[stop - 1] + 1:
            stop += 1
        straight = at + 1
        while straight < stop and table[codes[straight]] == table[codes[straight - 1]] + 1:
            straight += 1
        if straight - at >= 4:
            stop, linear = straight, True
        else:
            linear = False
            # Stop before the next long straight piece.
            run = 1
            for i in range(at + 1, stop):
                run = run + 1 if table[codes[i]] == table[codes[i - 1]] + 1 else 1
                if run >= 4:
                    stop = i - 3
                    break
        out += _varint(codes[at] - end) + _varint((stop - at) << 1 | linear)
        for code in codes[at : at + 1 if linear else stop]:
            out += _varint(_zigzag(table[code] - point - 1))
            point = table[code]
        point = table[codes[stop - 1]]
        end = codes[stop - 1] + 1
        at = stop
    return bytes(out)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _ranges(collations: Iterable[tuple[str, int, str]]) -> Iterator[str]:
    ranges: list[list[Any]] = []
    for flavour, id_, charset in sorted(collations):
        if ranges and ranges[-1][0] == flavour and ranges[-1][3] == charset and ranges[-1][2] == id_ - 1:
            ranges[-1][2] = id_
        else:
            ranges.append([flavour, id_, id_, charset])
    for parts in ranges:
        yield "\t".join(map(str, parts)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
