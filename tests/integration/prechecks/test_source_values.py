"""Values that PostgreSQL cannot hold, counted on real servers, and what their remedies lead to."""

from __future__ import annotations

import pytest

from opendrs.model.job import Policy
from opendrs.worker.checking import Counting, Options
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.prechecks.findings import carry_out, findings, items, of

# As many rows of each kind as the checks must count: dates that PostgreSQL has none of, and some that it has.
IMPOSSIBLE = ("0000-00-00", "2024-00-10", "2024-05-00", "2024-02-30", "2023-02-29", "2024-04-31")
POSSIBLE = ("2024-02-29", "1000-01-01", "9999-12-31", "2024-12-31")


@pytest.fixture(params=["mariadb", "mariadb_11", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server: FamilyServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def shop(source: FamilyServer, database: NewDatabase) -> str:
    name = database(source)
    connection = source.connect(name)
    with connection, connection.cursor() as cursor:
        for statement in (
            "SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE days (id INT AUTO_INCREMENT PRIMARY KEY, day DATE NOT NULL, at DATETIME(3), ts TIMESTAMP NULL)",
            "CREATE TABLE notes (id INT PRIMARY KEY, note TEXT, title VARCHAR(40) CHARACTER SET utf16, body BLOB)",
            "CREATE TABLE numbers (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, free BIGINT UNSIGNED)",
            "CREATE TABLE fine (id INT PRIMARY KEY, day DATE, note TEXT)",
            "INSERT INTO fine VALUES (1, '2024-01-01', 'fine'), (2, NULL, NULL)",
            "INSERT INTO days (day, ts) VALUES ('2024-01-01', '0000-00-00 00:00:00'), ('2024-01-01', '2024-01-01 00:00:01')",
            "INSERT INTO notes VALUES (1, 'fine', 'fine', X'00'), (2, CONCAT('a', CHAR(0 USING utf8mb4)), 'x', NULL)",
            "INSERT INTO notes VALUES (3, 'fine', CONCAT('b', CHAR(0 USING utf8mb4), 'c'), NULL), (4, NULL, NULL, NULL)",
            "INSERT INTO numbers VALUES (1, 18446744073709551615), (9223372036854775807, 0), (9223372036854775808, 0)",
            *(f"INSERT INTO days (day, at) VALUES ('{day}', '{day} 01:02:03')" for day in (*IMPOSSIBLE, *POSSIBLE)),
        ):
            cursor.execute(statement)
    return name


COUNTS = {
    "days.day": (len(IMPOSSIBLE), "impossible-date"),
    "days.at": (len(IMPOSSIBLE), "impossible-date"),
    "days.ts": (1, "zero-timestamp"),
    "notes.note": (1, "nul-in-text"),
    "notes.title": (1, "nul-in-text"),
    "numbers.id": (1, "beyond-bigint"),
}


def test_each_loss_is_counted_exactly(source: FamilyServer, shop: str) -> None:
    found = [f for f in findings(source, None, f"{shop}.*") if f.item == "srcColumnValueCheck"]
    failed = [finding.message for finding in found if finding.result == "FAILED"]
    assert len(failed) == len(COUNTS)
    for place, (rows, loss) in COUNTS.items():
        (message,) = [one for one in failed if one.startswith(f"{shop}.{place}: ")]
        assert f": {rows} row" in message and f"({loss})" in message
    assert [finding.result for finding in found].count("PASSED") == 1


def test_policies_take_the_losses(source: FamilyServer, shop: str) -> None:
    policy = Policy(invalid_dates="null", nul_in_text="replace")
    found = [f for f in findings(source, None, f"{shop}.*", policy=policy) if f.item == "srcColumnValueCheck"]
    (left,) = [finding for finding in found if finding.result == "FAILED"]
    assert "beyond-bigint" in left.message
    alarms = [finding.message for finding in found if finding.result == "ALARM"]
    assert len(alarms) == len(COUNTS) - 1
    assert any("they become NULL" in message for message in alarms)
    source.execute("DELETE FROM numbers WHERE id > 9223372036854775807", database=shop)
    assert items(findings(source, None, f"{shop}.*", policy=policy), "FAILED") == set()


def test_the_remedies_show_the_rows(source: FamilyServer, shop: str) -> None:
    found = [f for f in findings(source, None, f"{shop}.*") if f.item == "srcColumnValueCheck"]
    for finding in found:
        if finding.result == "FAILED":
            last = finding.remedy.splitlines()[-1]
            rows = source.execute(last)
            assert f": {len(rows)} row" in finding.message


def test_counting_can_be_limited(source: FamilyServer, shop: str) -> None:
    source.execute("ANALYZE TABLE days, notes, numbers, fine", database=shop)
    found = findings(source, None, f"{shop}.*", options=Options(counting=Counting(rows_max=0)))
    assert items(found, "FAILED") == set()
    alarm = of(found, "srcColumnValueCheck")
    assert alarm.result == "ALARM" and "--no-count" in alarm.message


def test_counting_stops_when_its_time_is_over(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    source.execute("CREATE TABLE many (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT)", database=name)
    source.execute("INSERT INTO many (note) VALUES (REPEAT('x', 1000))", database=name)
    for _ in range(14):
        source.execute("INSERT INTO many (note) SELECT note FROM many", database=name)
    alarm = of(
        findings(source, None, f"{name}.*", options=Options(counting=Counting(timeout_s=0.001))), "srcColumnValueCheck"
    )
    assert alarm.result == "ALARM" and "not done within" in alarm.message
    assert of(findings(source, None, f"{name}.*"), "srcColumnValueCheck").result == "PASSED"


def test_entries_of_unique_indexes(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    for statement in (
        "CREATE TABLE short (id INT PRIMARY KEY, email VARCHAR(255), UNIQUE (email)) CHARACTER SET utf8mb4",
        "CREATE TABLE long_ (id INT PRIMARY KEY, a VARCHAR(700), UNIQUE (a)) CHARACTER SET utf8mb4",
        "INSERT INTO long_ VALUES (1, REPEAT('x', 700)), (2, REPEAT('ä', 700)), (3, REPEAT('\U0001f600', 700)), (4, NULL)",
    ):
        source.execute(statement, database=name)
    found = findings(source, None, f"{name}.*")
    finding = of(found, "srcDbIndexKeyLength")
    assert finding.result == "FAILED"
    assert "1 row with more than 2680 bytes" in finding.message
    accepted = findings(source, None, f"{name}.*", options=Options(accepted=["srcDbIndexKeyLength"]))
    assert of(accepted, "srcDbIndexKeyLength").result == "ALARM"
    carry_out(source, finding)
    source.execute("DELETE FROM long_ WHERE id = 3", database=name)
    assert of(findings(source, None, f"{name}.*"), "srcDbIndexKeyLength").result == "PASSED"


def test_what_does_not_arrive_as_it_was(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    long = "n" * 64
    for statement in (
        f"CREATE TABLE t (id INT PRIMARY KEY, `{long}` INT, note TEXT, FULLTEXT (note), g GEOMETRY NOT NULL, SPATIAL INDEX (g),"
        " ts TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, name VARCHAR(20), UNIQUE (name),"
        " doubled INT AS (id * 2) STORED) COLLATE utf8mb4_general_ci",
        f"CREATE TABLE `{long}` (ctid INT PRIMARY KEY)",
    ):
        source.execute(statement, database=name)
    found = findings(source, None, f"{name}.*")
    text = " ".join(finding.message for finding in found if finding.result == "ALARM")
    assert {"mappedNameCheck", "dstColumnTypeCheck", "dstSchemaCheck"} <= items(found, "ALARM")
    # MariaDB 11.4 and newer does not log what it generates: there the target calculates it, and it stays generated.
    written = ("generated column",) if source.name != "mariadb-11" else ()
    for word in ("full-text", "spatial", "ON UPDATE", *written, "UNIQUE tells apart", "t.ctid"):
        assert word in text.replace(f"{long}.ctid", "t.ctid"), word
    assert f"{name}.{long} as " in text
