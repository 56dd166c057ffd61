"""COPY: blocks, errors in the middle, giving up."""

from __future__ import annotations

import time

import pytest

from opendrs._core import PgConnection, PgError
from tests.harness.postgres import Postgres
from tests.integration.postgres_wire.tables import Column, Row, Table

INT = {"kind": "int", "bits": 32}
TABLE = Table(
    name="t",
    columns=(
        Column(name="id", logical=INT, type="int4", not_null=True),
        Column(name="name", logical={"kind": "text"}, type="text"),
    ),
    key=("id",),
)


def rows(first: int, count: int, width: int = 10) -> list[Row]:
    return [(number, "x" * width) for number in range(first, first + count)]


@pytest.mark.parametrize("form", ["binary", "text"])
def test_many_batches(connection: PgConnection, form: str) -> None:
    connection.execute(TABLE.sql())
    copy = connection.copy_in(TABLE.described(), form)
    for number in range(20):
        copy.write(TABLE.batch(rows(number * 1000, 1000, width=100)))
    copy.write(TABLE.batch([]))
    assert copy.finish() == 20_000
    assert connection.query("SELECT count(*), sum(id), sum(length(name)) FROM app.t") == [
        ("20000", str(sum(range(20_000))), "2000000")
    ]
    with pytest.raises(PgError) as raised:
        copy.finish()
    assert raised.value.kind == "usage"


def test_one_row_of_many_blocks(connection: PgConnection) -> None:
    connection.execute(TABLE.sql())
    copy = connection.copy_in(TABLE.described())
    copy.write(TABLE.batch([(1, "y" * 3_000_000), (2, "z")]))
    assert copy.finish() == 2
    assert connection.query("SELECT length(name) FROM app.t ORDER BY id") == [("3000000",), ("1",)]


def test_nothing_at_all(connection: PgConnection) -> None:
    connection.execute(TABLE.sql())
    for form in ("binary", "text"):
        assert connection.copy_in(TABLE.described(), form).finish() == 0


def test_an_error_in_the_middle_is_noticed_in_the_middle(connection: PgConnection) -> None:
    connection.execute(TABLE.sql() + "; INSERT INTO app.t VALUES (500, 'there')")
    copy = connection.copy_in(TABLE.described())
    with pytest.raises(PgError) as raised:
        for number in range(10_000):
            copy.write(TABLE.batch(rows(number * 1000, 1000, width=1000)))
            time.sleep(0.01)
        pytest.fail("ten gigabytes were not enough")
    error = raised.value
    assert (error.kind, error.sqlstate, error.detail) == ("server", "23505", "Key (id)=(500) already exists.")
    assert error.where.startswith("COPY t, line 501")
    copy.abort()
    assert connection.query("SELECT count(*) FROM app.t") == [("1",)]


def test_giving_up_leaves_the_connection_of_use(connection: PgConnection) -> None:
    connection.execute(TABLE.sql())
    copy = connection.copy_in(TABLE.described())
    copy.write(TABLE.batch(rows(0, 50_000)))
    with pytest.raises(PgError) as raised:
        connection.query("SELECT 1")
    assert raised.value.kind == "usage", "a COPY is under way"
    copy.abort()
    copy.abort()
    assert connection.query("SELECT count(*) FROM app.t") == [("0",)]
    assert connection.copy_in(TABLE.described()).finish() == 0


def test_in_a_transaction(connection: PgConnection) -> None:
    connection.execute(TABLE.sql())
    connection.execute("BEGIN")
    copy = connection.copy_in(TABLE.described())
    copy.write(TABLE.batch(rows(0, 10)))
    copy.finish()
    connection.execute("ROLLBACK")
    assert connection.query("SELECT count(*) FROM app.t") == [("0",)]


def test_the_server_goes_away(server: Postgres, connection: PgConnection) -> None:
    connection.execute(TABLE.sql())
    ((process,),) = connection.query("SELECT pg_backend_pid()")
    copy = connection.copy_in(TABLE.described())
    copy.write(TABLE.batch(rows(0, 10)))
    server.execute("SELECT pg_terminate_backend(%s)", (process,))
    with pytest.raises(PgError) as raised:
        for number in range(10_000):
            copy.write(TABLE.batch(rows(number * 1000, 1000, width=1000)))
    assert raised.value.sqlstate == "57P01" or raised.value.kind == "net"
    with pytest.raises(PgError):
        connection.query("SELECT 1")


def test_what_the_batch_and_the_table_disagree_about(connection: PgConnection) -> None:
    connection.execute(TABLE.sql())
    other = Table(name="t", columns=(TABLE.columns[0], Column(name="other", logical=INT, type="int4")))
    copy = connection.copy_in(TABLE.described())
    with pytest.raises(PgError) as raised:
        copy.write(other.batch([(1, 1)]))
    assert raised.value.kind == "usage"
    assert "name" in raised.value.message
    with pytest.raises(PgError) as raised:
        connection.copy_in(other.described())
    assert "no column other" in raised.value.message
    missing = Table(name="missing", columns=TABLE.columns)
    with pytest.raises(PgError) as raised:
        connection.copy_in(missing.described())
    assert "no table app.missing" in raised.value.message
    assert connection.query("SELECT 1") == [("1",)]


def test_a_trigger_that_warns_of_every_row_does_not_choke_the_connection(connection: PgConnection) -> None:
    """The server would wait until we read its warnings, and we until it reads our rows."""
    connection.execute(TABLE.sql())
    connection.execute(
        "CREATE FUNCTION app.warn() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE WARNING '%', repeat('w', 2000); RETURN NEW; END $$; "
        "CREATE TRIGGER warn BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.warn()"
    )
    copy = connection.copy_in(TABLE.described())
    copy.write(TABLE.batch(rows(0, 5_000, width=1)))
    assert copy.finish() == 5_000
    connection.query("DO $$ BEGIN RAISE WARNING 'heard'; END $$")
    assert [message for _, _, message in connection.notices()] == ["heard"]
