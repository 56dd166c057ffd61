"""What a job into Kafka says of single tables: rows and columns. Its messages are what SQL makes of the source by the same
rule."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.links.ruled import World
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import folded, printed

FORMS = ("json_c", "json", "canal-json", "avro")
NAMED = "t"


def text(row: Any) -> str:
    return json.dumps(row, sort_keys=True)


def expected(source: FamilyServer, world: World) -> list[Any]:
    """As consumers are told it: texts."""
    with source.connect(world.name, conv={}) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(world.query())
        facts = [(column[0], column[1]) for column in cursor.description]
        added = {extra.name: str(world.added(extra)) for extra in world.rule.extras}
        rows = [
            {name: printed(value, kind) for (name, kind), value in zip(facts, row, strict=True)} | added
            for row in cursor.fetchall()
        ]
    return sorted(rows, key=text)


def found(tale: Tale) -> list[Any]:
    rows = folded(tale.values(tale.publishing.topic), tale.publishing.format).rows((tale.name, NAMED))
    return sorted((dict(row) for row in rows), key=text)


@pytest.mark.parametrize("seed", range(8))
def test_loaded_then_followed_equals_all_followed_equals_sql(
    source: FamilyServer, kafka: Kafka, tell: NewTale, seed: int
) -> None:
    chance = random.Random(seed)
    loaded = tell(source, kafka, format=FORMS[seed % len(FORMS)], ddl_topic="")
    world = World(chance, loaded.name, keyless=seed == 7, renames=False)
    loaded.selection = world.selection
    followed = loaded.another(topic=f"{loaded.name}_followed")
    loaded.at_source(world.made())
    followed.play()
    loaded.at_source(world.rows(0, 40))
    loaded.play({"load.begun": ";\n".join(world.changes(20))})
    loaded.at_source(list(world.changes(60)))
    loaded.play()
    followed.play()
    wanted = expected(source, world)
    assert found(loaded) == wanted, world.rule
    assert found(followed) == wanted, world.rule
