"""What statements mean for the selection: alterations, nothing, or a stop. No server is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.mysql.session import Scope, Session
from opendrs.engines.mysql.statement import Mode
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    AddColumn,
    Alteration,
    AlterTable,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
    RenameConstraint,
    RenameTable,
    TruncateTable,
)
from opendrs.model.catalog import Default, TableName
from opendrs.model.evolution import applied
from opendrs.model.shadows import shadow_of
from tests.golden.ddl.reading import read, session

TABLES = read(
    [
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), CONSTRAINT t_chk_1 CHECK (a > 0))",
        "CREATE TABLE other.outside (id INT)",
        "CREATE TABLE memory (id INT) ENGINE=MEMORY",
    ],
    "mysql",
)
del TABLES[TableName("other", "outside")]
T = TableName("shop", "t")
SCOPE = Scope(
    wants=lambda name: name.schema == "shop" and name.table != "unselected",
    wants_database=lambda name: name == "shop",
    table=TABLES.get,
    database=lambda name: Charset("utf8mb4", "utf8mb4_0900_ai_ci"),
)


def meaning(sql: str, server: str = "mysql", own: Session | None = None) -> list[Alteration] | Ignored:
    return parse(sql, own or session(server), SCOPE, position="binlog.000001:4")


def single(sql: str, server: str = "mysql", own: Session | None = None) -> Alteration:
    found = meaning(sql, server, own)
    assert isinstance(found, list) and len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW other.v AS SELECT 1",
        "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`root`@`%` SQL SECURITY INVOKER VIEW other.v AS SELECT \x01",
        "CREATE DEFINER=root@localhost PROCEDURE p() BEGIN DROP TABLE t; END",
        "CREATE DEFINER=CURRENT_USER FUNCTION f() RETURNS INT RETURN 1",
        "CREATE DEFINER=CURRENT_USER() TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
        "CREATE AGGREGATE FUNCTION f RETURNS INT SONAME 'x'",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t",
        "CREATE USER u IDENTIFIED BY 'x'",
        "CREATE ROLE r",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'x')",
        "CREATE UNDO TABLESPACE u ADD DATAFILE 'u.ibu'",
        "CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y'",
        "CREATE RESOURCE GROUP g TYPE = USER",
        "CREATE SEQUENCE s",
        "CREATE TEMPORARY TABLE t (id INT)",
        "CREATE TABLE other.t (this is not even SQL",
        "CREATE TABLE unselected (nonsense)",
        "CREATE TABLE IF NOT EXISTS t (x INT)",
        "ALTER TABLE other.t ADD COLUMN x INT, EXCHANGE PARTITION p WITH TABLE unselected",
        "ALTER TABLE unselected RENAME COLUMN a TO b, RENAME INDEX c TO d, ADD COLUMN `rename` INT",
        "ALTER TABLE unselected RENAME TO unselected",
        "ALTER VIEW other.v AS SELECT 2",
        "ALTER DEFINER=root@'%' EVENT e ENABLE",
        "ALTER USER u IDENTIFIED BY 'x'",
        "ALTER INSTANCE ROTATE INNODB MASTER KEY",
        "DROP VIEW IF EXISTS other.t",
        "DROP PROCEDURE p",
        "DROP TEMPORARY TABLE t",
        "DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`",
        "DROP TABLE other.t, unselected",
        "DROP INDEX i ON other.t",
        "DROP DATABASE other",
        "DROP PREPARE s",
        "CREATE INDEX i ON unselected (a)",
        "RENAME TABLE other.a TO other.b",
        "RENAME USER a TO b",
        "TRUNCATE other.t",
        "GRANT SELECT ON *.* TO u",
        "REVOKE ALL ON *.* FROM u",
        "FLUSH PRIVILEGES",
        "ANALYZE TABLE t",
        "OPTIMIZE TABLE t",
        "SET PASSWORD FOR u = 'x'",
        "INSTALL PLUGIN p SONAME 'x'",
        "INSERT INTO mysql.time_zone VALUES (1)",
        "ALTER DATABASE other CHARACTER SET latin1",
    ],
)
def test_what_does_not_concern_the_selection(sql: str) -> None:
    assert isinstance(meaning(sql), Ignored)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("ALTER TABLE t DROP PARTITION p0", "removes rows"),
        ("ALTER TABLE t TRUNCATE PARTITION ALL", "changes rows"),
        ("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x", "changes rows"),
        ("ALTER TABLE t CONVERT PARTITION p TO TABLE x", "moves rows"),
        ("ALTER TABLE t DISCARD TABLESPACE", "change rows"),
        ("ALTER TABLE t IMPORT TABLESPACE", "change rows"),
        ("ALTER IGNORE TABLE t ADD UNIQUE (a)", "removes rows"),
        ("ALTER TABLE t ENGINE=BLACKHOLE", "the engine BLACKHOLE"),
        ("ALTER TABLE t FROBNICATE", "a clause of ALTER TABLE"),
        ("ALTER TABLE t ADD x INT MASKED WITH y", "a clause of ALTER TABLE"),
        ("ALTER TABLE t ADD x FANCYTYPE", "a type that is known"),
        ("ALTER TABLE t ADD x VARCHAR", "without a length"),
        ("ALTER TABLE t DROP nothing", "does not fit the known definition"),
        ("ALTER TABLE t MODIFY nothing INT", "is not known"),
        ("ALTER TABLE t ADD INDEX (nothing)", "is not known"),
        ("ALTER TABLE unknown ADD x INT", "the definition of shop.unknown is not known"),
        ("ALTER TABLE t ADD x INT; DROP TABLE t", "the end of the statement"),
        ("CREATE TABLE x (a INT) SELECT 1", "SELECT"),
        ("CREATE TABLE x SELECT 1", "without columns"),
        ("CREATE TABLE x AS SELECT 1", "without columns"),
        ("CREATE TABLE x LIKE unselected", "is not selected"),
        ("RENAME TABLE t TO u, other.x TO shop.x", "comes into the selection"),
        ("ALTER TABLE other.x ADD y INT, RENAME TO shop.x", "comes into the selection"),
        ("ALTER TABLE other.x EXCHANGE PARTITION p WITH TABLE shop.t WITHOUT VALIDATION", "change places"),
        ("ALTER TABLE other.x CONVERT TABLE shop.t TO PARTITION p VALUES LESS THAN (5)", "change places"),
        ("ALTER TABLE other.x CONVERT PARTITION p TO TABLE shop.new", "change places"),
        ("CREATE TABLE x (a INT) ENGINE=FEDERATED", "the engine FEDERATED"),
        ("CREATE TABLE x (a INT) UNION=(t)", "MERGE"),
        ("CREATE TABLE x (a INT) SOME_OPTION=1", "SOME_OPTION"),
        ("CREATE TABLE x (a INT", "found the end"),
        ("CREATE SOMETHING x", "a kind of object"),
        ("BEGIN", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("ROLLBACK TO s", "ROLLBACK"),
        ("SAVEPOINT s", "SAVEPOINT"),
        ("XA START 'x'", "XA"),
        ("", "a key word"),
    ],
)
def test_what_is_not_understood_stops(sql: str, reason: str) -> None:
    with pytest.raises(DrsError) as caught:
        meaning(sql)
    assert caught.value.fault is Fault.DDL_UNSUPPORTED
    assert reason in caught.value.message
    assert sql in caught.value.message and "binlog.000001:4" in caught.value.message


@pytest.mark.parametrize(
    "sql",
    ["INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t", "DELETE FROM memory WHERE id = 1", "LOAD DATA INFILE 'x'",
     "REPLACE INTO other.x SELECT 1", "CALL p()", "DELETE a FROM a JOIN b", "WITH x AS (SELECT 1) DELETE FROM t"],
)  # fmt: skip
def test_rows_that_were_changed_by_text_stop(sql: str) -> None:
    with pytest.raises(DrsError) as caught:
        meaning(sql)
    assert caught.value.fault is Fault.STATEMENT_LOGGED


def test_a_restarted_server_empties_its_memory_tables() -> None:
    assert meaning("DELETE FROM `shop`.`memory`") == [TruncateTable(TableName("shop", "memory"))]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP TABLE `t`,`memory` /* generated by server */", [DropTable(T), DropTable(TableName("shop", "memory"))]),
        ("DROP TABLE IF EXISTS other.x, t", [DropTable(T, if_exists=True)]),
        ("DROP DATABASE shop", [DropDatabase("shop")]),
        ("DROP SCHEMA IF EXISTS `shop`", [DropDatabase("shop", if_exists=True)]),
        ("TRUNCATE TABLE shop.t", [TruncateTable(T)]),
        ("RENAME TABLE t TO u, other.x TO other.y", [RenameTable(T, TableName("shop", "u")), AlterTable(TableName("shop", "u"), (RenameConstraint("t_chk_1", "u_chk_1"),))]),
        ("RENAME TABLE memory TO other.away", [RenameTable(TableName("shop", "memory"), TableName("other", "away")), ForgetTable(TableName("other", "away"))]),
        ("ALTER TABLE memory RENAME TO other.away", [RenameTable(TableName("shop", "memory"), TableName("other", "away")), ForgetTable(TableName("other", "away"))]),
        ("RENAME TABLE memory TO other.x, other.x TO shop.x", [RenameTable(TableName("shop", "memory"), TableName("other", "x")), RenameTable(TableName("other", "x"), TableName("shop", "x"))]),
        ("RENAME TABLE v TO w", [RenameTable(TableName("shop", "v"), TableName("shop", "w"))]),
        ("CREATE VIEW v AS SELECT 1", [ChangeViews((TableName("shop", "v"),))]),
        ("CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`root`@`%` SQL SECURITY INVOKER VIEW v AS SELECT \x01", [ChangeViews((TableName("shop", "v"),))]),
        ("ALTER VIEW v AS SELECT 2", [ChangeViews((TableName("shop", "v"),))]),
        ("DROP VIEW IF EXISTS other.v, v, w CASCADE", [ChangeViews((TableName("shop", "v"), TableName("shop", "w")))]),
        ("ALTER TABLE t COMMENT 'x' /* nothing else */", None),
        ("CREATE DATABASE shop CHARACTER SET latin1", [CreateDatabase("shop", "latin1", "latin1_swedish_ci")]),
        ("CREATE DATABASE IF NOT EXISTS shop COLLATE utf8mb4_bin", [CreateDatabase("shop", "utf8mb4", "utf8mb4_bin", if_not_exists=True)]),
    ],
)  # fmt: skip
def test_what_concerns_the_selection(sql: str, expected: list[Alteration] | None) -> None:
    found = meaning(sql)
    assert not isinstance(found, Ignored)
    assert expected is None or found == expected


def test_the_default_database_of_the_event() -> None:
    assert isinstance(meaning("DROP TABLE t", own=replace(session("mysql"), database="other")), Ignored)
    with pytest.raises(DrsError):
        meaning("DROP TABLE t", own=replace(session("mysql"), database=""))


def test_lower_case_names() -> None:
    own = replace(session("mysql"), lower_names=True)
    assert meaning("DROP TABLE SHOP.T", own=own) == [DropTable(T)]


def test_a_database_with_another_character_set() -> None:
    found = meaning("ALTER DATABASE CHARACTER SET latin1")
    assert found == Ignored("the default character set of a database", "shop", Charset("latin1", "latin1_swedish_ci"))


def test_create_or_replace() -> None:
    found = meaning("CREATE OR REPLACE TABLE t (x INT)", "mariadb")
    assert isinstance(found, list)
    assert found[0] == DropTable(T, if_exists=True)
    assert isinstance(found[1], CreateTable)


def test_create_table_as_mysql_logs_one_with_a_select() -> None:
    found = meaning("CREATE TABLE `x` (`a` int NOT NULL DEFAULT '0') START TRANSACTION")
    assert isinstance(found, list) and isinstance(found[0], CreateTable)


def test_other_grammars_stop() -> None:
    for mode in (Mode.ORACLE,):
        with pytest.raises(DrsError):
            meaning("ALTER TABLE t ADD x INT", "mariadb", replace(session("mariadb"), mode=mode))
    with pytest.raises(DrsError):
        meaning("ALTER TABLE t ADD x TIMESTAMP", "mariadb", replace(session("mariadb"), mode=Mode.MAXDB))


def test_ansi_quotes_belong_to_the_statement() -> None:
    own = replace(session("mysql"), mode=Mode.ANSI_QUOTES)
    change = single('ALTER TABLE "t" ADD "x" INT DEFAULT 1', own=own)
    assert isinstance(change, AlterTable) and isinstance(change.changes[0], AddColumn)


def test_rows_that_are_there_get_the_moment_of_the_statement() -> None:
    own = replace(session("mysql"), zone="+02:00")
    change = single(
        "ALTER TABLE t ADD x DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), ADD y TIMESTAMP DEFAULT NOW()", own=own
    )
    assert isinstance(change, AlterTable)
    fills = [one.fill for one in change.changes if isinstance(one, AddColumn)]
    assert fills == [Default("literal", "2024-05-06 09:08:09.000"), Default("literal", "2024-05-06 07:08:09")]


def test_a_timestamp_is_written_in_the_zone_of_its_session() -> None:
    own = replace(session("mysql"), zone="America/New_York")
    change = single("ALTER TABLE t ADD x TIMESTAMP DEFAULT '2024-01-01 00:00:00'", own=own)
    assert isinstance(change, AlterTable) and isinstance(change.changes[0], AddColumn)
    assert change.changes[0].column.default == Default("literal", "2024-01-01 05:00:00")
    unknown = replace(session("mysql"), zone="SYSTEM")
    change = single("ALTER TABLE t ADD x TIMESTAMP DEFAULT '2024-01-01 00:00:00'", own=unknown)
    assert isinstance(change, AlterTable) and isinstance(change.changes[0], AddColumn)
    assert change.changes[0].column.default == Default("expression", "'2024-01-01 00:00:00'")


def test_timestamps_without_explicit_defaults() -> None:
    own = replace(session("mariadb"), explicit_timestamps=False)
    found = meaning(
        "CREATE TABLE x (a TIMESTAMP, b TIMESTAMP, c TIMESTAMP NULL, d TIMESTAMP DEFAULT '2020-01-01')", own=own
    )
    assert isinstance(found, list) and isinstance(found[0], CreateTable)
    columns = found[0].table.columns
    assert [c.nullable for c in columns] == [False, False, True, False]
    assert (
        columns[0].default == Default("expression", "CURRENT_TIMESTAMP") and columns[0].on_update == "CURRENT_TIMESTAMP"
    )
    assert columns[1].default == Default("literal", "0000-00-00 00:00:00")
    assert columns[2].default is None


def indexes_behind(sql: str) -> list[tuple[str, tuple[str, ...]]]:
    """The indexes of a table with three of them, behind a statement."""
    tables = read(["CREATE TABLE i (a INT, b INT, c INT, KEY k0 (a), KEY k1 (b), KEY k2 (c))"], "mysql")
    found = parse(sql, session("mysql"), replace(SCOPE, table=tables.get))
    assert isinstance(found, list)
    for alteration in found:
        tables = applied(tables, alteration)
    return [(index.name, index.columns) for index in tables[TableName("shop", "i")].indexes]


def test_indexes_may_swap_their_names() -> None:
    ring = indexes_behind("ALTER TABLE i RENAME INDEX k0 TO k1, RENAME INDEX k1 TO k2, RENAME INDEX k2 TO k0")
    assert ring == [("k1", ("a",)), ("k2", ("b",)), ("k0", ("c",))]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t CHANGE a b INT",
        "ALTER TABLE t RENAME COLUMN id TO a, RENAME COLUMN a TO b",
    ],
)
def test_a_column_cannot_take_a_name_that_stays_taken(sql: str) -> None:
    with pytest.raises(DrsError) as caught:
        meaning(sql)
    assert caught.value.fault is Fault.DDL_UNSUPPORTED


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE i RENAME INDEX k0 TO k1", "ALTER TABLE i RENAME INDEX k0 TO k1, RENAME INDEX k1 TO k2"],
)
def test_an_index_cannot_take_a_name_that_stays_taken(sql: str) -> None:
    """The definition is newer than the statement, then. (It went round and round.)"""
    with pytest.raises(DrsError) as caught:
        indexes_behind(sql)
    assert caught.value.fault is Fault.DDL_UNSUPPORTED


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("_orders_gho", "orders"),
        ("_orders_del", "orders"),
        ("_orders_20240131235959_del", "orders"),
        ("_orders_new", "orders"),
        ("____orders_old", "orders"),
        ("_orders_ghc", None),
        ("orders_gho", None),
        ("orders", None),
    ],
)
def test_shadows_of_online_changes(name: str, table: str | None) -> None:
    assert shadow_of(TableName("shop", name)) == (TableName("shop", table) if table else None)
