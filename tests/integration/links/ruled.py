"""Tables of chance shapes under rules of chance, and what SQL makes of the source by the same rules."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from opendrs.model.catalog import TableName
from opendrs.model.rules import ExtraColumn, TableRule
from opendrs.model.selection import Selection

# name -> (type, values as SQL)
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "n": ("INT", ("-5", "0", "1", "2", "3", "7", "NULL")),
    "amount": ("DECIMAL(12,2)", ("-1.50", "0", "9.99", "10.00", "NULL")),
    "state": ("VARCHAR(20)", ("'open'", "'OPEN'", "'shut'", "'öpen'", "''", "NULL")),
    "at": ("DATETIME(3)", ("'2024-01-01 00:00:00'", "'2024-02-29 12:30:00.500'", "'2025-01-01'", "NULL")),
    "kind": ("ENUM('a','b','c')", ("'a'", "'b'", "'c'", "NULL")),
    "note": ("TEXT", ("'long'", "'ü'", "NULL")),
}
FILTERS = (
    "n > 0", "n % 2 = 1 OR n IS NULL", "state = 'open'", "state <> 'shut'", "state LIKE 'o%' AND n < 5", "kind IN ('a', 'c')",
    "at >= '2024-02-01' AND NOT amount < 1", "amount BETWEEN 0 AND 9.99", "id > 20", "id % 3 <> 0 AND state IS NOT NULL", "",
)  # fmt: skip
EXTRAS = (
    ExtraColumn(name="mark", kind="default_value", type="int", value="7"),
    ExtraColumn(name="word", kind="default_value", type="varchar(256)", value="it's ü"),
    ExtraColumn(name="came_from", kind="expression", type="varchar(256)"),
    ExtraColumn(name="server", kind="server_database_table", type="varchar(191)", value="10.0.0.1"),
)


@dataclass(slots=True)
class World:
    """A table of a chance shape under a rule of chance, and what happens to its rows. `renames`: it may arrive under
    another name."""

    chance: random.Random
    name: str
    keyless: bool = False
    renames: bool = True
    columns: list[str] = field(default_factory=list)
    rule: TableRule = field(default_factory=TableRule)

    def __post_init__(self) -> None:
        self.columns = self.chance.sample(list(KINDS), self.chance.randint(2, len(KINDS)))
        names = {column: self.chance.choice([column, column, None, f"{column}_there"]) for column in self.columns}
        known = {*self.columns, "id"}
        fitting = [text for text in FILTERS if {word for word in KINDS if f"{word} " in f" {text}"} <= known]
        renamed = self.chance.choice(["", "elsewhere"]) if self.renames else ""
        self.rule = TableRule(
            table=renamed,
            filter=self.chance.choice(fitting),
            columns={column: target for column, target in names.items() if target != column},
            extras=tuple(self.chance.sample(EXTRAS, self.chance.randint(0, len(EXTRAS)))),
        )

    @property
    def key(self) -> str:
        return "" if self.keyless else ", PRIMARY KEY (id)"

    def made(self) -> str:
        columns = ", ".join(f"`{name}` {KINDS[name][0]}" for name in self.columns)
        return f"CREATE TABLE t (id INT NOT NULL, {columns}{self.key})"

    def row(self, number: int) -> str:
        return f"({number}, {', '.join(self.chance.choice(KINDS[name][1]) for name in self.columns)})"

    def rows(self, first: int, count: int) -> str:
        return f"INSERT INTO t VALUES {', '.join(self.row(number) for number in range(first, first + count))}"

    def changes(self, count: int) -> Iterator[str]:
        for _ in range(count):
            at = self.chance.randint(0, 60)
            match self.chance.randrange(4):
                case 0:
                    yield (
                        f"REPLACE INTO t VALUES {self.row(at)}"
                        if not self.keyless
                        else f"INSERT INTO t VALUES {self.row(at)}"
                    )
                case 1:
                    yield f"DELETE FROM t WHERE id = {at}"
                case 2 if not self.keyless:
                    yield f"UPDATE IGNORE t SET id = {self.chance.randint(0, 60)} WHERE id = {at}"
                case _:
                    name = self.chance.choice(self.columns)
                    value = self.chance.choice(KINDS[name][1])
                    yield f"UPDATE t SET `{name}` = {value} WHERE id BETWEEN {at} AND {at + 3}"

    @property
    def selection(self) -> Selection:
        return Selection(databases=frozenset({self.name}), rules={TableName(self.name, "t"): self.rule})

    def query(self) -> str:
        """The rows that are to arrive, without additional columns."""
        wanted = [name for name in self.columns if self.rule.arrives(name) is not None]
        columns = ", ".join(["id", *(f"`{name}` AS `{self.rule.arrives(name)}`" for name in wanted)])
        where = f" WHERE {self.rule.filter}" if self.rule.filter else ""
        return f"SELECT {columns} FROM t{where}"

    def arriving(self) -> list[str]:
        """The columns of the target, additional ones behind the others."""
        wanted = [there for name in self.columns if (there := self.rule.arrives(name)) is not None]
        return ["id", *wanted, *(extra.name for extra in self.rule.extras)]

    def added(self, extra: ExtraColumn) -> object:
        if extra.kind == "default_value":
            return int(extra.value) if extra.type == "int" else extra.value
        return extra.of(TableName(self.name, "t"))
