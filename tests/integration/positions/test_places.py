"""Places and sets of GTIDs that a user names: which of them a job can begin at, and why not at the others."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.locating import time_of
from opendrs.errors import Fault
from opendrs.model.start import StartPosition
from tests.harness.fixtures import StartServer
from tests.integration.positions.logs import Log, facts, own


def test_every_place_of_a_file(log: Log) -> None:
    """In front of a transaction, and at the ends of the file; nowhere else."""
    log.insert("a", "b")
    log.run("BEGIN", "INSERT INTO t (v) VALUES ('c')", "INSERT INTO t (v) VALUES ('d')", "COMMIT")
    log.rotate()
    log.insert("e")
    file = log.files[0]
    events = log.server.execute(f"SHOW BINLOG EVENTS IN '{file}'")
    begins = {one.pos for one in log.begins() if one.file == file}
    about = {"Format_desc", "Gtid_list", "Binlog_checkpoint", "Previous_gtids", "Rotate"}
    first, end = min(begins), int(events[-1][4])
    legal = begins | {int(row[1]) for row in events if row[2] in about} | {end}
    for _, pos, kind, *_ in events:
        text = f"{file}:{pos}"
        if pos in legal:
            assert log.resolve(file_and_position=text).place == text
        else:
            refused = log.refuses(Fault.POSITION_INVALID, file_and_position=text)
            own_begin = max(begin for begin in begins if begin < pos)
            assert f"inside a transaction, which begins at {file}:{own_begin}" in refused.message, kind
        within = log.refuses(Fault.POSITION_INVALID, file_and_position=f"{file}:{pos + 1}")
        assert "no event begins there" in within.message
    of_end, of_next = (log.resolve(file_and_position=text) for text in (f"{file}:{end}", f"{log.files[1]}:4"))
    assert of_end.gtid_set == of_next.gtid_set, "the end of a file is the begin of the next"
    assert log.resolve(file_and_position=f"{file}:{first}").gtid_set == ""
    log.refuses(Fault.POSITION_AHEAD, file_and_position=f"{file}:{end + 1}")
    log.refuses(Fault.POSITION_AHEAD, file_and_position="binlog.000999:4")
    log.refuses(Fault.POSITION_INVALID, file_and_position=f"another-{file}:4")


def test_gtids_of_a_place_are_those_that_the_server_tells(log: Log) -> None:
    log.insert("a")
    place, gtids = log.end, log.gtids
    log.insert("b")
    assert log.resolve(file_and_position=place).gtid_set == gtids
    both = log.resolve(file_and_position=place, gtid_set=gtids)
    alone = log.resolve(gtid_set=gtids)
    assert both.position == alone.position == log.resolve(file_and_position=place).position
    assert alone.place == place and alone.moment_us is not None
    told = log.refuses(Fault.POSITION_INVALID, file_and_position=place, gtid_set=log.gtids)
    assert "the two disagree" in told.message and gtids in told.message
    log.refuses(Fault.POSITION_INVALID, gtid_set="one, two")
    behind = gtids.rpartition("-")[0] + "-999999"
    assert "999999" in log.refuses(Fault.POSITION_AHEAD, gtid_set=behind).message


def test_gtids_of_nobody_and_of_what_was_purged(one_of_each: Log) -> None:
    log = one_of_each
    stranger = "0-77-5" if log.mariadb else "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"
    log.refuses(Fault.POSITION_AHEAD, gtid_set=stranger)
    log.insert("a")
    early = log.gtids
    log.insert("b")
    log.rotate()
    late = log.gtids
    log.insert("c")
    second = log.files[1]
    while log.files[0] != second:  # MariaDB waits for the engine's checkpoint
        log.server.execute(f"PURGE BINARY LOGS TO '{second}'")
    told = log.refuses(Fault.LOG_PURGED, gtid_set=early)
    assert early in told.message
    log.refuses(Fault.LOG_PURGED, gtid_set="")
    assert log.resolve(gtid_set=late).place.startswith(f"{second}:")
    start = log.resolve(file_and_position=f"{second}:4")
    assert start.gtid_set == late
    # What is gone comes before every place, whether it is named or not.
    if not log.mariadb:
        rest = late.partition(":")[0] + f":{late.rpartition('-')[2]}"
        assert log.resolve(file_and_position=start.place, gtid_set=rest).gtid_set == late


def test_a_set_with_a_gap_is_kept_as_it_is(start_server: StartServer) -> None:
    """It is what comes before no one place: a replica may have executed it all the same."""
    log = own(start_server, "mysql")
    log.insert("a", "b", "c")
    uuid, _, _ = log.gtids.partition(":")
    start = log.resolve(gtid_set=f"{uuid}:1-3:5")
    assert start.place == "" and start.gtid_set == f"{uuid}:1-3:5" and "file" not in facts(start)


def test_gtids_purged_by_hand_come_before_every_place(start_server: StartServer) -> None:
    """As on a server that was made from another's backup: its files do not name them."""
    log = own(start_server, "mysql")
    other = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"
    log.server.execute(f"SET GLOBAL gtid_purged = '+{other}'")
    place = log.end
    log.insert("a")
    assert other in log.resolve(file_and_position=place).gtid_set
    assert log.resolve(file_and_position=place, gtid_set=log.resolve(file_and_position=place).gtid_set).place == place


def test_a_server_without_gtids(start_server: StartServer) -> None:
    log = own(start_server, "mysql", gtid_mode="OFF", enforce_gtid_consistency="OFF")
    log.insert("a")
    place = log.end
    log.insert("b")
    start = log.resolve(file_and_position=place)
    assert (start.place, start.gtid_set, facts(start)["kind"]) == (place, "", "mysql-file")
    uuid = log.server.execute("SELECT @@server_uuid")[0][0]
    for given in ({"gtid_set": f"{uuid}:1-2"}, {"file_and_position": place, "gtid_set": f"{uuid}:1-2"}):
        told = log.refuses(Fault.POSITION_INVALID, **given)
        assert "GTIDs" in told.message


def test_a_place_from_before_gtids_were_switched_on(start_server: StartServer) -> None:
    log = own(start_server, "mysql", gtid_mode="OFF", enforce_gtid_consistency="ON")
    log.insert("a")
    place = log.end
    log.insert("b")
    for mode in ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"):
        log.server.execute(f"SET GLOBAL gtid_mode = {mode}")
    log.insert("c")
    log.rotate()
    log.insert("d")
    # What has no GTID cannot be had any more; behind it all is well, also for a search that meets it on its way.
    told = log.refuses(Fault.POSITION_INVALID, file_and_position=place)
    assert "anonymous" in told.message
    begins = [one for one in log.begins() if one.file == log.files[-1]]
    start = log.resolve(time=time_of(begins[-1].moment_us))
    assert facts(start)["kind"] == "mysql-gtid" and start.place == f"{begins[-1].file}:{begins[-1].pos}"
    assert log.resolve(file_and_position=start.place, gtid_set=start.gtid_set).position == start.position


@pytest.mark.parametrize("before", [0, 1, 2])
def test_prepared_transactions_are_read_from_where_they_begin(log: Log, before: int) -> None:
    """In the file of the place and in the one before. `before`: files between, with 2 it is too far back to be seen."""
    log.insert("a")
    prepares = log.end
    log.run("XA START 'x'", "INSERT INTO t (v) VALUES ('held')", "XA END 'x'", "XA PREPARE 'x'")
    for _ in range(before):
        log.rotate()
        log.insert("between")
    place = log.end
    log.insert("b")
    start = log.resolve(file_and_position=place)
    held = facts(start).get("restart") or facts(start).get("open")
    assert bool(held) == (before < 2)
    if held and log.mariadb:
        assert held["file"] == {"file": prepares.partition(":")[0], "pos": int(prepares.partition(":")[2])}
    log.server.execute("XA ROLLBACK 'x'") if before == 0 else None
    if before == 0:
        later = log.resolve(file_and_position=log.end)
        assert not (facts(later).get("restart") or facts(later).get("open"))
        assert log.resolve(file_and_position=place).position == start.position, "there it is prepared, for ever"


def test_what_is_said_of_a_start() -> None:
    start = StartPosition(file_and_position="a.001:4", gtid_set="0-1-2")
    assert str(start) == "a.001:4 and 0-1-2"
