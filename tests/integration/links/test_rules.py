"""What a job says of single tables: names, rows, columns. The target is what SQL makes of the source by the same rule."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opendrs.model.catalog import TableName
from opendrs.model.rules import TableRule
from opendrs.model.selection import Selection
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story

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


@dataclass(slots=True)
class World:
    """A table of a chance shape under a rule of chance, and what happens to its rows."""

    chance: random.Random
    name: str
    keyless: bool = False
    columns: list[str] = field(default_factory=list)
    rule: TableRule = field(default_factory=TableRule)

    def __post_init__(self) -> None:
        self.columns = self.chance.sample(list(KINDS), self.chance.randint(2, len(KINDS)))
        names = {column: self.chance.choice([column, column, None, f"{column}_there"]) for column in self.columns}
        known = {*self.columns, "id"}
        fitting = [text for text in FILTERS if {word for word in KINDS if f"{word} " in f" {text}"} <= known]
        renamed = self.chance.choice(["", "elsewhere"])
        self.rule = TableRule(
            table=renamed,
            filter=self.chance.choice(fitting),
            columns={column: target for column, target in names.items() if target != column},
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

    def expected(self, source: FamilyServer) -> list[tuple[object, ...]]:
        wanted = [name for name in self.columns if self.rule.arrives(name) is not None]
        columns = ", ".join(["id", *(f"`{name}`" for name in wanted)])
        where = f" WHERE {self.rule.filter}" if self.rule.filter else ""
        with source.connect(self.name) as connection, connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute(f"SELECT {columns} FROM t{where}")
            return sorted(cursor.fetchall(), key=repr)

    def found(self, story: Story) -> list[tuple[object, ...]]:
        wanted = [there for name in self.columns if (there := self.rule.arrives(name)) is not None]
        columns = ", ".join(["id", *(f'"{name}"' for name in wanted)])
        rows = story.in_target(f'SELECT {columns} FROM "{self.name}"."{self.rule.table or "t"}"')
        return sorted(rows, key=repr)


def story_of(source: FamilyServer, target: Postgres, database: NewDatabase, folder: Path, world: World) -> Story:
    table = TableName(world.name, "t")
    return Story(
        source=source, target=target, name=world.name, there=database(target), folder=folder,
        selection=Selection(databases=frozenset({world.name}), rules={table: world.rule}),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_loaded_then_streamed_equals_all_streamed_equals_sql(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path, seed: int
) -> None:
    world = World(random.Random(seed), database(source), keyless=seed == 7)
    loaded = story_of(source, target, database, tmp_path / "loaded", world)
    streamed = story_of(source, target, database, tmp_path / "streamed", world)
    for story in (loaded, streamed):
        story.folder.mkdir()
    loaded.at_source(world.made())
    streamed.play()
    loaded.at_source([world.rows(0, 40)])
    loaded.play({"load.begun": ";\n".join(world.changes(20))})
    loaded.at_source(list(world.changes(60)))
    loaded.play()
    streamed.play()
    expected = world.expected(source)
    assert world.found(loaded) == expected, world.rule
    assert world.found(streamed) == expected, world.rule
    assert not loaded.unproven()
