"""Names of databases and tables that are names of topics."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.control.objects import selection
from opendrs.control.tree import DbObject
from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.selection import Selection


def chosen(target: Any = "kafka", **info: Any) -> Selection:
    return selection(DbObject.model_validate({"object_scope": "table", "object_info": info}), target)


def test_topics() -> None:
    found = chosen(
        whole={"name": "a-topic", "all": True},
        same={"name": "same", "all": True},
        some={"name": "of.some", "tables": {"t": {"name": "own_1"}, "u": {"name": "u"}, "v": {}}},
    )
    assert found.schemas == {}
    assert found.topics == {
        TableName("whole", ""): "a-topic", TableName("some", ""): "of.some", TableName("some", "t"): "own_1"
    }  # fmt: skip
    assert [found.topic(TableName(*name)) for name in (("whole", "x"), ("some", "t"), ("some", "u"), ("same", "x"))] == [
        "a-topic", "own_1", "of.some", None
    ]  # fmt: skip
    assert Selection.from_json(found.to_json()) == found


@pytest.mark.parametrize("name", ["a b", "a/b", "ä", ".", "..", "x" * 250, "$database$"])
def test_no_topics(name: str) -> None:
    for info in ({"name": name, "all": True}, {"tables": {"t": {"name": name}}}):
        with pytest.raises(DrsError, match="is no name of a topic"):
            chosen(shop=info)


def test_other_targets_are_as_they_were() -> None:
    assert chosen("postgresql", shop={"name": "a b", "all": True}).schemas == {"shop": "a b"}
    renamed = chosen("postgresql", shop={"tables": {"t": {"name": "u"}}})
    assert renamed.target(TableName("shop", "t")) == TableName("shop", "u") and not renamed.topics
    with pytest.raises(DrsError, match="a topic is in no database"):
        chosen(shop={"tables": {"t": {"name": "t", "db_alias_name": "x"}}})
