"""The looks at what a target has already, and at what becomes of the source's schema there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opendrs.engines.postgres import prechecks_objects as looks
from opendrs.engines.postgres import prechecks_schema as schema
from opendrs.model.catalog import Generated, Index, IndexPart, TableName, View
from opendrs.model.job import Policy
from opendrs.model.precheck import Unseen
from opendrs.model.types import Logical
from tests.unit.prechecks.mysql_fakes import column, table
from tests.unit.prechecks.postgres_fakes import Answer, arrival, asked, denied, objects, refused, server

YES = ("t", "t", "t")
Rows = list[tuple[Any, ...]]


def target(relations: Rows, columns: Rows | None = None, rows: str = "f", **more: Answer) -> Any:
    made = [("shop", "orders", "id", "integer", "t")]
    return server(
        *more.items(),
        ("has_table_privilege", relations),
        ("format_type", made if columns is None else columns),
        ("SELECT EXISTS", [(rows,)]),
    )


def results(verdicts: list[Any]) -> list[str]:
    return [verdict.result for verdict in verdicts]


ORDERS = table("orders")


def test_nothing_is_there() -> None:
    assert results(looks.empty(objects(target([]), ORDERS))) == ["PASSED"]


def test_a_table_that_is_empty_and_as_it_would_be_made() -> None:
    (verdict,) = looks.empty(objects(target([("shop", "orders", "r", "1", *YES)]), ORDERS))
    assert verdict.result == "PASSED" and "1 table there" in verdict.message


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [("shop", "orders", "id", "bigint", "t")],
        [("shop", "orders", "id", "integer", "t"), ("shop", "orders", "more", "integer", "t")],
    ],
)
def test_a_table_that_is_empty_and_other(columns: Rows) -> None:
    (verdict,) = looks.empty(objects(target([("shop", "orders", "r", "1", *YES)], columns), ORDERS))
    assert verdict.result == "FAILED"
    assert verdict.remedy == 'DROP TABLE "shop"."orders";'


def test_a_table_with_a_further_column_that_may_be_null() -> None:
    columns = [("shop", "orders", "id", "integer", "t"), ("shop", "orders", "more", "integer", "f")]
    assert results(looks.empty(objects(target([("shop", "orders", "r", "1", *YES)], columns), ORDERS))) == ["PASSED"]


def test_a_table_with_rows() -> None:
    (verdict,) = looks.empty(objects(target([("shop", "orders", "r", "1", *YES)], rows="t"), ORDERS))
    assert verdict.result == "FAILED"
    assert 'TRUNCATE "shop"."orders";' in verdict.remedy


@pytest.mark.parametrize("privileges", [("f", "t", "t"), ("t", "f", "t")])
def test_a_table_of_somebody_else(privileges: tuple[str, str, str]) -> None:
    (verdict,) = looks.empty(objects(target([("shop", "orders", "r", "1", *privileges)]), ORDERS))
    assert verdict.result == "FAILED"
    assert verdict.remedy == 'ALTER TABLE "shop"."orders" OWNER TO "u";'


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("v", "ALTER VIEW"),
        ("S", "ALTER SEQUENCE"),
        ("i", "ALTER INDEX"),
        ("m", "ALTER MATERIALIZED VIEW"),
        ("c", "ALTER TYPE"),
    ],
)
def test_something_else_of_that_name(kind: str, statement: str) -> None:
    (verdict,) = looks.empty(objects(target([("shop", "orders", kind, "1", *YES)]), ORDERS))
    assert verdict.result == "FAILED"
    assert f'{statement} "shop"."orders" RENAME TO "orders_before";' in verdict.remedy


def test_a_table_that_cannot_be_asked() -> None:
    seen = target([("shop", "orders", "r", "1", *YES)], **{"SELECT EXISTS": refused("lock timeout")})
    (verdict,) = looks.empty(objects(seen, ORDERS))
    assert verdict.result == "FAILED" and "shop.orders" in verdict.message and "lock timeout" in verdict.message


def test_all_obstacles_are_told_at_once() -> None:
    relations = [("shop", "a", "v", "1", *YES), ("shop", "b", "r", "1", "f", "f", "f"), ("shop", "c", "r", "1", *YES)]
    seen = objects(
        target(relations, [("shop", "c", "id", "integer", "t")], rows="t"), table("a"), table("b"), table("c")
    )
    assert results(looks.empty(seen)) == ["FAILED", "FAILED", "FAILED"]


# --- a job that only follows the log ---


def test_tables_that_a_log_alone_needs() -> None:
    there = [("shop", "orders", "r", "1", *YES)]
    assert results(looks.existing(objects(target(there), ORDERS))) == ["PASSED"]
    assert results(looks.existing(objects(target([]), ORDERS))) == ["FAILED"]


def test_tables_that_may_not_be_written() -> None:
    (verdict,) = looks.existing(objects(target([("shop", "orders", "r", "1", "f", "t", "f")]), ORDERS))
    assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON "shop"."orders" TO "u";' in verdict.remedy


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ([], "lacks columns: shop.orders.id"),
        ([("shop", "orders", "id", "integer", "t"), ("shop", "orders", "x", "text", "t")], "shop.orders.x"),
    ],
)
def test_columns_that_a_log_alone_needs(columns: Rows, text: str) -> None:
    (verdict,) = looks.existing(objects(target([("shop", "orders", "r", "1", *YES)], columns), ORDERS))
    assert verdict.result == "FAILED" and text in verdict.message


@pytest.mark.parametrize(
    ("uniques", "result"),
    [([], "ALARM"), ([("shop", "orders", '["id"]')], "PASSED"), ([("shop", "orders", '["x"]')], "ALARM")],
)
def test_unique_indexes(uniques: Rows, result: str) -> None:
    verdict = looks.keys(objects(server(("indisunique", uniques)), ORDERS))
    assert verdict.result == result
    assert ('CREATE UNIQUE INDEX ON "shop"."orders" ("id");' in verdict.remedy) == (result == "ALARM")


def test_a_table_without_a_key_needs_no_index() -> None:
    assert looks.keys(objects(server(("indisunique", [])), table(key=False))).result == "PASSED"


def test_triggers() -> None:
    assert looks.triggers(objects(server(("pg_trigger", [])), ORDERS)).result == "PASSED"
    verdict = looks.triggers(objects(server(("pg_trigger", [("shop", "orders", "audit")])), ORDERS))
    assert verdict.result == "ALARM"
    assert verdict.remedy == 'ALTER TABLE "shop"."orders" DISABLE TRIGGER "audit";'


# --- the rehearsal ---


def test_a_rehearsal_is_taken_back() -> None:
    seen = server(("has_table_privilege", []), (".", []))
    assert looks.rehearsal(objects(seen, table("a"), table("b"))).result == "PASSED"
    words = [sql.split()[0] for sql in asked(seen)]
    assert words.count("BEGIN") == words.count("ROLLBACK") == 2 and words[-1] == "ROLLBACK"


def test_a_rehearsal_tells_all_tables_that_are_refused() -> None:
    seen = server(("has_table_privilege", []), ('CREATE TABLE.*"(a|b)"', refused("no")), (".", []))
    verdict = looks.rehearsal(objects(seen, table("a"), table("b"), table("c")))
    assert verdict.result == "FAILED"
    assert "shop.a" in verdict.message and "shop.b" in verdict.message and "shop.c" not in verdict.message
    assert asked(seen)[-1] == "ROLLBACK"


def test_a_rehearsal_of_very_many_tables_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "REHEARSAL_S", -1)
    verdict = looks.rehearsal(objects(server(("has_table_privilege", [])), table("a"), table("b")))
    assert verdict.result == "PASSED" and "0 tables (of 2" in verdict.message


def test_a_rehearsal_leaves_alone_what_is_there() -> None:
    seen = server(("has_table_privilege", [("shop", "orders", "r", "1", *YES)]))
    assert "0 tables" in looks.rehearsal(objects(seen, ORDERS)).message


def test_a_rehearsal_where_nothing_can_be_written() -> None:
    answers: list[tuple[str, Answer]] = [("has_table_privilege", []), ("CREATE", refused("SQLSTATE 25006")), (".", [])]
    with pytest.raises(Unseen, match="takes no writes"):
        looks.rehearsal(objects(server(*answers), ORDERS))
    answers[1] = ("CREATE", denied())
    with pytest.raises(type(denied())):
        looks.rehearsal(objects(server(*answers), ORDERS))


# --- the schema ---


def test_names() -> None:
    assert results(schema.names(arrival(ORDERS))) == ["PASSED"]
    (verdict,) = schema.names(arrival(table("n" * 64), table("t", column("ctid"))))
    assert verdict.result == "ALARM"
    assert "shop.t.ctid as ctid_" in verdict.message
    (verdict,) = schema.names(arrival(table(schema="pg_shop")))
    assert "as db_pg_shop_" in verdict.message


def test_two_tables_that_would_arrive_as_one() -> None:
    (verdict,) = schema.names(arrival(ORDERS, table(schema="other"), schemas={"other": "shop"}))
    assert verdict.result == "FAILED" and "many2one" in verdict.remedy
    assert "other.orders and shop.orders as shop.orders" in verdict.message


def test_losses_that_nobody_can_count() -> None:
    places = table("places", column("at", "geometry"), column("day", "date"))
    (verdict,) = schema.losses(arrival(places, counted=frozenset({"impossible-date"})))
    assert verdict.result == "ALARM"
    assert "shop.places.at" in verdict.message and "day" not in verdict.message
    assert results(schema.losses(arrival(ORDERS))) == ["PASSED"]


def test_what_stays_behind() -> None:
    assert results(schema.left_behind(arrival(ORDERS))) == ["PASSED"]
    stamped = table("t", column("at", "timestamp", on_update="CURRENT_TIMESTAMP"))
    doubled = table("u", column("d", generated=Generated("`id` * 2", stored=True)))
    found = schema.left_behind(arrival(stamped, doubled))
    assert results(found) == ["ALARM", "ALARM"]
    assert "shop.t.at" in found[0].message and "shop.u.d" in found[1].message


def test_views() -> None:
    good = View(name=TableName("shop", "v"), definition="select `shop`.`orders`.`id` AS `id` from `shop`.`orders`")
    bad = View(name=TableName("shop", "w"), definition="select 1 from `elsewhere`.`t`")
    assert schema.views(arrival(ORDERS)).result == "PASSED"
    assert schema.views(arrival(ORDERS, views=[good])).result == "PASSED"
    verdict = schema.views(arrival(ORDERS, views=[good, bad]))
    assert verdict.result == "ALARM"
    assert "shop.w" in verdict.message and "shop.v" not in verdict.message


@pytest.mark.parametrize(
    ("policy", "tolerated"),
    [
        (Policy(), None),
        (Policy(invalid_dates="null"), "they become NULL"),
        (Policy(invalid_dates="epoch"), "they become 1970-01-01"),
        (Policy(invalid_dates="minus_infinity"), "they become -infinity"),
    ],
)
def test_doubts_know_the_policies(policy: Policy, tolerated: str | None) -> None:
    (doubt,) = schema.doubts(arrival(table("t", column("day", "date"))).catalog, policy)
    assert (doubt.loss.id, doubt.tolerated) == ("impossible-date", tolerated)
    assert "--invalid-dates null or epoch or minus_infinity" in doubt.remedy


def test_a_loss_that_no_policy_takes() -> None:
    wide = replace(column("n", auto=True), type=Logical(kind="int", bits=64, unsigned=True))
    numbers = table("t", wide)
    (doubt,) = schema.doubts(arrival(numbers).catalog, Policy())
    assert (doubt.loss.id, doubt.tolerated) == ("beyond-bigint", None)
    assert "--" not in doubt.remedy


def unique(*parts: IndexPart, kind: str = "btree") -> Index:
    return Index(name="u", parts=parts, unique=True, kind=kind)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (unique(IndexPart(column="short")), []),
        (unique(IndexPart(column="long")), [("u", (("long", None),), 2680)]),
        (unique(IndexPart(column="long", prefix=100)), []),
        (unique(IndexPart(column="long", prefix=700)), [("u", (("long", 700),), 2680)]),
        (unique(IndexPart(column="endless"), kind="hash"), []),
        (unique(IndexPart(column="id"), IndexPart(column="long")), [("u", (("long", None),), 2664)]),
        (Index(name="u", parts=(IndexPart(column="long"),)), []),
    ],
)
def test_unique_indexes_whose_entries_may_be_too_long(index: Index, expected: list[Any]) -> None:
    one = table("t", column("short", "text", length=255), column("long", "text", length=768), column("endless", "text"))
    found = schema.too_long(arrival(replace(one, indexes=(index,))).catalog)
    assert [(long.name, long.parts, long.bytes_max) for long in found] == expected


def test_dates_of_a_key_cannot_become_null() -> None:
    dated = replace(table("t", column("day", "date")), primary=Index(name="PRIMARY", parts=(IndexPart(column="day"),)))
    found = arrival(dated).catalog
    (doubt,) = schema.doubts(found, Policy(invalid_dates="null"))
    assert doubt.tolerated is None and "null" not in doubt.remedy and "epoch" in doubt.remedy
    (doubt,) = schema.doubts(found, Policy(invalid_dates="epoch"))
    assert doubt.tolerated is not None and "the same to a unique index" in doubt.tolerated
