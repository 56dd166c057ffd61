"""The rows of the source as the format json_c writes them: by the source's own SQL and by rules in Python, so that
nothing of what is judged takes part."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from tests.harness import Server
from tools.demo import shop

Row = Mapping[str, str | None]
FLOAT_DIGITS_MAX: Final = 9


def rows_of(source: Server, table: str) -> list[Row]:
    """All rows of a table, in no order."""
    columns = source.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (shop.DATABASE, table),
    )
    ways = {name: WAYS.get(kind, PLAIN) for name, kind in columns}
    asked = ", ".join(sql.format(f"`{name}`") for name, (sql, _) in ways.items())
    # Instants are told in UTC.
    found = source.execute(f"SET time_zone = '+00:00'; SELECT {asked} FROM `{table}`", database=shop.DATABASE)
    return [
        {
            name: None if value is None else text(value)
            for (name, (_, text)), value in zip(ways.items(), row, strict=True)
        }
        for row in found
    ]


def signed(value: bytes) -> str:
    """Java's Arrays.toString of bytes, which have a sign there."""
    return f"[{', '.join(str(byte - 256 if byte > 127 else byte) for byte in value)}]"


def java(number: float, shortest: str) -> str:
    """Java's Double.toString and Float.toString, of the shortest decimal that reads back as the number."""
    _, digits, exponent = Decimal(shortest).normalize().as_tuple()
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        plain = format(Decimal(shortest).normalize(), "f")
        return plain if "." in plain else f"{plain}.0"
    assert isinstance(exponent, int)
    first, *rest = map(str, digits)
    sign = "-" if number < 0 else ""
    return f"{sign}{first}.{''.join(rest) or '0'}E{exponent + len(rest)}"


def single(number: float) -> str:
    """Of a FLOAT, given as the double that is the same number."""
    for digits in range(FLOAT_DIGITS_MAX):
        shortest = f"{number:.{digits}e}"
        if struct.unpack("f", struct.pack("f", float(shortest)))[0] == number:
            break
    return java(number, shortest)


def double(number: float) -> str:
    return java(number, repr(number))


# By type of a column: how it is asked for, and what becomes of the answer. Whatever is not here is taken as the server
# prints it.
Way = tuple[str, Callable[[Any], str]]
PLAIN: Final[Way] = ("CAST({0} AS CHAR CHARACTER SET utf8mb4)", str)
BYTES: Final[Way] = ("{0}", signed)
WAYS: Final[Mapping[str, Way]] = {
    "bit": ("{0} + 0", str),
    "float": ("{0} + 0e0", single),
    "double": ("{0}", double),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), BYTES),
}
