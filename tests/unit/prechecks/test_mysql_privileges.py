"""The looks at what the account of a source may do."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql import prechecks_privileges as looks
from opendrs.engines.mysql.prechecks_privileges import Grants
from opendrs.model.catalog import TableName, View
from opendrs.model.job import Policy
from tests.unit.prechecks.mysql_fakes import EVERYTHING, MARIADB, asked, column, denied, objects, refused, server, table

DOCUMENTED = "GRANT SELECT, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW VIEW, EVENT ON *.* TO `doc`@`%`"


@pytest.mark.parametrize(
    ("lines", "privilege", "database", "has"),
    [
        ([DOCUMENTED], "SELECT", None, True),
        ([DOCUMENTED], "SELECT", "shop", True),
        ([DOCUMENTED], "TRIGGER", None, False),
        ([EVERYTHING], "REPLICATION SLAVE", None, True),
        (["GRANT SELECT ON `shop`.* TO `u`@`%`"], "SELECT", "shop", True),
        (["GRANT SELECT ON `shop`.* TO `u`@`%`"], "SELECT", None, False),
        (["GRANT SELECT ON `shop`.* TO `u`@`%`"], "SELECT", "shop2", False),
        (["GRANT SELECT ON `sh%`.* TO `u`@`%`"], "SELECT", "shop2", True),
        (["GRANT SELECT ON `a_b`.* TO `u`@`%`"], "SELECT", "axb", True),
        (["GRANT SELECT ON `a\\_b`.* TO `u`@`%`"], "SELECT", "axb", False),
        (["GRANT SELECT ON `a\\_b`.* TO `u`@`%`"], "SELECT", "a_b", True),
        (["GRANT SELECT ON `a``b`.* TO `u`@`%`"], "SELECT", "a`b", True),
        # A table, or some of its columns, are not the database.
        (["GRANT SELECT ON `shop`.`orders` TO `u`@`%`"], "SELECT", "shop", False),
        (["GRANT SELECT (`a`, `b`), INSERT ON `shop`.* TO `u`@`%`"], "SELECT", "shop", False),
        (["GRANT SELECT (`a`, `b`), INSERT ON `shop`.* TO `u`@`%`"], "INSERT", "shop", True),
        # Partial revokes of MySQL 8.
        ([DOCUMENTED, "REVOKE SELECT ON `shop`.* FROM `doc`@`%`"], "SELECT", "shop", False),
        ([DOCUMENTED, "REVOKE SELECT ON `shop`.* FROM `doc`@`%`"], "SELECT", None, False),
        ([DOCUMENTED, "REVOKE SELECT ON `shop`.* FROM `doc`@`%`"], "SELECT", "other", True),
        # A role is not what it grants; the server lists that too if the role is active.
        (["GRANT `repl`@`%` TO `u`@`%`", "GRANT USAGE ON *.* TO `u`@`%`"], "SELECT", None, False),
        # MariaDB, with the hash of the password.
        (
            ["GRANT SELECT, BINLOG MONITOR ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*12A9'"],
            "REPLICATION CLIENT",
            None,
            True,
        ),
        (["SET DEFAULT ROLE `repl` FOR `u`@`%`"], "SELECT", None, False),
    ],
)
def test_grants(lines: list[str], privilege: str, database: str | None, has: bool) -> None:
    assert Grants.read(lines).has(privilege, database) is has


def test_every_column_of_every_table_is_tried() -> None:
    source = server(("LIMIT 0", []), grants=[DOCUMENTED])
    hidden = column("DB_ROW_HASH_1", hidden=True)
    (verdict,) = looks.load(objects(source, table("orders", column("a`b"), hidden)))
    assert verdict.result == "PASSED"
    assert "SELECT `id`, `a``b` FROM `shop`.`orders` LIMIT 0" in asked(source)


def test_tables_that_may_not_be_read_and_tables_that_cannot() -> None:
    source = server(("`secret`", denied()), ("`broken`", refused(145, "marked as crashed")), ("LIMIT 0", []))
    seen = objects(source, table("orders"), table("secret"), table("broken"))
    denied_, broken = looks.load(seen)
    assert denied_.result == broken.result == "FAILED"
    assert denied_.remedy == "GRANT SELECT ON `shop`.`secret` TO 'u'@'%';"
    assert "shop.broken" in broken.message and "marked as crashed" in broken.message


def test_the_definition_of_views() -> None:
    hidden = View(name=TableName("shop", "sales"), definition="")
    (verdict,) = looks.load(objects(server(), views=[hidden]))
    assert verdict.result == "FAILED"
    assert verdict.remedy == "GRANT SHOW VIEW ON `shop`.* TO 'u'@'%';"


@pytest.mark.parametrize(
    ("policy", "keyed", "engine", "version", "settings", "locks"),
    [
        (Policy(), True, "InnoDB", "9.7.4", {}, False),
        (Policy(consistent=True), True, "InnoDB", "9.7.4", {}, True),
        (Policy(), False, "InnoDB", "9.7.4", {}, True),
        (Policy(), False, "InnoDB", MARIADB, {}, False),
        (Policy(), False, "MyISAM", MARIADB, {}, True),
        (Policy(), True, "InnoDB", "9.7.4", {"gtid_mode": "OFF"}, True),
        (Policy(), True, "InnoDB", "9.7.4", {"binlog_order_commits": "OFF"}, True),
    ],
)
def test_lock_tables_is_wanted_only_where_it_is_needed(
    policy: Policy, keyed: bool, engine: str, version: str, settings: dict[str, str], locks: bool
) -> None:
    grants = ["GRANT SELECT ON *.* TO `u`@`%`"]
    source = server(("LIMIT 0", []), policy=policy, version=version, settings=settings, grants=grants)
    verdicts = looks.load(objects(source, table(key=keyed, engine=engine)))
    assert [verdict.result for verdict in verdicts] == ["FAILED" if locks else "PASSED"]
    assert (verdicts[0].remedy == "GRANT LOCK TABLES ON `shop`.* TO 'u'@'%';") is locks


def test_a_load_without_a_log_shows_one_moment_and_locks() -> None:
    source = server(("LIMIT 0", []), grants=["GRANT SELECT ON *.* TO `u`@`%`"], task="full")
    assert [verdict.result for verdict in looks.load(objects(source, table()))] == ["FAILED"]


def test_the_log_may_be_read() -> None:
    assert looks.log(server(grants=[DOCUMENTED])).result == "PASSED"


@pytest.mark.parametrize(
    ("grants", "status", "remedy"),
    [
        ("GRANT SELECT ON *.* TO `u`@`%`", denied(), "REPLICATION CLIENT, REPLICATION SLAVE"),
        ("GRANT REPLICATION CLIENT ON *.* TO `u`@`%`", [], "REPLICATION SLAVE"),
        ("GRANT REPLICATION SLAVE ON *.* TO `u`@`%`", denied(), "REPLICATION CLIENT"),
    ],
)
def test_the_log_may_not_be_read(grants: str, status: object, remedy: str) -> None:
    verdict = looks.log(server(("STATUS", status), grants=[grants]))  # type: ignore[arg-type]
    assert verdict.result == "FAILED"
    assert verdict.remedy == f"GRANT {remedy} ON *.* TO 'u'@'%';"


@pytest.mark.parametrize(
    ("version", "statement"),
    [("9.7.4", "SHOW BINARY LOG STATUS"), ("8.0.36", "SHOW MASTER STATUS"), (MARIADB, "SHOW MASTER STATUS")],
)
def test_the_statement_that_says_where_the_log_ends(version: str, statement: str) -> None:
    assert looks.log_status(server(version=version)) == statement
