"""Objects of a source that stand in the way, and accounts that may not do what a job does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.joined import resolved
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.rules import TableRule
from opendrs.model.selection import Selection
from opendrs.worker.checking import Options
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.prechecks.findings import carry_out, findings, items, of

SERVERS = ("mariadb", "mariadb_11", "mysql")
# INNODB_TRX is a copy that stays as it is while it is read again within 0.1 s (storage/innobase/trx/trx0i_s.cc,
# CACHE_MIN_IDLE_TIME): whoever asks without a pause sees for ever what was there at first.
TRX_CACHE_S = 0.3


@pytest.fixture(params=SERVERS)
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server: FamilyServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def account(source: FamilyServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A user who may log in, and nothing else."""
    name = f"bare_{abs(hash(request.node.name)) % 10**8}"
    source.create_user(name, "Secret-1-bare", privileges="USAGE")
    yield name
    source.execute(f"DROP USER {name}@'%'")


def test_an_account_without_privileges_gets_them_one_by_one(
    source: FamilyServer, account: str, database: NewDatabase
) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY, d DATE)")
    source.execute(f"CREATE TABLE {name}.loose (n INT)")
    source.execute(f"CREATE VIEW {name}.v AS SELECT id FROM {name}.t")
    mended: set[str] = set()
    for _ in range(4):
        found = findings(source, None, f"{name}.*", user=account, options=Options(server_id=99))
        privileges = [finding for finding in found if "GRANT " in finding.remedy]
        if not privileges:
            break
        mended |= {finding.item for finding in privileges}
        carry_out(source, *privileges)
    assert not privileges
    assert items(found, "FAILED") == set()
    expected = {
        "srcDbPrivilegesIsEnoughForIncre", "srcBinlogFilterCheck", "srcLongTransactionCheck", "srcTriggerAndEventCheck",
        "srcRoutineCheck", "userSelectObjectsCheck", "srcDbPrivilegesIsEnough",
    }  # fmt: skip
    expected |= {"srcXaTransactionCheck"} if not source.name.startswith("maria") else set()
    assert mended - {"srcDbServerIdCheck", "srcDbPrivilegesIsEnough"} == expected - {"srcDbPrivilegesIsEnough"}


def test_roles_count(source: FamilyServer, account: str, database: NewDatabase) -> None:
    name, role = database(source), f"{account}_role"
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY)")
    source.execute(f"CREATE ROLE {role}")
    source.execute(f"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {role}")
    source.execute(f"GRANT {role} TO {account}")
    to = "FOR" if source.name.startswith("maria") else "TO"
    source.execute(f"SET DEFAULT ROLE {role} {to} {account}")
    try:
        assert items(findings(source, None, f"{name}.*", user=account), "FAILED") == set()
    finally:
        source.execute(f"DROP ROLE {role}")


def test_a_table_that_may_not_be_read_in_part(source: FamilyServer, account: str, database: NewDatabase) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY, secret INT)")
    source.execute(f"GRANT SELECT (id) ON {name}.t TO {account}")
    # Columns that it may not read are not even listed to the account.
    found = findings(source, None, f"{name}.t", user=account, task="full")
    assert of(found, "srcDbPrivilegesIsEnough").result == "FAILED"


def test_what_is_said_of_single_tables(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY, c INT)")
    source.execute(f"CREATE TABLE {name}.wanted (c INT)")
    table = TableName(name, "t")

    def said(text: str) -> Finding:
        """Of a filter that was saved, when it was saved."""
        wanted = Selection(tables=frozenset({table}), rules={table: TableRule(filter=text)})
        with Session(Endpoint.parse(source.url())) as session:
            saved, problems = resolved(session, wanted)
        assert not problems
        found = findings(source, None, f"{name}.*", task="full", rules=saved.rules)
        return of(found, "srcObjectRulesCheck")

    assert said("c IN (1, 2)").result == said("FALSE OR c IN (NULL)").result == "PASSED"
    lists = (f"c IN (SELECT c FROM {name}.wanted)", "c IN (SELECT c FROM wanted) AND id > 7 AND NOT FALSE")
    for rows in ("", "(NULL)"):  # a value that is none finds nothing either
        if rows:
            source.execute(f"INSERT INTO {name}.wanted VALUES {rows}")
        for text in lists:
            finding = said(text)
            assert finding.result == "ALARM" and f"{name}.t" in finding.message and "anew" in finding.remedy
    source.execute(f"INSERT INTO {name}.wanted VALUES (1)")
    assert {said(text).result for text in lists} == {"PASSED"}
    gone = findings(source, None, f"{name}.*", task="full", rules={table: TableRule(filter="d = 1")})
    assert of(gone, "srcObjectRulesCheck").result == "FAILED"


def test_transactions_that_are_prepared_and_stay(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY)")
    source.create_user("xa", "Secret-1-xa", privileges="ALL PRIVILEGES")
    try:
        with source.connect(name) as connection, connection.cursor() as cursor:
            for statement in ("XA START 'gone', 0x0a0b, 7", "INSERT INTO t VALUES (1)", "XA END 'gone', 0x0a0b, 7"):
                cursor.execute(statement)
            cursor.execute("XA PREPARE 'gone', 0x0a0b, 7")
        finding = of(findings(source, None, f"{name}.*", user="xa"), "srcXaTransactionCheck")
        assert finding.result == "FAILED"
        carry_out(source, finding)
        assert of(findings(source, None, f"{name}.*", user="xa"), "srcXaTransactionCheck").result == "PASSED"
        assert source.execute("SELECT * FROM t", database=name) == [(1,)]
    finally:
        source.execute("DROP USER xa")


def test_a_long_transaction(source: FamilyServer, database: NewDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY)")
    source.create_user("proc", "Secret-1-proc", privileges="ALL PRIVILEGES")
    monkeypatch.setattr("opendrs.engines.mysql.prechecks_settings.LONG_TRANSACTION_S", 2)
    connection = source.connect(name)
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("INSERT INTO t VALUES (1)")
        time.sleep(2.1)
        finding = of(findings(source, None, f"{name}.*", user="proc"), "srcLongTransactionCheck")
        ours = f"connection {connection.thread_id()} ("
        assert finding.result == "ALARM" and ours in finding.message
        carry_out(source, finding)
        deadline = time.monotonic() + 60  # what was killed is rolled back when its thread sees it
        while ours in finding.message and time.monotonic() < deadline:
            time.sleep(TRX_CACHE_S)
            finding = of(findings(source, None, f"{name}.*", user="proc"), "srcLongTransactionCheck")
        assert ours not in finding.message
    finally:
        connection.close()
        source.execute("DROP USER proc")


def test_tables_that_are_hard_to_replicate(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    for statement in (
        "CREATE TABLE parents (id INT PRIMARY KEY)",
        "CREATE TABLE orders (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE)",
        "CREATE TABLE items (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES orders (id) ON UPDATE CASCADE)",
        "CREATE TABLE loose (id INT, n INT)",
        "CREATE TABLE old (id INT PRIMARY KEY) ENGINE = MyISAM",
        "CREATE TABLE fleeting (id INT PRIMARY KEY) ENGINE = MEMORY",
        "CREATE TABLE sheet (id INT NOT NULL) ENGINE = CSV",
        "CREATE TABLE gruesse (`größe` INT PRIMARY KEY)",
        "CREATE TABLE `größen` (id INT PRIMARY KEY)",
        "CREATE TRIGGER watch BEFORE INSERT ON orders FOR EACH ROW SET NEW.p = NEW.p",
        "CREATE PROCEDURE work() SELECT 1",
        "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    ):
        source.execute(statement, database=name)
    source.create_user("all_of_it", "Secret-1-all", privileges="ALL PRIVILEGES")
    wanted = [f"{name}.{table}" for table in ("orders", "loose", "old", "fleeting", "sheet", "gr*")]
    try:
        found = findings(source, None, *wanted, user="all_of_it")
        carried = not source.name.startswith("maria")  # MySQL 9.6 and newer logs cascades
        failures = items(found, "FAILED")
        assert failures == {"srcDbExistUnsupportEngineTable"} | (
            set() if carried else {"MysqlForeignKeyReferentialActionCheck"}
        )
        assert items(found, "ALARM") >= {
            "srcDbExistUnsupportEngineTable", "srcTableNoPrimaryKeyCheck", "hasForeignKeyOnUnselectedTable",
            "srcTriggerAndEventCheck", "srcRoutineCheck", "srcTableNameContainsNonAscii",
        }  # fmt: skip
        if not carried:
            cascades = [f for f in found if f.item == "MysqlForeignKeyReferentialActionCheck"]
            inward, outward = cascades
            assert f"Select {name}.parents as well" in inward.remedy
            assert f"Select {name}.items as well" in outward.remedy
            accepted = findings(
                source, None, *wanted, user="all_of_it",
                options=Options(accepted=["MysqlForeignKeyReferentialActionCheck"]),
            )  # fmt: skip
            assert "MysqlForeignKeyReferentialActionCheck" not in items(accepted, "FAILED")
        mendable = [f for f in found if f.item in ("srcDbExistUnsupportEngineTable", "srcTableNoPrimaryKeyCheck")]
        carry_out(source, *mendable)
        again = findings(source, None, f"{name}.*", user="all_of_it")
        assert items(again, "FAILED") == set()
        assert not {f.item for f in mendable} & items(again, "ALARM")
        assert of(again, "hasForeignKeyOnUnselectedTable").result == "PASSED"
    finally:
        source.execute("DROP USER all_of_it")


def test_a_selection_that_finds_nothing(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY)")
    finding = of(findings(source, None, f"{name}.t", f"{name}.tt"), "userSelectObjectsCheck")
    assert finding.result == "FAILED" and f"{name}.tt" in finding.message
    assert of(findings(source, None, f"{name}.t"), "userSelectObjectsCheck").result == "PASSED"


def test_a_source_that_cannot_be_reached(source: FamilyServer) -> None:
    wrong = Endpoint.parse(source.url(user="opendrs", password="wrong"))
    (finding,) = findings(wrong)
    assert (finding.item, finding.result) == ("srcDbConnection", "FAILED")
    assert "wrong" not in finding.message


def test_a_table_that_somebody_has_locked(
    source: FamilyServer, database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opendrs.worker.checking.LOCK_WAIT_S", 1)
    name = database(source)
    for table in ("locked", "free"):
        source.execute(f"CREATE TABLE {name}.{table} (id INT PRIMARY KEY, d DATE)")
    connection = source.connect(name)
    with connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES locked WRITE")
        found = findings(source, None, f"{name}.*")
    finding = of(found, "srcDbPrivilegesIsEnough")
    assert finding.result == "FAILED" and f"{name}.locked" in finding.message and "free" not in finding.message
    counted = {f.result: f.message for f in found if f.item == "srcColumnValueCheck"}
    assert f"{name}.locked.d" in counted["ALARM"] and "1 column of 1 table" in counted["PASSED"]
