"""Tables with keys of every kind that a load can be cut by, and people who write to all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pymysql

from tests.harness.mysql_family import FamilyServer

ROWS: Final = 60
WORDS: Final = (
    "Ana",
    "bob",
    "Çelik",
    "dänk",
    "élan",
    "Straße",
    "strasse ",
    "zoë",
    "O'Neil",
    "a,b",
    "\\n",
    "漢字",
    "x" * 30,
)


@dataclass(frozen=True, slots=True)
class Keyed:
    """`columns` are those of the key, `key` makes values for them."""

    columns: str
    names: str
    key: Callable[[random.Random], tuple[Any, ...]]
    options: str = ""
    products: tuple[str, ...] = ("mariadb", "mysql")

    @property
    def width(self) -> int:
        return self.names.count(",") + 1


def _word(chance: random.Random) -> str:
    """Many differ in case and accents only."""
    word = chance.choice(WORDS) + str(chance.randrange(12))
    return chance.choice([word, word.upper(), word.lower(), word.swapcase()])


def _moment(chance: random.Random) -> str:
    day = f"{chance.choice([1000, 1969, 2024, 9999])}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return f"{day} {chance.randrange(24):02}:00:00.{chance.choice([0, 5, 999_999]):06}"


TABLES: Final = {
    "number": Keyed("k INT", "k", lambda c: (c.randint(-200, 200),)),
    "large": Keyed("k BIGINT UNSIGNED", "k", lambda c: (c.choice([0, 2**63, 2**64 - 300]) + c.randrange(200),)),
    "word": Keyed("k VARCHAR(40) COLLATE utf8mb4_general_ci", "k", lambda c: (_word(c),)),
    "latin": Keyed("k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci", "k",
                   lambda c: (_word(c).replace("漢字", "ÿ"),)),
    "exactly": Keyed("k VARCHAR(40) COLLATE utf8mb4_bin", "k", lambda c: (_word(c),)),
    "mixed": Keyed("a INT, k VARCHAR(40)", "a, k", lambda c: (c.randrange(3), _word(c))),
    "backwards": Keyed("k CHAR(12), a SMALLINT", "k, a", lambda c: (c.choice(["ab", "AB", "é", "E"]), c.randrange(90))),
    "members": Keyed("a INT, e ENUM('z','a','m')", "a, e", lambda c: (c.randrange(60), c.choice("zam"))),
    "decimals": Keyed("k DECIMAL(30,10)", "k", lambda c: (f"{c.randint(-99, 99)}.{c.choice(['5', '0', '0000000001'])}",)),
    "moment": Keyed("k DATETIME(6)", "k", lambda c: (_moment(c),)),
    "day": Keyed("k DATE", "k", lambda c: (c.choice(["0000-00-00", "2024-00-10", _moment(c)[:10]]),)),
    "clock": Keyed("k TIME(3)", "k", lambda c: (f"{c.choice(['', '-'])}{c.randint(0, 838):02}:00:00.{c.choice('05')}",)),
    "bytes": Keyed("k VARBINARY(20)", "k", lambda c: (c.randbytes(c.randrange(3)),)),
    "bit_key": Keyed("k BIT(20)", "k", lambda c: (c.randrange(2**20),)),
    "uuid_key": Keyed("k UUID", "k", lambda c: (f"{c.randrange(200):08x}-0000-0000-0000-000000000000",), products=("mariadb",)),
    "kept": Keyed("k INT", "k", lambda c: (c.randrange(200),), "ENGINE=MyISAM"),
}  # fmt: skip
LOOSE: Final = {"loose": "", "loose_kept": "ENGINE=MyISAM"}
# Of an engine without snapshots: nobody can write to them while they are loaded.
HELD: Final = frozenset({"kept", "loose_kept"})


def tables_of(source: FamilyServer) -> Iterator[tuple[str, Keyed]]:
    for name, keyed in TABLES.items():
        if source.name.startswith(keyed.products):
            yield name, keyed


def make(source: FamilyServer, database: str, seed: int) -> None:
    chance = random.Random(seed)
    with source.connect(database) as connection, connection.cursor() as cursor:
        _settle(cursor)
        connection.autocommit(False)
        for name, keyed in tables_of(source):
            connection.autocommit(name in HELD)
            columns = f"{keyed.columns}, v INT, w VARCHAR(20), PRIMARY KEY ({keyed.names})"
            cursor.execute(f"CREATE TABLE {name} ({columns}) {keyed.options}")
            for _ in range(ROWS):
                _put(cursor, name, keyed, chance)
        for name, options in LOOSE.items():
            cursor.execute(f"CREATE TABLE {name} (v INT, w VARCHAR(20)) {options}")
            cursor.execute(f"INSERT INTO {name} VALUES (1, 'a'), (1, 'a'), (2, NULL), (3, 'c')")
        connection.commit()


def disturb(source: FamilyServer, database: str, seed: int, *, without: Collection[str] = (), times: int = 6) -> None:
    """Rows come, go, change, and get other keys, in every table."""
    chance = random.Random(seed)
    with source.connect(database) as connection, connection.cursor() as cursor:
        _settle(cursor)
        for name, keyed in tables_of(source):
            connection.autocommit(name in HELD)
            for _ in range(times if name not in without else 0):
                chance.choice((_put, _change, _move, _take))(cursor, name, keyed, chance)
            connection.commit()
        connection.autocommit(True)
        for name in LOOSE.keys() - set(without):
            cursor.execute(f"INSERT INTO {name} SELECT v + 10, w FROM {name} WHERE v < 10 LIMIT 3")
            cursor.execute(f"DELETE FROM {name} WHERE v > 1 ORDER BY v LIMIT 1")
            cursor.execute(f"UPDATE {name} SET w = 'later' WHERE v = 1 LIMIT 1")


def _settle(cursor: Any) -> None:
    cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")


def _marks(keyed: Keyed) -> str:
    return ", ".join(["%s"] * keyed.width)


def _put(cursor: Any, name: str, keyed: Keyed, chance: random.Random) -> None:
    values = (*keyed.key(chance), chance.randrange(100), chance.choice([None, "", "text"]))
    cursor.execute(f"REPLACE INTO {name} VALUES ({_marks(keyed)}, %s, %s)", values)


def _change(cursor: Any, name: str, keyed: Keyed, chance: random.Random) -> None:
    cursor.execute(f"UPDATE {name} SET v = v + 1 ORDER BY {keyed.names} LIMIT %s", (chance.randint(1, ROWS),))


def _move(cursor: Any, name: str, keyed: Keyed, chance: random.Random) -> None:
    """Of some row anywhere to anywhere; into the letters of another case too."""
    names = keyed.names.split(", ")
    cursor.execute(f"SELECT {keyed.names} FROM {name} ORDER BY RAND({chance.randrange(1000)}) LIMIT 1")
    found = cursor.fetchone()
    if found is None:
        return
    there = keyed.key(chance)
    if isinstance(found[-1], str) and chance.random() < 0.3:
        there = (*found[:-1], found[-1].swapcase())
    setting = ", ".join(f"{one} = %s" for one in names)
    try:
        cursor.execute(f"UPDATE {name} SET {setting} WHERE ({keyed.names}) = ({_marks(keyed)})", (*there, *found))
    except pymysql.err.IntegrityError:
        cursor.execute(f"DELETE FROM {name} WHERE ({keyed.names}) = ({_marks(keyed)})", found)


def _take(cursor: Any, name: str, keyed: Keyed, chance: random.Random) -> None:
    order = chance.choice(("", " DESC"))
    by = ", ".join(one + order for one in keyed.names.split(", "))
    cursor.execute(f"DELETE FROM {name} ORDER BY {by} LIMIT %s", (chance.randint(1, 4),))
