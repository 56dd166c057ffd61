"""A target that is not ready for a job, and made ready by what the findings say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.prechecks.findings import carry_out, findings, items, of


@pytest.fixture(params=["postgres", "postgres_18"])
def target(request: pytest.FixtureRequest) -> Postgres:
    server: Postgres = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def shop(mariadb: FamilyServer, database: NewDatabase) -> str:
    """A source database with a table."""
    name = database(mariadb)
    mariadb.execute(f"CREATE TABLE {name}.orders (id INT PRIMARY KEY, note VARCHAR(20))")
    mariadb.execute(f"INSERT INTO {name}.orders VALUES (1, 'one')")
    return name


@pytest.fixture
def account(target: Postgres) -> Iterator[str]:
    """A role that may log in, and nothing else."""
    target.execute("CREATE ROLE bare LOGIN PASSWORD 'Secret-1-bare'")
    yield "bare"
    for (name,) in target.execute("SELECT datname FROM pg_database WHERE NOT datistemplate"):
        target.execute("DROP OWNED BY bare", database=name)
    target.execute("DROP ROLE bare")


def mend(target: Postgres, database: str, *found: Finding) -> None:
    for finding in found:
        for line in finding.remedy.splitlines():
            if line.endswith(";"):
                target.execute(line, database=database)


def test_a_new_database_is_fine(mariadb: FamilyServer, target: Postgres, database: NewDatabase, shop: str) -> None:
    found = findings(mariadb, target, f"{shop}.*", database=database(target))
    assert items(found, "FAILED") == set()
    of_target = {finding for finding in found if finding.item.startswith(("dst", "db", "check"))}
    assert items(of_target, "ALARM") <= {"dstDbDiskSize"}


def test_no_database_is_named(mariadb: FamilyServer, target: Postgres, shop: str) -> None:
    url = target.url("x")
    found = findings(mariadb, Endpoint.parse(url.replace("/x", "/")), f"{shop}.*")
    assert of(found, "dstDbNameCheck").result == "FAILED"
    # The server itself is looked at all the same.
    assert of(found, "dstDbVersionSupport").result == "PASSED"


def test_a_database_that_is_not_there(mariadb: FamilyServer, target: Postgres, shop: str) -> None:
    name = 'not "there" yet'
    found = findings(mariadb, target, f"{shop}.*", database=name)
    finding = of(found, "dstDbNameCheck")
    assert finding.result == "FAILED"
    assert of(found, "dstDbVersionSupport").result == "PASSED"
    try:
        carry_out(target, finding)
        target.execute('GRANT CREATE ON DATABASE "not ""there"" yet" TO opendrs')
        again = findings(mariadb, target, f"{shop}.*", database=name)
        assert of(again, "dstDbNameCheck").result == "PASSED"
        assert items(again, "FAILED") == set()
    finally:
        target.drop_database(name)


def test_a_password_that_is_wrong(mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase) -> None:
    wrong = Endpoint.parse(target.url(database(target), password="wrong"))
    found = findings(mariadb, wrong, f"{shop}.*")
    assert of(found, "dstDbConnection").result == "FAILED"
    assert of(found, "srcDbConnection").result == "PASSED"


def test_settings_of_the_database(mariadb: FamilyServer, target: Postgres, shop: str) -> None:
    target.execute(
        "CREATE DATABASE latin OWNER opendrs ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    try:
        target.execute("ALTER DATABASE latin SET default_transaction_read_only = on")
        target.execute("ALTER DATABASE latin SET synchronous_commit = off")
        found = findings(mariadb, target, f"{shop}.*", database="latin")
        assert items(found, "FAILED") == {"dbCharacterSetConsistency", "dstStatusCheck"}
        assert "dstSynchronousCommitCheck" in items(found, "ALARM")
        mendable = [of(found, item) for item in ("dstStatusCheck", "dstSynchronousCommitCheck")]
        carry_out(target, *mendable, of(found, "dbCharacterSetConsistency"))
        again = findings(mariadb, target, f"{shop}.*", database="latin")
        assert items(again, "FAILED") == {"dbCharacterSetConsistency"}
        assert of(again, "dstSynchronousCommitCheck").result == "PASSED"
        assert of(findings(mariadb, target, database="latin_utf8"), "dbCharacterSetConsistency").result == "PASSED"
    finally:
        target.execute("ALTER ROLE opendrs RESET ALL")
        target.drop_database("latin")
        target.drop_database("latin_utf8")


def test_an_account_without_privileges_gets_them(
    mariadb: FamilyServer, target: Postgres, shop: str, account: str, database: NewDatabase
) -> None:
    name = database(target)
    target.execute(f'CREATE SCHEMA "{shop}"', database=name)
    bare = Endpoint.parse(target.url(name, password="Secret-1-bare").replace("opendrs:", f"{account}:"))
    finding = of(findings(mariadb, bare, f"{shop}.*"), "dstDbPrivilegesIsEnough")
    assert finding.result == "FAILED"
    mend(target, name, finding)
    assert items(findings(mariadb, bare, f"{shop}.*"), "FAILED") == set()


def test_too_few_connections(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase, account: str
) -> None:
    name = database(target)
    target.execute(f'GRANT CREATE ON DATABASE "{name}" TO {account}')
    bare = Endpoint.parse(target.url(name, password="Secret-1-bare").replace("opendrs:", f"{account}:"))
    target.execute(f"ALTER ROLE {account} CONNECTION LIMIT 3")
    target.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 4')
    finding = of(findings(mariadb, bare, f"{shop}.*"), "dstConnectionLimitCheck")
    assert finding.result == "FAILED"
    mend(target, name, finding)
    assert of(findings(mariadb, bare, f"{shop}.*"), "dstConnectionLimitCheck").result == "PASSED"


def test_tables_that_are_there_already(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase
) -> None:
    for table in ("a_view", "an_index", "theirs", "empty"):
        mariadb.execute(f"CREATE TABLE {shop}.{table} (id INT PRIMARY KEY)")
    name = database(target)
    with target.connect(name) as admin:
        admin.execute(f'CREATE SCHEMA "{shop}" AUTHORIZATION opendrs; SET search_path = "{shop}"; SET ROLE opendrs')
        admin.execute(
            "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1); CREATE TABLE empty (id int NOT NULL)"
        )
        admin.execute("CREATE VIEW a_view AS SELECT 1 AS id; CREATE TABLE t (id int); CREATE INDEX an_index ON t (id)")
        admin.execute("RESET ROLE; CREATE TABLE theirs (id int NOT NULL)")
    found = [f for f in findings(mariadb, target, f"{shop}.*", database=name) if f.item == "checkEmptyDstDb"]
    assert {finding.result for finding in found} == {"FAILED"}
    message = " ".join(finding.message for finding in found)
    for there in ("orders", f"view {shop}.a_view", f"index {shop}.an_index", "theirs"):
        assert there in message
    assert f"{shop}.empty" not in message
    mend(target, name, *found)
    again = findings(mariadb, target, f"{shop}.*", database=name)
    assert items(again, "FAILED") == set()
    assert "2 tables there already, empty and as they must be" in of(again, "checkEmptyDstDb").message


def test_a_job_that_only_follows_needs_the_tables(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase
) -> None:
    name = database(target)
    found = findings(mariadb, target, f"{shop}.*", database=name, task="incremental")
    assert items(found, "FAILED") == {"checkIncreSrcDbExistedInDstDb"}
    with target.connect(name) as admin:
        admin.execute(f'CREATE SCHEMA "{shop}"; SET search_path = "{shop}"')
        admin.execute("CREATE TABLE orders (id int, extra int NOT NULL)")
        admin.execute("CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        admin.execute("CREATE TRIGGER acting BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION act()")
    found = findings(mariadb, target, f"{shop}.*", database=name, task="incremental")
    existing = [finding for finding in found if finding.item == "checkIncreSrcDbExistedInDstDb"]
    text = " ".join(finding.message for finding in existing)
    assert "orders.note" in text and "orders.extra" in text and "may not write" in text
    assert {"dstUniqueIndexCheck", "dstTriggerCheck"} <= items(found, "ALARM")
    mend(target, name, *existing, *(f for f in found if f.item in ("dstUniqueIndexCheck", "dstTriggerCheck")))
    table = f'"{shop}".orders'
    target.execute(f"ALTER TABLE {table} ADD COLUMN note text, ALTER COLUMN extra SET DEFAULT 0", database=name)
    target.execute(f'GRANT CREATE ON SCHEMA "{shop}" TO opendrs', database=name)
    again = findings(mariadb, target, f"{shop}.*", database=name, task="incremental")
    assert items(again, "FAILED") == set()
    assert not {"dstUniqueIndexCheck", "dstTriggerCheck"} & items(again, "ALARM")


def test_a_control_schema_of_another_release(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase
) -> None:
    name = database(target)
    target.execute("CREATE SCHEMA _opendrs; CREATE TABLE _opendrs.version (version int)", database=name)
    target.execute("INSERT INTO _opendrs.version VALUES (99)", database=name)
    finding = of(findings(mariadb, target, f"{shop}.*", database=name), "dstControlSchemaCheck")
    assert finding.result == "FAILED" and "USAGE" in finding.remedy
    mend(target, name, finding)
    finding = of(findings(mariadb, target, f"{shop}.*", database=name), "dstControlSchemaCheck")
    assert finding.result == "FAILED" and "version 99" in finding.message
    target.execute("UPDATE _opendrs.version SET version = 1", database=name)
    assert of(findings(mariadb, target, f"{shop}.*", database=name), "dstControlSchemaCheck").result == "PASSED"


def test_the_disk_is_known_where_it_can_be_seen(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase
) -> None:
    name = database(target)
    found = findings(mariadb, target, f"{shop}.*", database=name)
    # An ordinary account is not told where the data are: nothing is made up.
    assert of(found, "dstDbDiskSize").result == "ALARM"
    admin = Endpoint.parse(target.url(name, user="postgres"))
    assert of(findings(mariadb, admin, f"{shop}.*"), "dstDbDiskSize").result == "PASSED"


def test_a_rehearsal_leaves_nothing_behind(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase
) -> None:
    mariadb.execute(
        f"ALTER TABLE {shop}.orders ADD UNIQUE (note), ADD INDEX (note, id), ADD d DATETIME(3) DEFAULT NOW(3)"
    )
    name = database(target)
    found = findings(mariadb, target, f"{shop}.*", database=name)
    assert "taken back: 1 table" in of(found, "dstSchemaRehearsalCheck").message
    sql = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
    assert target.execute(sql, database=name) == [("public",)]


def test_a_table_that_the_target_refuses(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase
) -> None:
    """PostgreSQL takes 1600 columns at most, and fewer if they are wide; MySQL 1017, so an event trigger must do."""
    name = database(target)
    with target.connect(name) as admin:
        admin.execute(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here'; END $$"
        )
        admin.execute(
            "CREATE EVENT TRIGGER refusing ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()"
        )
    finding = of(findings(mariadb, target, f"{shop}.*", database=name), "dstSchemaRehearsalCheck")
    assert finding.result == "FAILED" and f"{shop}.orders" in finding.message and "not here" in finding.message


def test_views(mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase) -> None:
    mariadb.execute(f"CREATE VIEW {shop}.good AS SELECT id FROM {shop}.orders")
    found = findings(mariadb, target, f"{shop}.*", database=database(target))
    assert "1 view can be translated" in of(found, "dstViewCheck").message
    mariadb.execute(f"CREATE VIEW {shop}.bad AS SELECT table_name FROM information_schema.tables")
    finding = of(findings(mariadb, None, f"{shop}.*"), "dstViewCheck")
    assert finding.result == "ALARM" and f"{shop}.bad" in finding.message and f"{shop}.good" not in finding.message


def test_a_table_that_somebody_has_locked(
    mariadb: FamilyServer, target: Postgres, shop: str, database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opendrs.worker.checking.LOCK_WAIT_S", 1)
    name = database(target)
    target.execute(f'CREATE SCHEMA "{shop}" AUTHORIZATION opendrs', database=name)
    target.execute(f'SET ROLE opendrs; CREATE TABLE "{shop}".orders (id int NOT NULL)', database=name)
    with target.connect(name) as holder, holder.transaction():
        holder.execute(f'LOCK TABLE "{shop}".orders')
        found = findings(mariadb, target, f"{shop}.*", database=name)
    text = " ".join(f.message for f in found if f.item == "checkEmptyDstDb")
    assert f"cannot be read: {shop}.orders" in text
    assert of(found, "dstViewCheck").result == "PASSED"
