"""The client: sessions, queries, errors, cancellation."""

from __future__ import annotations

import threading
import time

import pytest

from opendrs._core import PgConnection, PgError
from tests.harness.ports import free_port
from tests.harness.postgres import Postgres
from tests.harness.server import PASSWORD
from tests.integration.postgres_wire.conftest import Connect, options


def failure(connection: PgConnection, sql: str) -> PgError:
    with pytest.raises(PgError) as raised:
        connection.query(sql)
    return raised.value


def test_the_session_is_set_up(connect: Connect) -> None:
    connection = connect(lock_timeout_s=1.5, synchronous_commit="off", application_name="opendrs/job-1")
    expected = {
        "client_encoding": "UTF8",
        "TimeZone": "UTC",
        "IntervalStyle": "postgres",
        "search_path": "pg_catalog",
        "statement_timeout": "0",
        "lock_timeout": "1500ms",
        "idle_in_transaction_session_timeout": "0",
        "synchronous_commit": "off",
        "standard_conforming_strings": "on",
        "application_name": "opendrs/job-1",
        "idle_session_timeout": "0",
    }
    for name, value in expected.items():
        assert connection.query(f"SHOW {name}") == [(value,)], name
    assert connection.query("SHOW DateStyle")[0][0].startswith("ISO")
    assert connection.query("SELECT 1e-5::float8, 0.1::float4") == [("1e-05", "0.1")]
    assert connection.parameter("server_encoding") == "UTF8"
    assert connection.parameter("no_such_parameter") is None


def test_a_role_that_limits_statements_does_not_limit_us(server: Postgres, connect: Connect) -> None:
    server.execute("ALTER ROLE opendrs SET statement_timeout = 10; ALTER ROLE opendrs SET search_path = public")
    try:
        connection = connect()
        assert connection.query("SELECT pg_sleep(0.1)") == [("",)]
        assert connection.query("SHOW search_path") == [("pg_catalog",)]
    finally:
        server.execute("ALTER ROLE opendrs RESET ALL")


def test_rows_are_text(connection: PgConnection) -> None:
    sql = "SELECT 1, NULL, 'é\U0001f600', ''"
    assert connection.query(sql) == [("1", None, "é\U0001f600", "")]
    assert connection.query(sql, []) == connection.query(sql)
    assert connection.query("SELECT $1::int + 1, $2::text, $3", ["41", None, "a'b\\"]) == [("42", None, "a'b\\")]
    assert connection.query("SELECT 1; SELECT 2") == [("2",)], "the rows of the last statement"
    assert connection.query("CREATE TABLE app.t (a int)") == []
    assert connection.execute("INSERT INTO app.t SELECT generate_series(1, 5)") == 5
    assert connection.execute("DELETE FROM app.t WHERE a > 3") == 2
    assert connection.execute("BEGIN") == 0
    assert connection.query("") == []


def test_many_rows_and_large_values(connection: PgConnection) -> None:
    rows = connection.query("SELECT n, repeat('x', n % 1000) FROM generate_series(1, 20000) n")
    assert len(rows) == 20000
    assert rows[998] == ("999", "x" * 999)
    large = "ä" * 5_000_000
    assert connection.query("SELECT $1::text", [large]) == [(large,)]


def test_transactions_are_followed(connection: PgConnection) -> None:
    assert not connection.in_transaction
    connection.execute("BEGIN")
    assert connection.in_transaction
    failure(connection, "SELECT 1/0")
    assert connection.in_transaction
    assert failure(connection, "SELECT 1").sqlstate == "25P02"
    connection.execute("ROLLBACK")
    assert not connection.in_transaction
    connection.query("SELECT 1")


def test_errors_say_what_the_server_says(connection: PgConnection) -> None:
    connection.execute("CREATE TABLE app.t (a int PRIMARY KEY, b int CHECK (b > 0)); INSERT INTO app.t VALUES (1, 1)")
    error = failure(connection, "INSERT INTO app.t VALUES (1, 1)")
    assert (error.kind, error.sqlstate) == ("server", "23505")
    assert (error.schema, error.table, error.constraint) == ("app", "t", "t_pkey")
    assert error.detail == "Key (a)=(1) already exists."
    assert "SQLSTATE 23505" in str(error)
    assert error.message.startswith("duplicate key")
    error = failure(connection, "INSERT INTO app.t VALUES (2, -1)")
    assert (error.sqlstate, error.constraint) == ("23514", "t_b_check")
    error = failure(connection, "SELECT nothing FROM app.t")
    assert (error.sqlstate, error.reason, error.key) == ("42703", None, None)
    error = failure(connection, "DO $$ BEGIN RAISE 'x' USING hint = 'a hint'; END $$")
    assert error.hint == "a hint"
    assert error.where.startswith("PL/pgSQL function")
    assert failure(connection, "COPY app.t FROM STDIN").kind == "server"
    assert failure(connection, "COPY app.t TO STDOUT").kind == "usage"
    assert failure(connection, "SELECT '\0'").kind == "usage"
    with pytest.raises(PgError) as raised:
        connection.query("SELECT $1", [])
    assert raised.value.sqlstate in ("08P01", "42P02")
    assert connection.query("SELECT 1") == [("1",)], "an error does not end the session"


def test_notices_are_collected(connection: PgConnection) -> None:
    connection.query("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
    assert connection.notices() == [("NOTICE", "00000", "one"), ("WARNING", "01000", "two")]
    assert connection.notices() == []
    connection.query("DO $$ BEGIN FOR n IN 1..500 LOOP RAISE NOTICE '%', n; END LOOP; END $$")
    assert [message for _, _, message in connection.notices()] == [str(n) for n in range(401, 501)]


def in_thread(connection: PgConnection, sql: str) -> tuple[threading.Thread, list[PgError]]:
    errors: list[PgError] = []

    def run() -> None:
        try:
            connection.query(sql)
        except PgError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def wait_until_active(server: Postgres, name: str) -> None:
    while not server.execute(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%%' AND datname = %s",
        (name,),
    ):
        time.sleep(0.01)


def test_cancel_ends_the_statement_and_not_the_session(server: Postgres, name: str, connection: PgConnection) -> None:
    thread, errors = in_thread(connection, "SELECT pg_sleep(60)")
    wait_until_active(server, name)
    connection.cancel()
    thread.join()
    assert [error.sqlstate for error in errors] == ["57014"]
    assert connection.query("SELECT 1") == [("1",)]


def test_close_ends_whatever_runs(server: Postgres, name: str, connection: PgConnection) -> None:
    thread, errors = in_thread(connection, "SELECT pg_sleep(60)")
    wait_until_active(server, name)
    connection.close()
    thread.join()
    assert [error.kind for error in errors] == ["interrupted"]
    assert failure(connection, "SELECT 1").kind == "usage"
    connection.close()


def test_a_session_that_the_server_ends_says_so(server: Postgres, connection: PgConnection) -> None:
    ((process,),) = connection.query("SELECT pg_backend_pid()")
    server.execute("SELECT pg_terminate_backend(%s)", (process,))
    error = failure(connection, "SELECT 1")
    assert (error.kind, error.sqlstate) == ("server", "57P01")
    error = failure(connection, "SELECT 1")
    assert (error.kind, error.reason) == ("net", "closed")
    assert not connection.in_transaction


def test_nobody_listens() -> None:
    with pytest.raises(PgError) as raised:
        PgConnection(f'{{"port": {free_port()}, "user": "u", "password": "{PASSWORD}", "database": "d"}}')
    assert (raised.value.kind, raised.value.reason) == ("net", "refused")
    assert PASSWORD not in str(raised.value)


def test_options_are_checked(server: Postgres) -> None:
    for wrong in ({"no_such_option": 1}, {"port": PASSWORD}, {"connect_timeout_s": -1.0}):
        with pytest.raises(PgError) as raised:
            PgConnection(options(server, **wrong))
        assert raised.value.kind == "usage"
        assert PASSWORD not in str(raised.value)
    with pytest.raises(PgError) as raised:
        PgConnection(options(server, "no_such_database"))
    assert (raised.value.kind, raised.value.sqlstate) == ("server", "3D000")


def test_the_unix_socket(server: Postgres) -> None:
    for place in (str(server.folder), str(server.folder / f".s.PGSQL.{server.port}")):
        connection = PgConnection(options(server, unix_socket=place))
        assert connection.query("SELECT inet_client_addr()") == [(None,)]
        connection.close()
