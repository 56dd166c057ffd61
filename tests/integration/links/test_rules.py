"""What a job says of single tables: names, rows, columns. The target is what SQL makes of the source by the same rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opendrs.model.catalog import TableName
from opendrs.model.job import ApplyMode, Policy
from opendrs.model.rules import Dml, TableRule
from opendrs.model.selection import Selection
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.ruled import World
from tests.integration.links.story import Story


def expected(source: FamilyServer, world: World) -> list[tuple[object, ...]]:
    with source.connect(world.name) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(world.query())
        added = tuple(world.added(extra) for extra in world.rule.extras)
        return sorted(((*row, *added) for row in cursor.fetchall()), key=repr)


def found(story: Story, world: World) -> list[tuple[object, ...]]:
    columns = ", ".join(f'"{name}"' for name in world.arriving())
    rows = story.in_target(f'SELECT {columns} FROM "{world.name}"."{world.rule.table or "t"}"')
    return sorted(rows, key=repr)


def story_of(source: FamilyServer, target: Postgres, database: NewDatabase, folder: Path, world: World) -> Story:
    return Story(
        source=source, target=target, name=world.name, there=database(target), folder=folder, selection=world.selection
    )


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
    wanted = expected(source, world)
    assert found(loaded, world) == wanted, world.rule
    assert found(streamed, world) == wanted, world.rule
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
        (wanted,) = table.there
        assert dict(story.in_target(f'SELECT id, v FROM "{name}"."{table.name}"')) == wanted.rows
