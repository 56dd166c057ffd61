"""What a job says of single tables: names, rows, columns. The target is what SQL makes of the source by the same rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opendrs.model.catalog import TableName
from opendrs.model.job import ApplyMode, Policy
from opendrs.model.rules import Dml, ExtraColumn, TableRule
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
EXTRAS = (
    ExtraColumn(name="mark", kind="default_value", type="int", value="7"),
    ExtraColumn(name="word", kind="default_value", type="varchar(256)", value="it's ü"),
    ExtraColumn(name="came_from", kind="expression", type="varchar(256)"),
    ExtraColumn(name="server", kind="server_database_table", type="varchar(191)", value="10.0.0.1"),
)


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

    def expected(self, source: FamilyServer) -> list[tuple[object, ...]]:
        wanted = [name for name in self.columns if self.rule.arrives(name) is not None]
        columns = ", ".join(["id", *(f"`{name}`" for name in wanted)])
        where = f" WHERE {self.rule.filter}" if self.rule.filter else ""
        with source.connect(self.name) as connection, connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute(f"SELECT {columns} FROM t{where}")
            added = tuple(self.added(extra) for extra in self.rule.extras)
            return sorted(((*row, *added) for row in cursor.fetchall()), key=repr)

    def added(self, extra: ExtraColumn) -> object:
        if extra.kind == "default_value":
            return int(extra.value) if extra.type == "int" else extra.value
        return extra.of(TableName(self.name, "t"))

    def found(self, story: Story) -> list[tuple[object, ...]]:
        wanted = [there for name in self.columns if (there := self.rule.arrives(name)) is not None]
        wanted += [extra.name for extra in self.rule.extras]
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


@dataclass(slots=True)
class Followed:
    """What rows come to of which only some changes are followed."""

    dml: str
    rows: dict[int, int] = field(default_factory=dict)

    def insert(self, key: int, value: int) -> None:
        if "i" in self.dml:
            self.rows[key] = value  # one that is there was deleted at the source, and nobody told

    def update(self, key: int, new: int, value: int) -> None:
        if "u" in self.dml and key in self.rows:
            del self.rows[key]
            self.rows[new] = value

    def delete(self, key: int) -> None:
        if "d" in self.dml:
            self.rows.pop(key, None)


@dataclass(slots=True)
class Changing:
    """A table of `id` and `v` that changes at random, and what those come to who follow."""

    chance: random.Random
    name: str
    here: Followed = field(default_factory=lambda: Followed("iud"))
    there: list[Followed] = field(default_factory=list)

    def changes(self, count: int) -> Iterator[str]:
        for _ in range(count):
            key, new, value = (self.chance.randint(1, 20) for _ in range(3))
            if key not in self.here.rows:
                yield f"INSERT INTO {self.name} VALUES ({key}, {value})"
                self._each(lambda one, key=key, value=value: one.insert(key, value))
            elif self.chance.random() < 0.4:
                yield f"DELETE FROM {self.name} WHERE id = {key}"
                self._each(lambda one, key=key: one.delete(key))
            else:
                new = key if new in self.here.rows else new
                yield f"UPDATE {self.name} SET id = {new}, v = {100 + value} WHERE id = {key}"
                self._each(lambda one, key=key, new=new, value=value: one.update(key, new, 100 + value))

    def _each(self, change: Callable[[Followed], None]) -> None:
        for one in (self.here, *self.there):
            change(one)


@pytest.mark.parametrize("apply", ["transactional", "merged"])
@pytest.mark.parametrize("dml", ["i", "u", "d", "iu", "id", "ud"])
def test_only_some_changes_are_carried_over(
    mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, tmp_path: Path, dml: str, apply: ApplyMode
) -> None:
    """As the policy has it for all tables; what is said of one table counts more."""
    name, own = database(mariadb), frozenset[Dml]({"u"})
    story = Story(
        source=mariadb, target=postgres, name=name, there=database(postgres), folder=tmp_path,
        selection=Selection(databases=frozenset({name}), rules={TableName(name, "u"): TableRule(dml=own)}),
    )  # fmt: skip
    story.policy = Policy(dml=dml, apply=apply)
    tables = [Changing(random.Random(dml + one), one) for one in ("t", "u")]
    for table in tables:
        story.at_source(f"CREATE TABLE {table.name} (id INT PRIMARY KEY, v INT)")
        story.at_source(list(table.changes(30)))
        rows = dict(table.here.rows)
        table.there = [Followed("u" if table.name == "u" else dml, rows)]
    story.play()
    for _ in range(3):
        for table in tables:
            story.at_source(list(table.changes(25)))
        story.play()
    for table in tables:
        (expected,) = table.there
        assert dict(story.in_target(f'SELECT id, v FROM "{name}"."{table.name}"')) == expected.rows
