"""Whole schemas, their rows and the changes of these, from a seed: a world.

What a server refuses is left out and counted, so that the generator need not know what every version takes.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from tests.torture.schemas import names
from tests.torture.schemas.kinds import Kind, kind, plain
from tests.torture.schemas.names import quoted

Run = Callable[[str], bool]  # False: the server refused the statement
Lossy = Literal["none", "tolerated", "refused"]
TABLES_MAX: Final = 6
COLUMNS_MAX: Final = 40
ROWS_MAX: Final = 40
ACTIONS: Final = (
    "",
    " ON DELETE CASCADE",
    " ON DELETE SET NULL",
    " ON UPDATE CASCADE",
    " ON DELETE CASCADE ON UPDATE CASCADE",
)
CONSTANTS: Final = (
    ("INT", "1 + 1"), ("VARCHAR(40)", "'x'"), ("VARCHAR(40)", "UUID()"), ("DOUBLE", "RAND()"), ("DATETIME", "NOW()"), ("DATE", "CURDATE()"),
    ("VARCHAR(200)", "CONCAT('a', 'b')"), ("BIGINT", "POW(2, 10)"), ("DATETIME(3)", "CURRENT_TIMESTAMP(3) + INTERVAL 1 DAY"),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Column:
    name: str
    kind: Kind
    nullable: bool = True
    writable: bool = True
    parent: str = ""  # SQL that finds a value at the parent

    @property
    def sql(self) -> str:
        return quoted(self.name)


@dataclass(slots=True, kw_only=True)
class Table:
    name: str
    columns: list[Column]
    key: list[Column] = field(default_factory=list)  # the primary key, if it is one of whole columns
    indexed: set[str] = field(default_factory=set)  # columns of any unique index

    @property
    def sql(self) -> str:
        return quoted(self.name)

    @property
    def writable(self) -> list[Column]:
        return [column for column in self.columns if column.writable]


class World:
    """`refused`: what the server did not take, by the kind of statement."""

    def __init__(self, seed: int, product: str) -> None:
        self.chance = random.Random(f"world {seed}")
        self.product = product
        self.lossy: Lossy = self.chance.choice(("none", "none", "none", "tolerated", "tolerated", "refused"))
        self.lenient = self.lossy != "none"
        self.tables: list[Table] = []
        self.views: list[str] = []
        self.refused: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()

    @property
    def session(self) -> str:
        mode = "ALLOW_INVALID_DATES" if self.lenient else "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE"
        return f"SET SESSION sql_mode = '{mode},NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"

    # the schema

    def build(self, run: Run) -> None:
        """Makes tables, keys, rows and views."""
        run(self.session)
        for name in names.drawn(self.chance, names.TABLES, self.chance.randint(1, TABLES_MAX), "tab"):
            self._table(name, run)
        for table in self.tables:
            for _ in range(self.chance.choice((0, 1, 1, 2, 3, 5))):
                index = self._index(table)
                if self._try(run, f"ALTER TABLE {table.sql} ADD {index}", "index") and index.startswith("UNIQUE"):
                    table.indexed |= {column.name for column in table.columns if column.sql in index}
        self._foreign_keys(run)
        for table in self.tables:
            for statement in self._first_rows(table):
                self._try(run, statement, "row")
        self._views(run)

    def _try(self, run: Run, statement: str, what: str) -> bool:
        done = run(statement)
        (self.accepted if done else self.refused)[what] += 1
        return done

    def _table(self, name: str, run: Run) -> None:
        for _ in range(6):
            table = self._columns(name)
            keys = self._key(table)
            lines = [*self._definitions(table), *keys, *self._checks(table)]
            if self._try(run, f"CREATE TABLE {table.sql} ({', '.join(lines)}){self._options()}", "table"):
                table.indexed = {column.name for column in table.columns if any(column.sql in key for key in keys)}
                self.tables.append(table)
                return

    def _columns(self, name: str) -> Table:
        count = self.chance.choice((1, 2, 3, 5, 8, 8, 12, 20, self.chance.randint(1, COLUMNS_MAX)))
        columns = []
        for own in names.drawn(self.chance, names.COLUMNS, count, "c"):
            made = kind(self.chance, self.product)
            nullable = "NOT NULL" not in made.extra and self.chance.random() < 0.6
            columns.append(Column(name=own, kind=made, nullable=nullable or made.extra == "NULL"))
        return Table(name=name, columns=columns)

    def _key(self, table: Table) -> list[str]:
        chance = self.chance
        ways = ("auto", "plain", "plain", "composite", "composite", "prefix", "unique", "none", "any")
        match chance.choice(ways):
            case "auto":
                name = chance.choice(("INT", "BIGINT", "BIGINT UNSIGNED", "SMALLINT UNSIGNED"))
                made = Kind(sql=f"{name} AUTO_INCREMENT", values=(*map(str, range(1, 60)), "32767"))
                column = Column(name=self._free(table), kind=made, nullable=False)
                table.columns.insert(chance.randint(0, len(table.columns)), column)
                table.key = [column]
                return [f"PRIMARY KEY ({column.sql})"]
            case "plain" | "composite" as way:
                whole = [c for c in table.columns if c.kind.key == "whole" and not c.kind.sql.startswith("BIT(1)")]
                count = 1 if way == "plain" else chance.randint(2, 4)
                table.key = chance.sample(whole, min(count, len(whole)))
                for column in table.key:
                    column.nullable = False
                    if column.kind.extra == "NULL":
                        column.kind = replace(column.kind, extra="")
                if not table.key:
                    return []
                parts = ", ".join(c.sql + " DESC" * (chance.random() < 0.2) for c in table.key)
                return [f"PRIMARY KEY ({parts})"]
            case "prefix":
                column = next((c for c in table.columns if c.kind.key != "never"), None)
                if column is None:
                    return []
                column.nullable = False
                return [f"PRIMARY KEY ({column.sql}(5))"]
            case "unique":
                column = chance.choice(table.columns)
                column.nullable = column.kind.extra == "NULL" or chance.random() < 0.3
                return [f"UNIQUE KEY ({column.sql})"] if column.kind.key == "whole" else []
        return []

    def _free(self, table: Table) -> str:
        taken = {column.name.lower() for column in table.columns}
        return next(name for name in ("id", "ID2", "nr", "nr2", "nr3") if name.lower() not in taken)

    def _definitions(self, table: Table) -> Iterator[str]:
        chance = self.chance
        keyed = {column.name for column in table.key}
        for column in list(table.columns):
            words = [column.sql, column.kind.sql, column.kind.extra or ("NULL" if column.nullable else "NOT NULL")]
            if "DEFAULT" not in column.kind.extra and "AUTO_INCREMENT" not in column.kind.sql and chance.random() < 0.4:
                words.append(f"DEFAULT {self._default(column)}")
            if column.name not in keyed and len(table.columns) > 2 and chance.random() < 0.05:
                words.append("INVISIBLE")
            if chance.random() < 0.2:
                words.append(f"COMMENT {plain(chance.choice(names.COMMENTS))}")
            yield " ".join(words)
        for number in range(chance.choice((0, 0, 0, 1, 2))):
            source = chance.choice(table.columns)
            if source.kind.calls and "AUTO" not in source.kind.sql:
                call, native = chance.choice(source.kind.calls)
                made = Column(name=f"g{number}", kind=Kind(sql=native, values=(), key="never"), writable=False)
                table.columns.append(made)
                yield f"{made.sql} {native} AS ({call.replace('{0}', source.sql)}) {chance.choice(('STORED', 'VIRTUAL'))}"

    def _default(self, column: Column) -> str:
        chance = self.chance
        values = column.kind.values
        short = [v for v in values if len(v) < 200 and not v.startswith(("REPEAT", "ST_", "STRING", "Vec", "JSON_"))]
        fitting = [text for native, text in CONSTANTS if column.kind.sql.startswith(native[:4])]
        if fitting and chance.random() < 0.4:
            return f"({chance.choice(fitting)})"
        if not short:
            return "NULL" if column.nullable else "(NULL)"
        value = chance.choice(short)
        if any(word in column.kind.sql for word in ("TEXT", "BLOB", "JSON")):
            return f"({value})"
        return "NULL" if column.nullable and chance.random() < 0.3 else value

    def _checks(self, table: Table) -> list[str]:
        column = self.chance.choice(table.columns)
        return self.chance.choice(
            ([], [], [], [f"CHECK ({column.sql} IS NULL OR {column.sql} IS NOT NULL)"], [f"CONSTRAINT `c{len(self.tables)}'x` CHECK (1 < 2)"])
        )  # fmt: skip

    def _options(self) -> str:
        chance = self.chance
        words = [chance.choice(("", "", " CHARACTER SET latin1", " COLLATE utf8mb4_bin", " ROW_FORMAT=COMPRESSED"))]
        words.append(f" COMMENT {plain(chance.choice(names.COMMENTS))}" if chance.random() < 0.3 else "")
        words.append(" ENGINE=MyISAM" if chance.random() < 0.08 else " ENGINE=InnoDB")
        return "".join(words)

    def _index(self, table: Table) -> str:
        chance = self.chance
        columns = chance.sample(table.columns, min(len(table.columns), chance.choice((1, 1, 2, 3, 8))))
        parts = []
        for column in columns:
            cut = (
                ""
                if column.kind.key == "whole" and chance.random() < 0.8
                else f"({chance.choice((1, 3, 10, 100, 700))})"
            )
            parts.append(f"{column.sql}{cut}{chance.choice(('', '', '', ' DESC'))}")
        word = chance.choice(("KEY", "KEY", "KEY", "UNIQUE KEY", "FULLTEXT KEY"))
        comment = f" COMMENT {plain(chance.choice(names.COMMENTS))}" if chance.random() < 0.2 else ""
        return f"{word} {quoted(chance.choice(names.INDEXES))} ({', '.join(parts)}){comment}"

    def _foreign_keys(self, run: Run) -> None:
        """References to any table that has a key, the own one and later ones too."""
        chance = self.chance
        parents = [t for t in self.tables if t.key and all(not c.kind.extra for c in t.key)]
        for number in range(chance.choice((0, 0, 1, 2, 3)) if parents else 0):
            parent, child = chance.choice(parents), chance.choice(self.tables)
            taken = {column.name.lower() for column in child.columns}
            own = [
                Column(name=f"f{number}_{place}", kind=Kind(sql=c.kind.sql.replace(" AUTO_INCREMENT", ""), values=("NULL",)), parent=c.sql)
                for place, c in enumerate(parent.key)
            ]  # fmt: skip
            if taken & {column.name for column in own}:
                continue
            adds = ", ".join(f"ADD {column.sql} {column.kind.sql} NULL" for column in own)
            mine, theirs = (", ".join(c.sql for c in cs) for cs in (own, parent.key))
            key = f"ADD CONSTRAINT `fk{number}` FOREIGN KEY ({mine}) REFERENCES {parent.sql} ({theirs}){chance.choice(ACTIONS)}"
            if not self._try(run, f"ALTER TABLE {child.sql} {adds}, {key}", "foreign key"):
                continue
            for column in own:
                column.parent = f"(SELECT v FROM (SELECT {column.parent} AS v FROM {parent.sql} ORDER BY {theirs} LIMIT {{skipped}}, 1) AS d)"
            child.columns += own

    def _views(self, run: Run) -> None:
        for number in range(self.chance.choice((0, 1, 2)) if self.tables else 0):
            table = self.chance.choice(self.tables)
            columns = ", ".join(c.sql for c in self.chance.sample(table.columns, min(3, len(table.columns))))
            name = f"v'{number}"
            if self._try(run, f"CREATE VIEW {quoted(name)} AS SELECT {columns} FROM {table.sql}", "view"):
                self.views.append(name)

    # rows

    def _first_rows(self, table: Table) -> Iterator[str]:
        for _ in range(self.chance.choice((0, 3, 10, ROWS_MAX))):
            yield self._insert(table, lossy=self.lossy != "none")

    def changes(self, count: int) -> Iterator[str]:
        """Statements that change rows, some within transactions."""
        chance = self.chance
        open_ = False
        for _ in range(count):
            if not open_ and chance.random() < 0.2:
                open_ = True
                yield "BEGIN"
            elif open_ and chance.random() < 0.3:
                open_ = False
                yield chance.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"))
            yield self._change(chance.choice(self.tables))
        if open_:
            yield "COMMIT"

    def _change(self, table: Table) -> str:
        chance, lossy = self.chance, self.lossy == "tolerated"
        some = f"ORDER BY RAND({chance.randrange(1000)}) LIMIT {chance.choice((1, 1, 1, 2, 5))}"
        columns = table.writable
        match chance.choice(
            (
                "insert",
                "insert",
                "insert",
                "update",
                "update",
                "update",
                "wide",
                "key",
                "delete",
                "replace",
                "again",
                "all",
            )
        ):
            case "insert":
                return self._insert(table, lossy=lossy)
            case "update":
                column = chance.choice(columns)
                return f"UPDATE {table.sql} SET {column.sql} = {self._value(table, column, lossy)} {some}"
            case "wide":
                sets = ", ".join(
                    f"{c.sql} = {self._value(table, c, lossy)}" for c in chance.sample(columns, min(5, len(columns)))
                )
                return f"UPDATE {table.sql} SET {sets} {some}"
            case "key":
                column = chance.choice(table.key or columns)
                return f"UPDATE {table.sql} SET {column.sql} = {self._value(table, column, lossy)} {some}"
            case "delete":
                return f"DELETE FROM {table.sql} {some}"
            case "replace":
                return self._insert(table, lossy=lossy).replace("INSERT", "REPLACE", 1)
            case "again":
                column = chance.choice(columns)
                return f"{self._insert(table, lossy=lossy)} ON DUPLICATE KEY UPDATE {column.sql} = {self._value(table, column, lossy)}"
        column = chance.choice([c for c in columns if c not in table.key] or columns)
        return f"UPDATE {table.sql} SET {column.sql} = {self._value(table, column, lossy)}"

    def _insert(self, table: Table, *, lossy: bool) -> str:
        # What is left out gets its default, for dates a zero in a lenient mode.
        columns = [c for c in table.writable if c.name in table.indexed or self.chance.random() < 0.9]
        columns = columns or table.writable
        listed = ", ".join(c.sql for c in columns)
        return f"INSERT INTO {table.sql} ({listed}) VALUES ({', '.join(self._value(table, c, lossy) for c in columns)})"

    def _value(self, table: Table, column: Column, lossy: bool) -> str:
        chance = self.chance
        if column.parent:
            return "NULL" if chance.random() < 0.3 else column.parent.replace("{skipped}", str(chance.randrange(5)))
        if column.nullable and chance.random() < 0.15:
            return "NULL"
        if lossy and column.name not in table.indexed and column.kind.lossy and chance.random() < 0.3:
            return chance.choice(column.kind.lossy)
        return chance.choice(column.kind.values)
