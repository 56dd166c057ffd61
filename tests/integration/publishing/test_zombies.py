"""A worker that was overtaken goes on as if nothing had happened: it can commit nothing, and does the other no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from opendrs.errors import DrsError, Fault
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import differing

ROWS = "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i, i FROM n"


@pytest.fixture
def first(mysql: FamilyServer, kafka: Kafka, tell: NewTale, monkeypatch: pytest.MonkeyPatch) -> Tale:
    """The worker that will be overtaken, of a job with a load of some chunks."""
    monkeypatch.setattr("tests.integration.publishing.tale.CHUNK_ROWS", 16)
    tale = tell(mysql, kafka)
    tale.at_source(f"CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t {ROWS}")
    return tale


def overtaking(first: Tale, acts: dict[str, str] | None = None) -> tuple[Tale, Callable[[], None]]:
    """Another worker, and what lets it have its whole turn."""
    second = first.elsewhere()
    return second, lambda: second.play(acts)  # type: ignore[return-value]


def ends_overtaken(first: Tale, moment: str, deed: Callable[[], None]) -> None:
    """It cannot tell why it may commit nothing; but when it comes again, it finds out."""
    first.fails(Fault.TARGET_UNREACHABLE, acts={moment: deed})
    first.fails(Fault.FENCED, epoch=first.epoch)


def test_in_the_middle_of_a_transaction(first: Tale) -> None:
    first.play()
    first.at_source("UPDATE t SET v = 0 WHERE id < 30;\nDELETE FROM t WHERE id > 50")
    second, deed = overtaking(first)
    ends_overtaken(first, "window.written", deed)
    assert differing(first) == []
    first.at_source("UPDATE t SET v = 1")
    second.play()
    assert differing(first) == []


@pytest.mark.parametrize("moment", ["sink.opened", "load.begun", "chunk.written:2", "load.loaded"])
def test_in_the_middle_of_the_load(first: Tale, moment: str) -> None:
    second, deed = overtaking(first, {"load.loaded": "UPDATE t SET v = v + 1;\nDELETE FROM t WHERE id MOD 7 = 0"})
    if moment == "sink.opened":
        second.epoch -= 5  # it begins the job, and must find nothing of ours
    ends_overtaken(first, moment, deed)
    assert differing(first) == []


@pytest.mark.parametrize("moment", ["chunk.written:2", "window.written"])
def test_one_that_comes_again_does_no_harm(first: Tale, moment: str) -> None:
    """The newer one is in the middle of something, and does not notice."""
    if moment.startswith("window"):
        first.play()
        first.at_source("UPDATE t SET v = 0 WHERE id < 30")
    else:
        first.dies("load.begun")
    second = first.elsewhere()
    second.play({moment: lambda: ignored(first.fails(Fault.FENCED, epoch=first.epoch))})
    assert differing(first) == []


def test_lanes_of_one_that_is_overtaken_while_it_opens_them(first: Tale) -> None:
    """To open a lane is to fence it, whoever has it. The newer worker tries again then, and nothing comes twice."""
    second = first.elsewhere()
    loading, over = threading.Event(), threading.Event()
    failures: list[DrsError] = []

    def wait() -> None:
        loading.set()
        assert over.wait(20)

    def play() -> None:
        try:
            second.play({"chunk.written:2": wait})
        except DrsError as error:
            failures.append(error)

    other = threading.Thread(target=play)

    def overtaken() -> None:
        other.start()
        assert loading.wait(20)

    try:
        first.fails(Fault.TARGET_UNREACHABLE, acts={"load.begun": overtaken})
    finally:
        over.set()
        other.join()
    assert [error.fault for error in failures] == [Fault.TARGET_UNREACHABLE]
    first.fails(Fault.FENCED, epoch=first.epoch)
    second.play()
    assert differing(first) == []


def test_one_that_resets_or_releases(first: Tale) -> None:
    first.play()
    second, deed = overtaking(first)
    first.fails(Fault.TARGET_UNREACHABLE, acts={"reset.marked": deed}, reset=True)
    first.fails(Fault.FENCED, epoch=first.epoch, reset=True)
    with pytest.raises(DrsError) as raised:
        first.release()
    assert raised.value.fault is Fault.FENCED
    first.at_source("UPDATE t SET v = 5")
    before = len(first.values())
    second.play()
    assert len(first.values()) > before


def ignored(_: object) -> None:
    """Nothing more is to be done with it."""
