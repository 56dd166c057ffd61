"""The two tables that everything is measured on, and how they come into the source.

    W1   16 columns, narrow values of many types: an order's lines, as in decision-support benchmarks
    W2    4 columns, two of them long texts: as in transaction benchmarks

Rows follow from the seed and the row's number alone. Tab-separated files serve LOAD DATA and COPY alike.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from tests.harness import Server

VERSION: Final = 1  # changes when the rows do
ROWS: Final = 2_000_000  # of each table, at scale 1
BLOCK: Final = 20_000
SOURCE_DATABASE: Final = "bench"


class Rows(Protocol):
    def __call__(self, rows: int) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One table.

    columns  definitions that MariaDB, MySQL and PostgreSQL all understand
    key      the primary key's columns
    split    the key's first column, by which two streams share the rows
    text     rows as tab-separated text, in blocks
    """

    name: str
    columns: str
    key: tuple[str, ...]
    text: Rows

    @property
    def split(self) -> str:
        return self.key[0]

    @property
    def primary_key(self) -> str:
        return f"PRIMARY KEY ({', '.join(self.key)})"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(line.split()[0] for line in self.columns.strip().splitlines())

    def definition(self, table: str, *, keyed: bool = True) -> str:
        key = f", {self.primary_key}" if keyed else ""
        return f"CREATE TABLE {table} ({self.columns.strip()}{key})"


def _dates(first: date, days: int) -> list[str]:
    return [(first + timedelta(days=day)).isoformat() for day in range(days)]


DATES: Final = _dates(date(1993, 1, 1), 2600)
CENTS: Final = [f"{cent:02d}" for cent in range(100)]
INSTRUCTIONS: Final = ("CALL BEFORE DELIVERY", "LEAVE AT THE DOOR", "NONE", "RETURN IF ABSENT", "SIGNATURE NEEDED")
MODES: Final = ("AIR", "BARGE", "BIKE", "RAIL", "ROAD", "SEA", "TRUCK", "TUBE")
WORDS: Final = (
    "amber", "barley", "canvas", "dapper", "ember", "fallow", "gentle", "hollow", "island", "jovial", "keenly",
    "lumber", "marble", "nimble", "oblong", "pewter", "quaint", "rustic", "sombre", "tender", "uphill", "velvet",
    "wander", "yonder", "zephyr", "and", "the", "of", "under", "across", "without",
)  # fmt: skip


def _sentences(count: int, length_max: int, random_: random.Random) -> list[str]:
    """Words up to a length between a fifth of the limit and the limit."""
    found = []
    for _ in range(count):
        length = random_.randint(length_max // 5, length_max)
        found.append(" ".join(random_.choices(WORDS, k=10))[:length].rstrip())
    return found


def _orders(rows: int, random_: random.Random) -> Iterator[tuple[list[int], list[int]]]:
    """Order numbers and line numbers, a block at a time: orders of 1 to 7 lines, in ascending order."""
    order, line, lines = 1, 0, random_.randint(1, 7)
    for begin in range(0, rows, BLOCK):
        orders, numbers = [], []
        for _ in range(min(BLOCK, rows - begin)):
            if line == lines:
                order, line, lines = order + 1, 0, random_.randint(1, 7)
            line += 1
            orders.append(order)
            numbers.append(line)
        yield orders, numbers


def w1_text(rows: int) -> Iterator[str]:
    random_ = random.Random(f"w1/{VERSION}")
    comments = _sentences(20_000, 44, random_)
    pick = random_.choices
    for orders, numbers in _orders(rows, random_):
        n = len(orders)
        day = pick(range(30, len(DATES) - 60), k=n)
        columns = zip(
            orders, pick(range(1, 200_001), k=n), pick(range(1, 10_001), k=n), numbers,
            pick(range(1, 51), k=n), pick(range(900, 105_000), k=n), pick(CENTS, k=n), pick(CENTS[:11], k=n),
            pick(CENTS[:9], k=n), pick("ANR", k=n), pick("FO", k=n), day, pick(range(-30, 60), k=n),
            pick(range(1, 31), k=n), pick(INSTRUCTIONS, k=n), pick(MODES, k=n), pick(comments, k=n), strict=True,
        )  # fmt: skip
        yield "".join(
            [
                f"{order}\t{part}\t{supplier}\t{line}\t{quantity}.00\t{price}.{cents}\t0.{discount}\t0.{tax}\t"
                f"{flag}\t{status}\t{DATES[day]}\t{DATES[day + commit]}\t{DATES[day + receipt]}\t"
                f"{instruction}\t{mode}\t{comment}\n"
                for order, part, supplier, line, quantity, price, cents, discount, tax, flag, status, day, commit,
                receipt, instruction, mode, comment in columns
            ]
        )  # fmt: skip


def w2_text(rows: int) -> Iterator[str]:
    random_ = random.Random(f"w2/{VERSION}")
    groups = [f"{random_.randrange(10**11):011d}" for _ in range(100_000)]
    for begin in range(0, rows, BLOCK):
        n = min(BLOCK, rows - begin)
        k, digits = random_.choices(range(1, rows + 1), k=n), random_.choices(groups, k=15 * n)
        join = "-".join
        yield "".join(
            [
                f"{begin + i + 1}\t{k[i]}\t{join(digits[at : at + 10])}\t{join(digits[at + 10 : at + 15])}\n"
                for i, at in zip(range(n), range(0, 15 * n, 15), strict=True)
            ]
        )


W1: Final = Workload(
    name="w1",
    columns="""
        l_orderkey bigint NOT NULL,
        l_partkey int NOT NULL,
        l_suppkey int NOT NULL,
        l_linenumber int NOT NULL,
        l_quantity decimal(15,2) NOT NULL,
        l_extendedprice decimal(15,2) NOT NULL,
        l_discount decimal(15,2) NOT NULL,
        l_tax decimal(15,2) NOT NULL,
        l_returnflag char(1) NOT NULL,
        l_linestatus char(1) NOT NULL,
        l_shipdate date NOT NULL,
        l_commitdate date NOT NULL,
        l_receiptdate date NOT NULL,
        l_shipinstruct char(25) NOT NULL,
        l_shipmode char(10) NOT NULL,
        l_comment varchar(44) NOT NULL
    """,
    key=("l_orderkey", "l_linenumber"),
    text=w1_text,
)

W2: Final = Workload(
    name="w2",
    columns="""
        id int NOT NULL,
        k int NOT NULL,
        c char(120) NOT NULL,
        pad char(60) NOT NULL
    """,
    key=("id",),
    text=w2_text,
)

WORKLOADS: Final = (W1, W2)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a table holds, the same on both kinds of server: rows, and the sum of 32 bits of each row's MD5."""

    rows: int
    checksum: int


def write_file(workload: Workload, rows: int, path: Path) -> None:
    """The rows as a file; it is there as a whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", buffering=1 << 20) as file:
        for block in workload.text(rows):
            file.write(block)
    unfinished.rename(path)


def fill_source(server: Server, rows: int, scratch: Path, workloads: Sequence[Workload] = WORKLOADS) -> None:
    """Makes the database `bench` with the tables, unlogged."""
    server.execute(f"CREATE DATABASE {SOURCE_DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    for workload in workloads:
        path = scratch / f"{workload.name}.tsv"
        write_file(workload, rows, path)
        table = f"{SOURCE_DATABASE}.{workload.name}"
        server.execute(f"SET sql_log_bin = 0; {workload.definition(table)} ENGINE=InnoDB")
        load = f"LOAD DATA INFILE '{path}' INTO TABLE {table} CHARACTER SET utf8mb4"
        server.execute(f"SET sql_log_bin = 0, unique_checks = 0; {load}")
        path.unlink()
        found = server.execute(f"SELECT COUNT(*) FROM {table}")[0][0]
        if found != rows:
            raise ValueError(f"{table} has {found} rows after loading {rows}")


def source_digest(server: Server, workload: Workload, database: str) -> Digest:
    text = ", ".join(workload.names)
    sql = f"SELECT COUNT(*), SUM(CONV(LEFT(MD5(CONCAT_WS('|', {text})), 8), 16, 10)) FROM {database}.{workload.name}"
    return _digest(server.execute(sql))


def target_digest(server: Server, workload: Workload, schema: str, database: str) -> Digest:
    # As text, a char(n) loses the blanks that PostgreSQL pads it with.
    text = ", ".join(f"{name}::text" for name in workload.names)
    sql = (
        f"SELECT count(*), sum(('x' || left(md5(concat_ws('|', {text})), 8))::bit(32)::bigint)"
        f" FROM {schema}.{workload.name}"
    )
    return _digest(server.execute(sql, database=database))


def _digest(rows: Sequence[Sequence[Any]]) -> Digest:
    count, checksum = rows[0]
    return Digest(int(count), int(checksum or 0))
