"""The looks at what is selected at a source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opendrs.engines.mysql import prechecks_objects as looks
from opendrs.model.catalog import Action, ForeignKey, TableName, View
from opendrs.model.precheck import Unseen
from opendrs.model.selection import Selection
from opendrs.model.types import Logical
from tests.unit.prechecks.mysql_fakes import MARIADB, MYSQL, column, objects, server, table

LIMITED = "GRANT SELECT ON `shop`.* TO `u`@`%`"


@pytest.mark.parametrize(
    ("patterns", "grants", "result"),
    [
        (("shop.orders",), LIMITED, "PASSED"),
        (("shop.*",), LIMITED, "PASSED"),
        ((), LIMITED, "ALARM"),
        (("*.*",), LIMITED, "ALARM"),
        (("s*.orders",), LIMITED, "ALARM"),
        ((), "GRANT SELECT ON *.* TO `u`@`%`", "PASSED"),
        (("shop.order",), LIMITED, "FAILED"),
        (("shop.orders", "shop.x*"), LIMITED, "FAILED"),
    ],
)
def test_selection(patterns: tuple[str, ...], grants: str, result: str) -> None:
    source = server(selection=Selection(patterns=patterns), grants=[grants])
    assert looks.selection(objects(source, table("orders"))).result == result


def test_what_is_not_found_may_only_not_be_seen() -> None:
    source = server(selection=Selection(patterns=("shop.x", "b`d.*", "*.y")))
    verdict = looks.selection(objects(source))
    assert "shop.x, b`d.*, *.y" in verdict.message
    for statement in ("ON `shop`.`x` TO", "ON `b``d`.* TO", "ON *.* TO"):
        assert statement in verdict.remedy


def test_nothing_is_there() -> None:
    verdict = looks.selection(objects(server()))
    assert verdict.result == "FAILED"
    assert "Nothing is selected" in verdict.message


@pytest.mark.parametrize("engine", sorted(looks.KEPT))
def test_engines_with_transactions(engine: str) -> None:
    assert [one.result for one in looks.engines(objects(server(), table(engine=engine)))] == ["PASSED"]


@pytest.mark.parametrize("engine", [*sorted(looks.RELUCTANT), "HEAP", "MyISAM", "Aria", "MEMORY", "ARCHIVE"])
def test_engines_that_keep_less(engine: str) -> None:
    (verdict,) = looks.engines(objects(server(), table(engine=engine)))
    assert verdict.result == "ALARM"
    assert "ALTER TABLE `shop`.`orders` ENGINE = InnoDB;" in verdict.remedy


@pytest.mark.parametrize(
    "engine", [*sorted(looks.REFUSED), "FEDERATED", "BLACKHOLE", "CSV", "MRG_MyISAM", "OQGRAPH", ""]
)
def test_engines_that_are_refused(engine: str) -> None:
    (verdict,) = looks.engines(objects(server(), table(engine=engine)))
    assert verdict.result == "FAILED"
    assert "ALTER TABLE `shop`.`orders` ENGINE = InnoDB;" in verdict.remedy


def test_both_kinds_of_engines_are_told() -> None:
    seen = objects(server(), table("a", engine="CSV"), table("b", engine="Aria"), table("c"))
    assert [one.result for one in looks.engines(seen)] == ["FAILED", "ALARM"]


def test_tables_without_a_key() -> None:
    assert looks.keys(objects(server(), table())).result == "PASSED"
    verdict = looks.keys(objects(server(), table("log", key=False), table()))
    assert verdict.result == "ALARM"
    assert "shop.log." in verdict.message and "under a lock" in verdict.message
    # The column id is there already.
    assert "ADD COLUMN `row_id` BIGINT" in verdict.remedy or "ADD COLUMN row_id BIGINT" in verdict.remedy


def test_the_lock_of_a_table_without_a_key_is_not_needed_on_mariadb() -> None:
    verdict = looks.keys(objects(server(version=MARIADB), table("log", key=False)))
    assert "under a lock" not in verdict.message


def test_of_many_things_some_are_named_and_the_others_counted() -> None:
    seen = objects(server(), *(table(f"t{n:03}", key=False) for n in range(100)))
    verdict = looks.keys(seen)
    assert "shop.t019 and 80 more" in verdict.message
    assert "likewise for 80 more" in verdict.remedy


def foreign_key(to: str, on_delete: Action = "NO ACTION") -> ForeignKey:
    return ForeignKey(
        name="fk", columns=("p",), referenced=TableName("shop", to), referenced_columns=("id",), on_delete=on_delete
    )


def test_foreign_keys() -> None:
    child = table("items", foreign_keys=[foreign_key("orders")])
    assert looks.foreign_keys(objects(server(), table(), child)).result == "PASSED"
    verdict = looks.foreign_keys(objects(server(), child))
    assert verdict.result == "ALARM"
    assert "shop.items.fk to shop.orders" in verdict.message


def referring(owner: str, rule: str, schema: str = "shop") -> list[tuple[str, Any]]:
    usage = {
        "CONSTRAINT_SCHEMA": schema, "CONSTRAINT_NAME": "fk", "TABLE_SCHEMA": schema, "TABLE_NAME": owner,
        "COLUMN_NAME": "p", "ORDINAL_POSITION": "1", "REFERENCED_TABLE_SCHEMA": "shop",
        "REFERENCED_TABLE_NAME": "orders", "REFERENCED_COLUMN_NAME": "id",
    }  # fmt: skip
    actions = {
        "CONSTRAINT_SCHEMA": schema, "TABLE_NAME": owner, "CONSTRAINT_NAME": "fk", "DELETE_RULE": rule,
        "UPDATE_RULE": "RESTRICT",
    }  # fmt: skip
    return [("KEY_COLUMN_USAGE", [usage]), ("REFERENTIAL_CONSTRAINTS", [actions])]


NONE = [("KEY_COLUMN_USAGE", [])]


def test_cascades_among_selected_tables() -> None:
    child = table("items", foreign_keys=[foreign_key("orders", "CASCADE")])
    source = server(*referring("items", "CASCADE"), version=MARIADB)
    assert [one.result for one in looks.cascades(objects(source, table(), child))] == ["PASSED"]


def test_cascades_into_tables_that_are_not_selected() -> None:
    source = server(*referring("items", "CASCADE", schema="warehouse"), version=MARIADB)
    (verdict,) = looks.cascades(objects(source, table()))
    assert verdict.result == "FAILED"
    assert "warehouse.items by fk (to shop.orders, ON DELETE CASCADE" in verdict.message
    assert "Select warehouse.items as well" in verdict.remedy


def test_cascades_from_tables_that_are_not_selected() -> None:
    child = table("items", foreign_keys=[foreign_key("orders", "SET NULL")])
    (verdict,) = looks.cascades(objects(server(*NONE, version=MARIADB), child))
    assert verdict.result == "FAILED"
    assert "shop.items by fk (to shop.orders, ON DELETE SET NULL" in verdict.message
    assert "Select shop.orders as well" in verdict.remedy


def test_foreign_keys_that_change_nothing_are_no_cascades() -> None:
    source = server(*referring("items", "RESTRICT"), version=MARIADB)
    assert [one.result for one in looks.cascades(objects(source, table()))] == ["PASSED"]


@pytest.mark.parametrize(("native", "result"), [("OFF", "PASSED"), ("ON", "FAILED"), (None, "FAILED")])
def test_mysql_logs_cascades_from_9_6_on(native: str | None, result: str) -> None:
    source = server(*referring("items", "CASCADE"), settings={"innodb_native_foreign_keys": native})
    assert [one.result for one in looks.cascades(objects(source, table()))] == [result]


def test_names_of_tables_and_views() -> None:
    assert looks.table_names(objects(server(), table())).result == "PASSED"
    assert looks.table_names(objects(server(), table("größe"))).result == "ALARM"
    assert looks.view_names(objects(server())).result == "PASSED"
    view = View(name=TableName("shop", "注文"), definition="select 1")
    assert looks.view_names(objects(server(), views=[view])).result == "ALARM"


@pytest.mark.parametrize(
    ("schema", "result"),
    [("shop", "PASSED"), ("my-shop", "PASSED"), ("a/b", "ALARM"), ("o'clock", "ALARM"), ("ö", "ALARM")],
)
def test_names_of_databases(schema: str, result: str) -> None:
    assert looks.database_names(objects(server(), table(schema=schema))).result == result


def test_line_breaks_in_names() -> None:
    assert looks.breaks(objects(server(), table())).result == "PASSED"
    assert looks.breaks(objects(server(), table("a\nb"))).result == "ALARM"
    assert looks.breaks(objects(server(), table("a", column("b\tc")))).result == "ALARM"


T = TableName("shop", "t")


def test_triggers_and_events() -> None:
    assert looks.triggers(objects(server(), table())).result == "PASSED"
    for kind in ("trigger", "event"):
        verdict = looks.triggers(objects(server(), table(), others=[(kind, T)]))
        assert verdict.result == "ALARM"
        assert f"{kind} shop.t" in verdict.message


@pytest.mark.parametrize(("grants", "privilege"), [("EVENT", "TRIGGER"), ("TRIGGER", "EVENT")])
def test_triggers_cannot_be_seen_without_a_privilege(grants: str, privilege: str) -> None:
    source = server(grants=[f"GRANT {grants} ON *.* TO `u`@`%`"])
    with pytest.raises(Unseen) as unseen:
        looks.triggers(objects(source, table()))
    assert unseen.value.remedy == f"GRANT {privilege} ON `shop`.* TO 'u'@'%';"


def acting(name: str, on_delete: Action = "CASCADE") -> ForeignKey:
    return ForeignKey(
        name=name, columns=("p",), referenced=TableName("other", "p"), referenced_columns=("id",), on_delete=on_delete
    )


@pytest.mark.parametrize(
    ("settings", "version", "keys", "result"),
    [
        ({}, MARIADB, [acting("fk")], "FAILED"),
        ({}, MARIADB, [acting("fk", "RESTRICT")], "PASSED"),
        ({}, MARIADB, [], "PASSED"),
        ({"innodb_native_foreign_keys": "ON"}, MYSQL, [acting("fk")], "FAILED"),
        # The log tells what they do.
        ({"innodb_native_foreign_keys": "OFF"}, MYSQL, [acting("fk")], "PASSED"),
    ],
)
def test_what_foreign_keys_do_where_nobody_does_it_again(
    settings: dict[str, str], version: str, keys: list[ForeignKey], result: str
) -> None:
    """Consumers of messages are told what the log says and nothing else, whichever table the key is to."""
    source = replace(server(version=version, settings=settings), stands_in=False)
    (verdict,) = looks.cascades(objects(source, table("c", foreign_keys=keys), table("p")))
    assert verdict.result == result
    assert result == "PASSED" or ("shop.c by fk" in verdict.message and "consumers would never know" in verdict.message)


def test_routines() -> None:
    assert looks.routines(objects(server(), table())).result == "PASSED"
    verdict = looks.routines(objects(server(), table(), others=[("procedure", T), ("function", T), ("sequence", T)]))
    assert verdict.result == "ALARM"
    assert "procedure shop.t, function shop.t" in verdict.message and "sequence" not in verdict.message


def test_routines_cannot_be_seen_without_a_privilege() -> None:
    with pytest.raises(Unseen, match="EXECUTE"):
        looks.routines(objects(server(grants=[LIMITED]), table()))
    assert looks.routines(objects(server(grants=["GRANT SELECT ON *.* TO `u`@`%`"]), table())).result == "PASSED"


def test_sequences() -> None:
    assert looks.sequences(objects(server(), table())).result == "PASSED"
    assert looks.sequences(objects(server(), table(), others=[("sequence", T)])).result == "ALARM"


@pytest.mark.parametrize(
    ("metadata", "member", "result"),
    [("FULL", "a?", "PASSED"), ("MINIMAL", "a?", "FAILED"), ("MINIMAL", "a", "PASSED"), ("", "?", "FAILED")],
)
def test_members_that_the_catalog_cannot_print(metadata: str, member: str, result: str) -> None:
    source = server(settings={"binlog_row_metadata": metadata})
    own = table("items")
    column = replace(own.columns[0], name="e", type=Logical(kind="enum"), native="enum", members=("b", member))
    verdict = looks.members(objects(source, replace(own, columns=(*own.columns, column))))
    assert verdict.result == result
    assert result == "PASSED" or "shop.items.e" in verdict.message
