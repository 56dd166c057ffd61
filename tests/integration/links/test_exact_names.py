"""Databases and tables that are selected by their exact names, in which somebody has put the signs of patterns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opendrs.model.catalog import TableName
from opendrs.model.selection import Selection
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story
from tests.torture.live.oracle import differences, quote, tick

SELECTED = ("t*", "t?", "[t]", "t.u", "t%`x", "t_'\\")
DECOYS = ("tt", "t", "t.", "t_'x")


@contextmanager
def hostile(source: FamilyServer, *names: str) -> Iterator[None]:
    """Databases of these names, each with the same tables in it."""
    try:
        for name in names:
            source.execute(f"CREATE DATABASE {tick(name)}")
            for table in (*SELECTED, *DECOYS):
                source.execute(f"CREATE TABLE {tick(table)} (id INT PRIMARY KEY, v INT)", database=name)
                source.execute(f"INSERT INTO {tick(table)} VALUES (1, 1), (2, 2)", database=name)
        yield
    finally:
        for name in names:
            source.execute(f"DROP DATABASE IF EXISTS {tick(name)}")


def plain(table: str) -> bool:
    """A name that the oracle can ask for; the job's own proof asks for all of them."""
    return not set(table) & set("'\\`")


def places(story: Story, *databases: str) -> set[tuple[str, str]]:
    listed = ", ".join(f"'{name}'" for name in databases)
    rows = story.in_target(f"SELECT schemaname::text, tablename::text FROM pg_tables WHERE schemaname IN ({listed})")
    return {(str(schema), str(table)) for schema, table in rows}


@pytest.mark.parametrize("consistent", [False, True])
def test_names_with_signs_of_patterns_are_only_names(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path, consistent: bool
) -> None:
    name = database(source)
    whole, single, other = f"{name}*", f"{name}[?]", f"{name}x"
    selection = Selection(
        databases=frozenset({whole}), tables=frozenset(TableName(single, table) for table in SELECTED)
    )
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path, selection=selection
    )  # fmt: skip
    story.policy = type(story.policy)(consistent=consistent)
    with hostile(source, whole, single, other):
        story.play(check=True)
        wanted = {(whole, table) for table in (*SELECTED, *DECOYS)} | {(single, table) for table in SELECTED}
        assert places(story, whole, single, other, f"{name}?") == wanted
        for place in (whole, single, other):
            for table in (*SELECTED, *DECOYS):
                source.execute(f"INSERT INTO {tick(table)} VALUES (3, 3)", database=place)
                source.execute(f"UPDATE {tick(table)} SET v = 9 WHERE id = 1", database=place)
            source.execute("CREATE TABLE `new*` (id INT PRIMARY KEY)", database=place)
            source.execute("INSERT INTO `new*` VALUES (1)", database=place)
            source.execute("ALTER TABLE `t*` ADD COLUMN w INT", database=place)
            source.execute("ALTER TABLE tt ADD COLUMN w INT", database=place)
        story.play()
        assert places(story, whole, single, other) == wanted | {(whole, "new*")}
        assert not story.unproven()
        for place in (whole, single):
            found = differences(source, target, place, story.there, selected=plain)
            assert not [one for one in found if " is " not in one]  # which are there is known from `places`
        rows = story.in_target(f"SELECT * FROM {quote(single)}.{quote('t*')} ORDER BY 1")
        assert rows == [(1, 9, None), (2, 2, None), (3, 3, None)]


def test_what_is_named_and_not_there_is_a_finding(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    name = database(source)
    there = database(target)
    story = Story(source=source, target=target, name=name, there=there, folder=tmp_path)
    story.at_source("CREATE TABLE t (id INT PRIMARY KEY)")
    for selection, lost in [
        (Selection(databases=frozenset({name, f"{name}*"})), f"{name}*"),
        (Selection(tables=frozenset({TableName(name, "t"), TableName(name, "t*")})), f"{name}.t*"),
    ]:
        story.selection = selection
        (finding,) = [one for one in story.checked() if one.result == "FAILED"]
        assert finding.message.startswith(f"Nothing is found for {lost}.")
    story.selection = Selection(databases=frozenset({name}))
    assert not [one for one in story.checked() if one.result == "FAILED"]
