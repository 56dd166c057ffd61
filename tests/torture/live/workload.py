"""A seeded workload: tables of every awkward shape, and people who change them, the schema too."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pymysql

DATABASE = "torture"

SCHEMA = (
    """CREATE TABLE accounts (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, owner VARCHAR(60) NOT NULL,
       balance DECIMAL(18,4) NOT NULL DEFAULT 0, changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
       note TEXT, place INT, UNIQUE KEY owner (owner), UNIQUE KEY place (place))""",
    """CREATE TABLE moves (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, account BIGINT UNSIGNED NOT NULL,
       amount DECIMAL(18,4) NOT NULL, kind ENUM('in','out','fée') NOT NULL, at DATETIME(6) NOT NULL,
       KEY account (account, at),
       CONSTRAINT move_account FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE)""",
    """CREATE TABLE cards (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, account BIGINT UNSIGNED,
       number CHAR(16) NOT NULL,
       CONSTRAINT card_account FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE SET NULL)""",
    """CREATE TABLE pairs (a INT NOT NULL, b VARCHAR(40) NOT NULL, v JSON, w SET('x','y','z'), f FLOAT, d DOUBLE,
       PRIMARY KEY (a, b))""",
    """CREATE TABLE loose (at DATETIME(3) NOT NULL, word VARCHAR(50), number INT)""",
    """CREATE TABLE lobs (id INT NOT NULL PRIMARY KEY, data LONGBLOB, words LONGTEXT, bits BIT(11), y YEAR,
       t TIME(3), day DATE, flag TINYINT(1), small SMALLINT UNSIGNED, big BIGINT UNSIGNED)""",
    """CREATE TABLE churn (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(30), n INT NOT NULL DEFAULT 0)""",
)
ROWS = {"accounts": 4000, "moves": 8000, "cards": 2000, "pairs": 3000, "loose": 2000, "lobs": 1500, "churn": 1500}

DONE: list[str] = []  # changes of the schema, for whoever has to find out what went wrong
Cursor = Any
Task = Callable[[Cursor, random.Random], None]


def make(connection: Any, seed: int, scale: float) -> None:
    """The database, with its first rows."""
    rng = random.Random(seed)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {DATABASE}")
        cursor.execute("SET SESSION autocommit = 0")
        for statement in SCHEMA:
            cursor.execute(statement)
        counts = {table: max(10, int(rows * scale)) for table, rows in ROWS.items()}
        for n in range(1, counts["accounts"] + 1):
            cursor.execute("INSERT INTO accounts (owner, place) VALUES (%s, %s)", (f"owner {n}", n))
        for _ in range(counts["moves"]):
            move(cursor, rng)
        for n in range(counts["cards"]):
            cursor.execute("INSERT INTO cards (account, number) VALUES (%s, %s)", (existing(cursor, rng), f"{n:016}"))
        for _ in range(counts["pairs"]):
            pair(cursor, rng)
        for _ in range(counts["loose"]):
            loose(cursor, rng)
        for _ in range(counts["lobs"]):
            lob(cursor, rng)
        for n in range(counts["churn"]):
            cursor.execute("INSERT INTO churn (v, n) VALUES (%s, %s)", (text(rng, 20), n))
    connection.commit()


def existing(cursor: Cursor, rng: random.Random) -> int:
    """An account that is there."""
    cursor.execute("SELECT id FROM accounts WHERE id >= %s ORDER BY id LIMIT 1", (rng.randint(1, 5000),))
    found = cursor.fetchone()
    if found is None:
        cursor.execute("SELECT MIN(id) FROM accounts")
        found = cursor.fetchone()
    return int(found[0])


def text(rng: random.Random, length: int) -> str:
    return "".join(rng.choice("abc ñ茶☕'\\\n\t,{}") for _ in range(rng.randint(0, length)))


def move(cursor: Cursor, rng: random.Random) -> None:
    """Money moves: two rows of one transaction that belong together."""
    one, other, amount = existing(cursor, rng), existing(cursor, rng), rng.randint(1, 10**6) / 10**4
    for account, kind, sign in ((one, "out", -1), (other, "in", 1)):
        cursor.execute(
            "INSERT INTO moves (account, amount, kind, at) VALUES (%s, %s, %s, NOW(6))", (account, amount, kind)
        )
        cursor.execute(
            "UPDATE accounts SET balance = balance + %s, changed = NOW(6) WHERE id = %s", (sign * amount, account)
        )


def open_account(cursor: Cursor, rng: random.Random) -> None:
    cursor.execute("INSERT INTO accounts (owner, note) VALUES (UUID(), %s)", (text(rng, 300),))
    cursor.execute("INSERT INTO cards (account, number) VALUES (%s, %s)", (cursor.lastrowid, str(rng.random())[:16]))


def close_account(cursor: Cursor, rng: random.Random) -> None:
    """Its moves go with it by foreign key, its cards lose it."""
    cursor.execute("DELETE FROM accounts WHERE id = %s", (existing(cursor, rng),))


def swap_places(cursor: Cursor, rng: random.Random) -> None:
    """Unique values change hands, by way of none."""
    one, other = existing(cursor, rng), existing(cursor, rng)
    cursor.execute("SELECT id, place FROM accounts WHERE id IN (%s, %s) FOR UPDATE", (one, other))
    places = dict(cursor.fetchall())
    if len(places) == 2:
        cursor.execute("UPDATE accounts SET place = NULL WHERE id = %s", (one,))
        cursor.execute("UPDATE accounts SET place = %s WHERE id = %s", (places[one], other))
        cursor.execute("UPDATE accounts SET place = %s WHERE id = %s", (places[other], one))


def pair(cursor: Cursor, rng: random.Random) -> None:
    cursor.execute(
        "REPLACE INTO pairs VALUES (%s, %s, %s, %s, %s, %s)",
        (
            rng.randint(1, 200), f"b{rng.randint(1, 40)}",
            rng.choice([None, '{"k": [1, 2.5, "ü"]}', "[]", '{"deep": {"er": null}}']),
            rng.choice([None, "", "x", "x,z"]), rng.choice([None, rng.random() * 1e6]), rng.gauss(0, 1e9),
        ),
    )  # fmt: skip


def move_pair(cursor: Cursor, rng: random.Random) -> None:
    """The key itself changes."""
    cursor.execute(
        "UPDATE IGNORE pairs SET a = %s, b = %s WHERE a = %s LIMIT 2",
        (rng.randint(1, 200), f"b{rng.randint(1, 40)}", rng.randint(1, 200)),
    )


def loose(cursor: Cursor, rng: random.Random) -> None:
    """Rows without a key, and many that are the same."""
    cursor.execute(
        "INSERT INTO loose VALUES ('2024-05-06 07:08:09.123', %s, %s)",
        (rng.choice([None, "word", "Wort"]), rng.randint(1, 20)),
    )


def tidy_loose(cursor: Cursor, rng: random.Random) -> None:
    cursor.execute("DELETE FROM loose WHERE number = %s LIMIT 2", (rng.randint(1, 20),))
    cursor.execute("UPDATE loose SET word = 'later' WHERE number = %s LIMIT 1", (rng.randint(1, 20),))


def lob(cursor: Cursor, rng: random.Random) -> None:
    size = rng.choice([0, 10, 1000, 200_000]) if rng.random() < 0.05 else rng.randint(0, 60)
    cursor.execute(
        "REPLACE INTO lobs VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            rng.randint(1, 3000), rng.choice([None, rng.randbytes(size)]), text(rng, size % 1000),
            rng.randint(0, 2047), rng.choice([None, 1901, 2155, 0]),
            rng.choice([None, "-838:59:59.000", "12:30:00.125"]), rng.choice([None, "1000-01-01", "9999-12-31"]),
            rng.randint(0, 1), rng.randint(0, 65535), rng.choice([0, 2**64 - 1, 2**63]),
        ),
    )  # fmt: skip


def many(cursor: Cursor, rng: random.Random) -> None:
    """A large transaction."""
    number = rng.randint(300, 3000)
    cursor.execute("UPDATE moves SET amount = amount + 1 WHERE id %% 7 = %s LIMIT %s", (rng.randint(0, 6), number))
    cursor.execute("INSERT INTO loose SELECT at, word, number + 100 FROM loose LIMIT %s", (number // 10,))
    cursor.execute("DELETE FROM loose WHERE number > 100")


def regret(cursor: Cursor, rng: random.Random) -> None:
    """A part of a transaction is taken back."""
    move(cursor, rng)
    cursor.execute("SAVEPOINT s")
    close_account(cursor, rng)
    lob(cursor, rng)
    cursor.execute("ROLLBACK TO SAVEPOINT s")
    pair(cursor, rng)
    if rng.random() < 0.3:
        cursor.connection.rollback()


def churn(cursor: Cursor, rng: random.Random) -> None:
    cursor.execute("INSERT INTO churn (v, n) VALUES (%s, %s)", (text(rng, 15), rng.randint(0, 100)))
    cursor.execute("UPDATE churn SET n = n + 1 WHERE id = %s", (rng.randint(1, 3000),))


WORK: tuple[tuple[int, Task], ...] = (
    (8, move), (3, open_account), (2, close_account), (3, swap_places), (5, pair), (3, move_pair), (5, loose),
    (3, tidy_loose), (5, lob), (1, many), (2, regret), (4, churn),
)  # fmt: skip


def change_schema(cursor: Cursor, rng: random.Random) -> None:
    """One DDL statement, on tables that others are writing to."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = 'churn'",
        (DATABASE,),
    )
    extra = [name for (name,) in cursor.fetchall() if name not in ("id", "v", "n")]
    new = f"c{rng.randrange(10**6)}"
    kind = rng.choice(("INT", "VARCHAR(20) DEFAULT 'é'", "DATE NULL"))
    kinds = [f"ALTER TABLE churn ADD COLUMN {new} {kind}"]
    kinds += [f"ALTER TABLE churn ADD COLUMN {new} DECIMAL(9,2) NOT NULL DEFAULT 1.5 AFTER id"]
    if extra:
        old = rng.choice(extra)
        kinds += [f"ALTER TABLE churn DROP COLUMN {old}", f"ALTER TABLE churn DROP COLUMN {old}"]
        kinds += [f"ALTER TABLE churn RENAME COLUMN {old} TO {new}"]
    kinds += [f"ALTER TABLE churn MODIFY v VARCHAR({rng.randint(30, 90)})", f"CREATE INDEX i{new} ON churn (n)"]
    kinds += ["TRUNCATE TABLE churn", f"CREATE TABLE x{new} (id INT PRIMARY KEY, t TEXT) SELECT 1 id, 'one' t"]
    cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_name LIKE 'x%%'",
        (DATABASE,),
    )
    others = [name for (name,) in cursor.fetchall()]
    if others:
        other = rng.choice(others)
        kinds += [f"DROP TABLE {other}", f"RENAME TABLE {other} TO x{new}", f"INSERT INTO {other} VALUES (9, 'nine')"]
    statement = rng.choice(kinds)
    cursor.execute(statement)
    DONE.append(f"{time.strftime('%H:%M:%S')} {statement}")


class Writers:
    """Threads that change the database until they are stopped; they come back when the server does."""

    def __init__(self, connect: Callable[[], Any], seed: int, *, count: int, pause_s: float, ddl_s: float) -> None:
        self._connect = connect
        self._halt = threading.Event()
        self.transactions = 0
        tasks = [task for weight, task in WORK for _ in range(weight)]
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(seed * 100 + n), tasks, pause_s))
            for n in range(count)
        ]
        if ddl_s:
            changer = threading.Thread(target=self._work, args=(random.Random(seed), [change_schema], ddl_s))
            self._threads.append(changer)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._halt.set()
        for thread in self._threads:
            thread.join()

    def _work(self, rng: random.Random, tasks: list[Task], pause_s: float) -> None:
        while not self._halt.is_set():
            try:
                connection = self._connect()
            except pymysql.err.MySQLError:
                time.sleep(0.2)
                continue
            try:
                connection.autocommit(False)
                self._write(connection, rng, tasks, pause_s)
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError, ConnectionError):
                continue  # the server was ended
            finally:
                with suppress(pymysql.err.Error):
                    connection.close()

    def _write(self, connection: Any, rng: random.Random, tasks: list[Task], pause_s: float) -> None:
        while not self._halt.wait(pause_s * rng.random() * 2):
            with connection.cursor() as cursor:
                try:
                    rng.choice(tasks)(cursor, rng)
                    connection.commit()
                except pymysql.err.MySQLError as error:
                    if error.args and error.args[0] in (0, 2006, 2013, 1927, 1053):
                        raise
                    connection.rollback()  # a deadlock, a duplicate, a table that is just being changed
                    continue
            self.transactions += 1
