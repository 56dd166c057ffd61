"""The place of a time, on real servers, against what their own tool prints of every file."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.locating import time_of
from opendrs.engines.mysql.log_files import HEAD_BYTES, MICRO, LogFiles
from opendrs.engines.mysql.starting import resolve
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Secret
from opendrs.model.start import StartPosition
from tests.harness import Options
from tests.harness.fixtures import StartServer
from tests.harness.mysql_family import FamilyServer
from tests.integration.positions.logs import DATABASE, Log, found, linearly, own, shown

FILES = 200
APART_S = 60
LOOKS = 40
HANDFUL = 10  # of 200 files: eight times half of them, the first, and one that is read
MORE = 20  # where files hold nothing, their neighbours are asked


def crowded(log: Log, rng: random.Random, least: int) -> None:
    """200 files, with up to 4 transactions each; of MySQL, which tells the real commit, to the microsecond."""
    with log.server.connect(DATABASE) as connection, connection.cursor() as cursor:
        for _ in range(FILES):
            for _ in range(rng.randint(least, 4)):
                cursor.execute("INSERT INTO t (v) VALUES ('x')")
            cursor.execute("FLUSH BINARY LOGS")


def drawn_out(log: Log, rng: random.Random, least: int) -> None:
    """The same of MariaDB, whose times come from the session: files are a minute apart, and some statements took long,
    so that some files have nothing else. Whoever wrote them in hours would have had the clock of those hours."""
    base = int(time.time()) - (FILES + 20) * APART_S
    begun = [base + number * APART_S for number in range(FILES + 1)]
    # With this every commit is on disk, and checkpoints come at once.
    log.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1", f"SET TIMESTAMP = {base - APART_S}", "RESET MASTER")
    with log.server.connect(DATABASE) as connection, connection.cursor() as cursor:
        for begun_s in begun[:-1]:
            count = rng.randint(least, 4)
            for place in range(count):
                cursor.execute(f"SET TIMESTAMP = {max(base, begun_s + place * 10 - rng.choice((0, 0, 5, 900)))}")
                cursor.execute("INSERT INTO t (v) VALUES ('x')")
            if count and begun_s > base:  # the first file has none before it, of which there were something to say
                log.await_clock()
            cursor.execute(f"SET TIMESTAMP = {max(base, begun_s + 50 - rng.choice((0, 0, 600)))}")
            cursor.execute("FLUSH BINARY LOGS")
    log.server.stop()
    for number, begun_s in enumerate(begun, 1):
        log.set_clock(f"binlog.{number:06}", begun_s)
    log.server.start()


@pytest.mark.parametrize(("least", "opened"), [(1, HANDFUL), (0, MORE)])
def test_random_times_in_200_files(log: Log, least: int, opened: int) -> None:
    rng = random.Random(7)
    (drawn_out if log.mariadb else crowded)(log, rng, least)
    begins, end = log.begins(), log.end
    assert len(log.files) > FILES and len(begins) > FILES
    first, last = begins[0].moment_us, begins[-1].moment_us
    times = [rng.randint(first, last + (last - first) // 20) for _ in range(LOOKS)]
    times += [one.moment_us + step for one in rng.sample(begins, 10) for step in (-1, 0, 1)]
    for at_us in times:
        place, files = log.locate(at_us)
        assert found(place) == shown(linearly(begins, at_us), end), time_of(at_us)
        assert len(set(files.opened)) <= opened, files.opened
    # Whoever begins at that place has exactly the GTIDs of what comes before.
    for number in (0, len(begins) // 3, len(begins) - 1):
        start = log.resolve(time=time_of(begins[number].moment_us))
        at = next(place for place, one in enumerate(begins) if f"{one.file}:{one.pos}" == start.place)
        last_number = int(start.gtid_set.replace(":", "-").rpartition("-")[2]) if start.gtid_set else 0
        assert last_number == at, (start, at)


def test_before_the_log_and_behind_it(log: Log) -> None:
    log.insert("a")
    begun = log.begins()[0].moment_us
    error = log.refuses(Fault.TIME_BEFORE_LOG, time=time_of(begun - 3600 * MICRO))
    assert "binlog.000001" in error.message and time_of(begun - 3600 * MICRO) in error.message
    behind = log.resolve(time="2100-01-01T00:00:00Z")
    assert behind.place == log.end and behind.moment_us is None
    log.insert("b")
    assert log.resolve(file_and_position=behind.place).moment_us is not None, "it is in front of what came since"


def test_a_file_is_older_by_its_own_word_than_it_is(log: Log) -> None:
    """A file has the time at which the statement began whose commit filled the one before; that may be long ago."""
    log.server.restart({"max_binlog_size": 65536})
    file = log.files[-1]
    with log.server.connect(DATABASE) as slow, slow.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO t (v) VALUES (REPEAT('x', 100000))")
        now = int(time.time())
        log.run(f"SET TIMESTAMP = {now + 30}", "INSERT INTO t (v) VALUES ('mid')")
        cursor.execute(f"SET TIMESTAMP = {now - 600}")
        cursor.execute("COMMIT")
    assert log.files[-1] != file, "its commit fills the file"
    log.run(f"SET TIMESTAMP = {now + 40}", "INSERT INTO t (v) VALUES ('behind')")
    begins = log.begins()
    mid = next(one for one in begins if one.file == file)
    with log.session() as session:
        files = LogFiles(session)
        assert files.head(files.names[-1]).begun_us < mid.moment_us, "what makes this test"
    place, _ = log.locate(mid.moment_us)
    assert found(place) == shown(linearly(begins, mid.moment_us), log.end)
    assert place.file == file
    # Once the file before is gone, nobody can tell what of that time was in it.
    log.rotate()
    log.insert("newest")
    log.purge(log.files[-2])
    error = log.refuses(Fault.TIME_BEFORE_LOG, time=time_of((now - 300) * MICRO))
    assert log.files[0] in error.message
    assert log.resolve(time="2100-01-01T00:00:00Z").place == log.end


def test_a_file_that_begins_with_what_took_long(one_of_each: Log) -> None:
    """The statement is larger than the begin of a file that is looked at, and on MariaDB has the time at which it began:
    what was committed meanwhile is in the files before."""
    log = one_of_each
    now = int(time.time()) + 60
    for step in range(9):
        if step == 5:  # bisection looks at it first
            log.run(f"SET TIMESTAMP = {now + 5}", f"INSERT INTO t (v) VALUES (REPEAT('x', {2 * HEAD_BYTES}))")
        log.run(f"SET TIMESTAMP = {now + step * 10}", "INSERT INTO t (v) VALUES ('quick')")
        log.rotate()
    begins = log.begins()
    for one in begins:
        assert found(log.locate(one.moment_us)[0]) == shown(linearly(begins, one.moment_us), log.end)


def test_files_without_transactions(log: Log) -> None:
    """A server that is started again and again begins a file each time, and so does whoever asks it to."""
    log.insert("before")
    for _ in range(3):
        log.server.restart()
    for _ in range(3):
        log.rotate()
    log.insert("behind")
    log.rotate()
    log.server.restart()
    begins = log.begins()
    for one in begins:
        for step in (-1, 0, 1):
            at_us = one.moment_us + step
            if at_us // MICRO >= begins[0].moment_us // MICRO:
                assert found(log.locate(at_us)[0]) == shown(linearly(begins, at_us), log.end)
    assert log.resolve(time="2100-01-01T00:00:00Z").place == log.end


def test_files_that_are_gone(one_of_each: Log) -> None:
    """The oldest are purged, and one in the middle is missing in the server's own list."""
    log = one_of_each
    for number in range(6):
        if number == 2 and log.mariadb:
            log.await_clock()  # so that all that this file has was committed when it had begun for sure
        log.insert(str(number))
        log.rotate()
    everything = log.begins()
    third = log.files[2]
    log.purge(third)
    names = log.files
    assert names[0] == "binlog.000003"
    log.server.stop()
    index = log.server.data / "binlog.index"
    lines = index.read_text().splitlines(keepends=True)
    index.write_text("".join(line for line in lines if not line.strip().endswith(names[2])))
    log.server.start()
    assert names[2] not in log.files
    begins = log.begins()
    for one in begins:
        assert found(log.locate(one.moment_us)[0]) == shown(linearly(begins, one.moment_us), log.end)
    gone = next(one for one in everything if one.file == "binlog.000001")
    if gone.moment_us // MICRO < begins[0].moment_us // MICRO:
        log.refuses(Fault.TIME_BEFORE_LOG, time=time_of(gone.moment_us))
    log.refuses(Fault.LOG_PURGED, file_and_position=f"{gone.file}:{gone.pos}")
    missing = log.refuses(Fault.POSITION_INVALID, file_and_position=f"{names[2]}:4")
    assert f"the server has no file {names[2]}" in missing.message


def test_a_log_that_is_encrypted_on_disk(start_server: StartServer) -> None:
    """MariaDB; the server sends it in the clear."""
    server = start_server("mariadb", Options())
    assert isinstance(server, FamilyServer)
    keys = server.folder / "keys"
    keys.write_text(f"1;{'ab' * 32}\n")
    server.restart(
        {
            "plugin_load_add": "file_key_management",
            "file_key_management_filename": str(keys),
            "encrypt_binlog": "ON",
        }
    )
    log = Log(server)
    log.insert("a", "b")
    log.rotate()
    log.insert("c")
    assert (server.data / log.files[-1]).read_bytes()[:4] == b"\xfebin"
    assert b"INSERT" not in (server.data / log.files[-1]).read_bytes(), "what makes this test"
    name = log.files[-1]
    events = server.execute(f"SHOW BINLOG EVENTS IN '{name}'")
    begin = next(row for row in events if row[2] == "Gtid")
    now = int(server.execute("SELECT UNIX_TIMESTAMP()")[0][0])
    with log.session() as session:
        files = LogFiles(session)
        met, place = files.at(name, int(begin[1]))
        assert met == "transaction" and place.moment_us is not None
        assert abs(place.moment_us // MICRO - now) < 600
        assert log.resolve(file_and_position=f"{name}:{begin[1]}").gtid_set.endswith("-4")


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_a_server_without_a_log(start_server: StartServer, name: str) -> None:
    log = own(start_server, name, skip_log_bin=1)
    assert not log.server.execute("SELECT @@log_bin")[0][0]
    error = log.refuses(Fault.SOURCE_REFUSED, time="2100-01-01T00:00:00Z")
    assert "log_bin" in error.message


def test_an_account_that_may_not(one_of_each: Log) -> None:
    log = one_of_each
    log.insert("a")
    listing = "BINLOG MONITOR" if log.mariadb else "REPLICATION CLIENT"
    for name, privileges in {"nothing": "SELECT", "listing": listing, "reading": "REPLICATION SLAVE"}.items():
        log.server.create_user(name, "x", privileges=privileges)
        account = replace(log.endpoint, user=name, password=Secret("x"))
        with Session(account) as session, pytest.raises(DrsError) as raised:
            resolve(session, StartPosition(time="2100-01-01T00:00:00Z"))
        assert raised.value.fault is Fault.PRIVILEGE_MISSING, raised.value
