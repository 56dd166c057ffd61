"""PostgreSQL's side without a server: names, types, expressions, and what is said about what is left out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.engines.postgres import ddl, expressions, names
from opendrs.engines.postgres.conversions import RULES
from opendrs.engines.postgres.defaults import default_sql
from opendrs.engines.postgres.foreign_keys import foreign_key
from opendrs.engines.postgres.layout import Layout, layouts
from opendrs.engines.postgres.rendered import REASONS
from opendrs.engines.postgres.types import LOSSES, TYPE_MAP, losses, narrowed_columns, target_type
from opendrs.model.catalog import Table, TableName
from opendrs.model.types import FIELDS
from tests.golden.ddl.reading import read

SOURCES = Path(ddl.__file__).parent


def table(sql: str, server: str = "mysql") -> tuple[Table, Layout]:
    tables = read([sql], server)
    ((name, found),) = tables.items()
    return found, layouts(tables.values(), lambda name: name)[name]


# --- names ----------------------------------------------------------------------------------------

NAMES = st.text(alphabet=st.sampled_from('ab_Äß€.`" '), min_size=1, max_size=12)
LONG = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=64)


@given(LONG)
def test_names_fit_and_are_cut_at_a_character(name: str) -> None:
    for rule in (names.schema_name, names.table_name, names.column_name, names.constraint_name):
        made = rule(name)
        assert 0 < len(made.encode()) <= names.NAME_BYTES_MAX
        if (
            len(name.encode()) <= 63
            and not name.startswith("pg_")
            and name not in names.SYSTEM_COLUMNS | names.OWN_SCHEMAS
        ):
            assert made == name


@given(st.lists(st.tuples(NAMES, NAMES), unique=True, min_size=2, max_size=20))
def test_no_two_indexes_have_one_name(indexes: list[tuple[str, str]]) -> None:
    made = {names.index_name(table, index) for table, index in indexes}
    assert len(made) == len(indexes)


@given(NAMES, NAMES)
def test_a_primary_key_is_no_secondary_index(one: str, other: str) -> None:
    assert names.index_name(one, "PRIMARY") != names.index_name(one, other)


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        (names.schema_name, "shop", "shop"),
        (names.schema_name, "Shop", "Shop"),
        (names.schema_name, "pg_shop", r"db_pg_shop_[0-9a-f]{8}"),
        (names.schema_name, "information_schema", r"db_information_schema_[0-9a-f]{8}"),
        (names.column_name, "ctid", r"ctid_[0-9a-f]{8}"),
        (names.column_name, "CTID", "CTID"),
        (names.table_name, "t" * 63, "t" * 63),
        (names.table_name, "t" * 64, "t{54}_[0-9a-f]{8}"),
        (names.table_name, "ä" * 32, "ä{27}_[0-9a-f]{8}"),
    ],
)
def test_the_rule_for_names(rule: object, name: str, expected: str) -> None:
    assert callable(rule)
    assert re.fullmatch(expected, rule(name))


def test_index_names() -> None:
    assert names.index_name("users", "email") == "users__email"
    assert names.index_name("users", "PRIMARY") == "users__primary"
    assert re.fullmatch(r"a__b__c_[0-9a-f]{8}", names.index_name("a__b", "c"))
    assert names.index_name("a__b", "c") != names.index_name("a", "b__c")


def test_no_name_ends_a_block() -> None:
    block = names.block('SELECT "$opendrs$; DROP TABLE x; --"')
    tag = block.split("$")[1]
    assert block.count(f"${tag}$") == 2


# --- types ----------------------------------------------------------------------------------------


def test_every_logical_type_has_a_line() -> None:
    kinds = {key.partition(" ")[0] for key in TYPE_MAP}
    assert {kind for kind in FIELDS if kind != "int"} <= kinds
    assert {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 24, 32, 64)} <= kinds
    assert {loss for row in TYPE_MAP.values() for loss in row.losses} == set(LOSSES)


@pytest.mark.parametrize(
    ("native", "expected", "lost"),
    [
        ("TINYINT UNSIGNED", ("smallint", "int2"), ()),
        ("INT UNSIGNED", ("bigint", "int8"), ()),
        ("BIGINT UNSIGNED", ("numeric(20,0)", "numeric"), ()),
        ("DECIMAL(65,30)", ("numeric(65,30)", "numeric"), ()),
        ("TIME(3)", ("interval(3)", "interval"), ()),
        ("DATETIME", ("timestamp(0) without time zone", "timestamp"), ("impossible-date",)),
        ("TIMESTAMP(6)", ("timestamp(6) with time zone", "timestamptz"), ("zero-timestamp",)),
        ("CHAR(0)", ("varchar(1)", "varchar"), ("nul-in-text",)),
        ("VARCHAR(9)", ("varchar(9)", "varchar"), ("nul-in-text",)),
        ("ENUM('a','größer')", ("varchar(6)", "varchar"), ()),
        ("SET('a','bc','d')", ("varchar(6)", "varchar"), ()),
        ("ENUM('')", ("varchar(1)", "varchar"), ()),
        ("BIT(9)", ("bit(9)", "bit"), ()),
        ("POINT", ("bytea", "bytea"), ("geometry-functions",)),
        ("JSON", ("json", "json"), ()),
    ],
)
def test_types(native: str, expected: tuple[str, str], lost: tuple[str, ...]) -> None:
    found, _ = table(f"CREATE TABLE t (c {native})")
    assert target_type(found.columns[0]) == expected
    assert tuple(loss.id for loss in losses(found.columns[0])) == lost


def test_mariadb_json_is_text() -> None:
    found, _ = table("CREATE TABLE t (c JSON)", "mariadb")
    assert [loss.id for loss in losses(found.columns[0])] == ["lax-json"]


def test_foreign_keys_spread_bigint() -> None:
    tables = read(
        [
            "CREATE TABLE a (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, x BIGINT UNSIGNED UNIQUE)",
            "CREATE TABLE b (id BIGINT UNSIGNED PRIMARY KEY, FOREIGN KEY (id) REFERENCES a (id))",
            "CREATE TABLE c (B BIGINT UNSIGNED, x BIGINT UNSIGNED, FOREIGN KEY (B) REFERENCES b (ID), FOREIGN KEY (x) REFERENCES a (x))",
            "CREATE TABLE d (id BIGINT UNSIGNED PRIMARY KEY, FOREIGN KEY (id) REFERENCES elsewhere.e (id))",
        ],
        "mysql",
    )
    found = {(name.table, column) for name, column in narrowed_columns(tables.values())}
    assert found == {("a", "id"), ("b", "id"), ("c", "b")}


# --- expressions ----------------------------------------------------------------------------------

COLUMNS = """CREATE TABLE t (i INT, u BIGINT UNSIGNED, z INT(5) ZEROFILL, d DECIMAL(10,2), f DOUBLE, v VARCHAR(20),
 nb VARCHAR(20) COLLATE utf8mb4_0900_bin, e ENUM('a','B'), dt DATE, dm DATETIME(3), ts TIMESTAMP NULL, j JSON, b BLOB, bits BIT(3), xmin INT)"""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("(`i` > 5)", '("i" > 5)'),
        ("i + 1 < u * 2", '(("i"::numeric + 1) < ("u"::numeric * 2))'),
        ("i", '("i" <> 0)'),
        ("not (i = 1 or d is null)", '(NOT (("i" = 1) OR ("d" IS NULL)))'),
        ("j is not null", '(NOT ("j" IS NULL))'),
        ("i between 1 and 5 and i in (1,2,3)", '(("i" BETWEEN 1 AND 5) AND ("i" IN (1, 2, 3)))'),
        ("(`e` in (_utf8mb4'a',_utf8mb4'B'))", "(\"e\" IN ('a', 'B'))"),
        ("nb = 'x''y'", "(\"nb\" = 'x''y')"),
        ("dt > '2020-01-01'", "(\"dt\" > DATE '2020-01-01')"),
        ("dm >= '2020-01-01 00:00:00.5'", "(\"dm\" >= TIMESTAMP '2020-01-01 00:00:00.5')"),
        ("char_length(v) > 3", '(char_length("v") > 3)'),
        ("i % 3 = 0", '(("i"::numeric % 3) = 0)'),
        ("abs(i) < 3", '(abs("i"::numeric) < 3)'),
        ("-i < 3", '((-"i"::numeric) < 3)'),
        ("coalesce(i, 0) = 0", '(COALESCE("i"::numeric, 0) = 0)'),
        ("i <=> u", '("i" IS NOT DISTINCT FROM "u")'),
        ("xmin > 1", '("xmin_eafb2f50" > 1)'),
        ("true", "(1 <> 0)"),
        # uncertain
        ("i / 2 > 1", None),
        ("i div 2 > 1", None),
        ("i % u = 0", None),
        ("v = 'x'", None),
        ("v like 'x%'", None),
        ("v regexp '^x'", None),
        ("e = 'A'", None),
        ("e > 'a'", None),
        ("length(v) > 3", None),
        ("ts > '2020-01-01'", None),
        ("dt > '2020-02-31'", None),
        ("dt > '2020-1-1'", None),
        ("dt > 20200101", None),
        ("z > 1", None),
        ("bits = 1", None),
        ("json_valid(j)", None),
        ("i > 1e3", None),
        ("i > '5'", None),
        ("least(i, u) > 1", None),
        ("lower(v) = v", None),
        ("i in (select 1)", None),
        ("missing > 1", None),
        ("t.i > 1", None),
        ("((", None),
        ("rand() > 1", None),
        ("i xor u", None),
        ("i | u", None),
    ],
)
def test_conditions(sql: str, expected: str | None) -> None:
    found, layout = table(COLUMNS)
    assert expressions.condition(sql, found, layout) == expected


@pytest.mark.parametrize(
    ("sql", "column", "expected"),
    [
        ("i + 1", "i", '(("i"::numeric + 1))::integer'),
        ("concat(v, 'x', i)", "v", '(("v" || \'x\' || "i"::text))'),
        ("concat(v, z)", "v", None),
        ("concat(v, d)", "v", None),
        ("v", "i", None),
        ("i > 1", "i", '(("i" > 1))::integer::integer'),
    ],
)
def test_values(sql: str, column: str, expected: str | None) -> None:
    found, layout = table(COLUMNS)
    own = found.column(column)
    assert expressions.value(sql, own, layout.place(column).type, found, layout) == expected


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("INT DEFAULT 5", "5"),
        ("VARCHAR(9) DEFAULT 'it''s \\\\'", "'it''s \\'"),
        ("VARCHAR(9) DEFAULT 'a\\0b'", None),
        ("BIT(4) DEFAULT b'1'", "B'0001'"),
        ("VARBINARY(4) DEFAULT x'00ff'", "'\\x00ff'"),
        ("DATE DEFAULT '0000-00-00'", None),
        ("DATETIME DEFAULT '2024-02-31 00:00:00'", None),
        ("TIMESTAMP NULL DEFAULT '2024-01-02 03:04:05'", "'2024-01-02 03:04:05+00'"),
        ("TIMESTAMP(3) NULL DEFAULT CURRENT_TIMESTAMP(3)", "CURRENT_TIMESTAMP(3)"),
        ("DATETIME DEFAULT NOW()", "LOCALTIMESTAMP(0)"),
        ("CHAR(36) DEFAULT (uuid())", "gen_random_uuid()::text"),
        ("BINARY(16) DEFAULT (uuid_to_bin(uuid()))", "uuid_send(gen_random_uuid())"),
        ("INT DEFAULT (rand() * 10)", None),
        ("INT DEFAULT (2 + 3)", "((2 + 3))::integer"),
        ("JSON DEFAULT (json_object())", "'{}'"),
        ("JSON DEFAULT (json_object('a', 1))", None),
        ("YEAR DEFAULT 0", "0"),
        ("INT AUTO_INCREMENT KEY", None),
    ],
)
def test_defaults(definition: str, expected: str | None) -> None:
    found, layout = table(f"CREATE TABLE t (c {definition})")
    assert default_sql(found.columns[0], layout.columns[0].type) == expected


# --- reports --------------------------------------------------------------------------------------


def test_every_report_has_a_reason_and_every_reason_a_report() -> None:
    used = set()
    for path in SOURCES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in REASONS and path.name != "rendered.py":
                used.add(node.value)
    assert used == set(REASONS)


def test_a_foreign_key_to_what_is_not_there() -> None:
    tables = read(
        [
            "CREATE TABLE p (id INT PRIMARY KEY, a INT, KEY (a))",
            "CREATE TABLE c (x INT, y INT, CONSTRAINT one FOREIGN KEY (x) REFERENCES p (a), CONSTRAINT two FOREIGN KEY (y) REFERENCES other.q (id))",
        ],
        "mysql",
    )
    child = tables[TableName("shop", "c")]
    places = layouts(tables.values(), lambda name: name)
    found = [foreign_key(child, key, tables, places) for key in child.foreign_keys]
    assert [part.reports[0].id for part in found] == ["foreign-key-target", "foreign-key-outside"]
    assert all(part.statements == () for part in found)


def test_a_column_whose_values_are_not_logged_is_calculated_or_left_out() -> None:
    found, layout = table("CREATE TABLE t (a INT, g INT AS (a + 1), h INT AS (a / 2), KEY (g), KEY (h))", "mariadb11")
    assert [place.name for place in layout.columns] == ["a"]
    rendered = ddl.create_table(found, layout, keys=True)
    assert '"g" integer GENERATED ALWAYS AS ((("a"::numeric + 1))::integer) STORED' in rendered.statements[1]
    assert [(report.id, report.object) for report in rendered.reports] == [("generated-absent", "shop.t.h")]
    rendered = ddl.secondary_indexes(found, layout)
    assert rendered.statements == ('CREATE INDEX IF NOT EXISTS "t__g" ON "shop"."t" ("g")',)
    assert [(report.id, report.object) for report in rendered.reports] == [("index-functional", "shop.t.h")]


def test_conversions_are_between_types_that_there_are() -> None:
    assert {kind for pair in RULES for kind in pair} <= set(FIELDS)


def test_engines_do_not_know_each_other() -> None:
    for path in SOURCES.glob("*.py"):
        assert "engines.mysql" not in "".join(
            line for line in path.read_text().splitlines() if line.startswith(("import ", "from "))
        )
