"""Each server starts, answers, is set up as promised, and survives what tests will do to it."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from tests.harness import NAMES, Options, Server, ServerFailed, ServerUnavailable, create
from tests.harness.fixtures import NewDatabase, StartServer, not_exercised
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.server import PASSWORD, USER

VERSIONS = {
    "mariadb": r"10\.11\.\d+-MariaDB",
    "mariadb11": r"1[12]\.\d+\.\d+-MariaDB",
    "mysql": r"[89]\.\d+\.\d+",
    "postgres15": r"15\.\d+",
    "postgres16": r"16\.\d+",
    "postgres18": r"18\.\d+",
}
BINLOG = ["mariadb", "mariadb11", "mysql"]
POSTGRES = ["postgres15", "postgres16", "postgres18"]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """The run's shared server of the name that a test is parametrized with."""
    fixture = {"mariadb11": "mariadb_11", "postgres15": "postgres"}
    name = fixture.get(request.param, re.sub(r"(\d\d)$", r"_\1", request.param))
    found: Server = request.getfixturevalue(name)
    return found


def fill(server: Server, database: str) -> None:
    server.execute("CREATE TABLE kept (id INT PRIMARY KEY, note TEXT)", database=database)
    server.execute("INSERT INTO kept VALUES (1, 'é€😀')", database=database)


def kept(server: Server, database: str) -> list[tuple[Any, ...]]:
    return server.execute("SELECT id, note FROM kept", database=database)


def test_every_name_has_an_expected_version() -> None:
    assert set(VERSIONS) == set(NAMES)


@pytest.mark.parametrize("server", NAMES, indirect=True)
def test_version(server: Server, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["server"]
    assert re.match(VERSIONS[name], server.version)


@pytest.mark.parametrize("server", NAMES, indirect=True)
def test_sql(server: Server, database: NewDatabase) -> None:
    name = database(server)
    fill(server, name)
    assert kept(server, name) == [(1, "é€😀")]
    assert server.execute("SELECT %s + 1", (41,)) == [(42,)]
    assert server.execute("SELECT 1; SELECT 2") == [(2,)]


@pytest.mark.parametrize("server", NAMES, indirect=True)
def test_only_the_loopback_interface_is_served(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5):
        pass
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), 5):
        pass


@pytest.mark.parametrize("name", NAMES)
def test_committed_rows_outlive_sigkill(name: str, start_server: StartServer) -> None:
    server = start_server(name)
    server.create_database("shop")
    port = server.port
    for number in range(3):
        server.execute(f"CREATE TABLE t{number} (id INT PRIMARY KEY)", database="shop")
        with server.connect("shop") as connection, connection.cursor() as cursor:
            for key in range(50):
                cursor.execute(f"INSERT INTO t{number} VALUES ({key})")
            server.kill()
        assert not server.running
        server.start()
        assert server.port == port
        assert server.execute(f"SELECT count(*) FROM t{number}", database="shop") == [(50,)]


@pytest.mark.parametrize("name", NAMES)
def test_stop_and_restart_keep_port_and_data(name: str, start_server: StartServer) -> None:
    server = start_server(name)
    server.create_database("shop")
    fill(server, "shop")
    port, pid = server.port, server.pid
    server.restart()
    assert (server.port, kept(server, "shop")) == (port, [(1, "é€😀")])
    assert server.pid != pid
    server.stop()
    assert not server.running
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 5):
        pass
    server.start()
    assert kept(server, "shop") == [(1, "é€😀")]


@pytest.mark.parametrize("name", ["mariadb", "mysql", "postgres15"])
def test_pause_and_resume(name: str, start_server: StartServer) -> None:
    server = start_server(name)
    with server.connect() as connection, connection.cursor() as cursor:
        server.pause()
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), 5) as client:
            client.settimeout(0.3)
            client.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # to PostgreSQL: TLS?
            with pytest.raises(TimeoutError):
                client.recv(1)
        assert time.monotonic() - begin >= 0.3
        server.resume()
        cursor.execute("SELECT 1")  # the old session is still there
        assert list(cursor.fetchall()) == [(1,)]


@pytest.mark.parametrize("name", ["mariadb", "postgres15"])
def test_a_paused_server_can_be_stopped_and_killed(name: str, start_server: StartServer) -> None:
    server = start_server(name)
    server.pause()
    server.stop()
    server.start()
    server.pause()
    server.kill()
    server.start()
    assert server.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize("name", ["mariadb", "mysql", "postgres18"])
def test_a_given_folder_keeps_the_data(name: str, start_server: StartServer, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3]):  # with xdist one more
        if folder.name != "tmp":
            folder.chmod(0o755)  # pytest closes its folders to others, and PostgreSQL is one
    options = Options(data=tmp_path / "data")
    with create(name, options) as server:
        server.create_database("shop")
        fill(server, "shop")
    assert (tmp_path / "data").is_dir()
    with create(name, options) as server:
        assert kept(server, "shop") == [(1, "é€😀")]


def test_a_server_that_cannot_start_says_why() -> None:
    server = create("mariadb", Options(settings={"no_such_setting": 1}))
    with pytest.raises(ServerFailed, match="unknown variable 'no_such_setting"):
        server.__enter__()
    server = create("postgres15", Options(settings={"no_such_setting": 1}))
    with pytest.raises(ServerFailed, match="unrecognized configuration parameter"):
        server.__enter__()


@pytest.mark.parametrize("server", BINLOG, indirect=True)
def test_binlog_settings(server: Server) -> None:
    def variable(name: str) -> object:
        return server.execute(f"SELECT @@GLOBAL.{name}")[0][0]

    expected = {
        "log_bin": 1,
        "binlog_format": "ROW",
        "binlog_row_image": "FULL",
        "binlog_row_metadata": "FULL",
        "sync_binlog": 0,
        "performance_schema": 0,
        "character_set_server": "utf8mb4",
        "local_infile": 1,
        "server_id": server.port,
    }
    assert {name: variable(name) for name in expected} == expected
    if "MariaDB" in server.version:
        assert variable("gtid_strict_mode") == 1
        assert variable("secure_file_priv") is None  # no restriction; on MySQL NULL forbids all
    else:
        assert (variable("gtid_mode"), variable("enforce_gtid_consistency")) == ("ON", "ON")
        assert variable("secure_file_priv") == ""


@pytest.mark.parametrize("name", BINLOG)
def test_a_new_server_has_an_empty_log_and_its_own_identity(name: str, start_server: StartServer) -> None:
    first, second = start_server(name), start_server(name)
    if name == "mysql":
        uuids = [server.execute("SELECT @@server_uuid")[0][0] for server in (first, second)]
        assert len(set(uuids)) == 2
        assert first.execute("SELECT @@gtid_executed") == [("",)]
    else:
        assert first.execute("SELECT @@gtid_current_pos") == [("",)]
    assert [row[0] for row in first.execute("SHOW BINARY LOGS")] == ["binlog.000001"]
    ids = [server.execute("SELECT @@server_id")[0][0] for server in (first, second)]
    assert len(set(ids)) == 2


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_settings_and_durability(name: str, start_server: StartServer) -> None:
    server = start_server(name, Options(durable=True, settings={"max-connections": 33}))
    wanted = "SELECT @@sync_binlog, @@innodb_flush_log_at_trx_commit, @@max_connections"
    assert server.execute(wanted) == [(1, 1, 33)]
    server.restart({"max_connections": 44})
    assert server.execute(wanted) == [(1, 1, 44)]


def test_postgres_settings_and_durability(start_server: StartServer) -> None:
    server = start_server("postgres15", Options(durable=True, settings={"work_mem": "9MB"}))
    assert server.execute("SHOW fsync") == [("on",)]
    assert server.execute("SHOW work_mem") == [("9MB",)]
    server.restart({"work_mem": "10MB"})
    assert server.execute("SHOW work_mem") == [("10MB",)]
    server.execute("ALTER SYSTEM SET work_mem = '11MB'")
    server.restart()
    assert server.execute("SHOW work_mem") == [("11MB",)]


@pytest.mark.parametrize("server", POSTGRES, indirect=True)
def test_postgres_set_up(server: Postgres, database: NewDatabase) -> None:
    row = server.execute("SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'postgres'")
    assert row == [("UTF8", "C.UTF-8")]
    assert server.execute("SHOW wal_level") == [("logical",)]
    with psycopg.connect(server.url(database(server)), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE TABLE shop.t (id INT)")
        found = connection.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert found.fetchone() == (USER, False)


@pytest.mark.parametrize("auth", ["scram-sha-256", "md5", "trust"])
def test_postgres_authentication(auth: str, start_server: StartServer) -> None:
    server = start_server("postgres16", Options(auth=auth))
    psycopg.connect(server.url()).close()
    psycopg.connect(server.url(user="postgres")).close()
    if auth == "trust":
        psycopg.connect(server.url(password="wrong")).close()
        return
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(password="wrong"))
    stored = server.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'opendrs'")[0][0]
    assert stored.startswith("md5" if auth == "md5" else "SCRAM-SHA-256$")


@pytest.mark.parametrize("server", BINLOG, indirect=True)
def test_the_source_account_reads_the_log_and_writes_nothing(server: FamilyServer, database: NewDatabase) -> None:
    name = database(server)
    fill(server, name)
    status = "BINARY LOG STATUS" if "MariaDB" not in server.version else "MASTER STATUS"
    with server.connect(name, user=USER) as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW {status}")
        row = cursor.fetchone()
        assert row
        cursor.execute("SHOW BINARY LOGS")
        assert cursor.fetchall()
        cursor.execute("LOCK TABLES kept READ")
        cursor.execute("UNLOCK TABLES")
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("INSERT INTO kept VALUES (2, '')")
    printed = server.tool(("mariadb-binlog", "mysqlbinlog"), "--read-from-remote-server", "-vv", str(row[0]))
    assert f"INSERT INTO `{name}`.`kept`" in printed


@pytest.mark.parametrize("name", BINLOG)
def test_tls(name: str, start_server: StartServer) -> None:
    server = start_server(name, Options(tls=True))
    assert server.tls
    with server.connect(user=USER) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_version'")
        assert str(cursor.fetchall()[0][1]).startswith("TLSv1.")
    other = start_server(name, Options(tls=True))
    with pytest.raises(pymysql.err.OperationalError, match=r"(?i)certificate verify failed"):
        pymysql.connect(
            host="127.0.0.1", port=server.port, user=USER, password=PASSWORD, ssl_ca=_ca(other), ssl_verify_cert=True
        )


def test_postgres_tls(start_server: StartServer) -> None:
    server = start_server("postgres15", Options(tls=True))
    with server.connect(user=USER) as connection:
        query = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.execute(query).fetchone()[0].startswith("TLSv1.")
    other = start_server("postgres15", Options(tls=True))
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(f"{server.url()}?sslmode=verify-ca&sslrootcert={_ca(other)}")


def test_without_tls_there_is_none(mariadb: FamilyServer, mariadb_11: FamilyServer, mysql: FamilyServer) -> None:
    for server in (mariadb, mariadb_11, mysql):
        with pytest.raises(pymysql.err.OperationalError, match=r"(?i)doesn't support SSL|SSL"):
            server.connect(user=USER, ssl_disabled=False, ssl={"check_hostname": False})


def _ca(server: Server) -> str:
    assert server.tls
    return str(server.tls.ca)


def test_a_server_built_without_tls_is_unavailable_with_it() -> None:
    with pytest.raises(ServerUnavailable, match="without TLS"):
        create("postgres18", Options(tls=True)).__enter__()


@pytest.mark.parametrize(
    ("name", "plugin"),
    [
        ("mariadb", "mysql_native_password"),
        ("mariadb", "ed25519"),
        ("mariadb11", "mysql_native_password"),
        ("mariadb11", "ed25519"),
        ("mariadb11", "parsec"),
        ("mariadb11", "caching_sha2_password"),
        ("mysql", "caching_sha2_password"),
        ("mysql", "sha256_password"),
        ("mysql", "mysql_native_password"),
    ],
)
def test_authentication_plugins(name: str, plugin: str, request: pytest.FixtureRequest) -> None:
    shared: FamilyServer = request.getfixturevalue("mariadb_11" if name == "mariadb11" else name)
    user, password = f"by_{plugin}"[:32], "pass'\\word ü"
    try:
        shared.create_user(user, password, auth=plugin)
    except ServerUnavailable as error:
        not_exercised(name, str(error))
    if plugin in ("ed25519", "parsec"):  # not known to the driver without further packages
        printed = shared.tool(("mariadb",), "-N", "-e", "SELECT current_user()", user=user)
        assert printed.strip().splitlines()[-1] == f"{user}@%"
    else:
        with shared.connect(user=user) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_user()")
            assert cursor.fetchall() == ((f"{user}@%",),)
        with pytest.raises(pymysql.err.OperationalError):
            shared.connect(user=user, password="wrong")
    column = "SELECT plugin FROM mysql.user WHERE user = %s"
    assert shared.execute(column, (user,)) == [(plugin,)]


def test_the_option_auth_is_about_the_source_account(start_server: StartServer) -> None:
    server = start_server("mariadb", Options(auth="ed25519"))
    query = "SELECT plugin FROM mysql.user WHERE user = 'opendrs'"
    assert server.execute(query) == [("ed25519",)]
    server.restart()
    assert server.execute(query) == [("ed25519",)]
    with pytest.raises(ServerUnavailable, match="no_such_plugin"):
        create("mariadb", Options(auth="no_such_plugin")).__enter__()
