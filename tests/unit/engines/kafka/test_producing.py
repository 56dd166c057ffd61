"""A producer of the job: how patient it is, and what it makes durable in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from opendrs._core import KafkaError
from opendrs.engines.kafka import producing
from opendrs.engines.kafka.producing import (
    BATCH_BYTES,
    CALL_S,
    COMMIT_S,
    PATIENCE_S,
    PAUSE_S,
    Producer,
    transactional_id,
)
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.publishing import Publishing

ENDPOINT = Endpoint.parse("kafka://anna:S3cret@h:9092/t?tls=require")
ONCE, AT_LEAST_ONCE = Publishing(), Publishing(delivery="at-least-once", compression="zstd")


@dataclass
class Clock:
    """Time passes where somebody sleeps, and in calls of the producer that nobody answers."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def failure(kind: str) -> KafkaError:
    error = KafkaError("their words")
    for name, value in {"kind": kind, "code": 0, "message": "their words", "topic": "t", "key": None, "table": None}.items():  # fmt: skip
        setattr(error, name, value)
    return error


class Core:
    """In the place of the compiled producer. `failures` are what its next calls raise, by name; each takes as long as
    it may."""

    def __init__(self, library: Any, settings: list[tuple[str, str]], patience_s: float) -> None:
        self.settings = dict(settings)
        assert len(self.settings) == len(settings) and patience_s == PATIENCE_S
        self.calls: list[Any] = []
        self.failures: dict[str, list[str]] = {}
        self.clock = Clock()

    def _call(self, what: str, *facts: Any, timeout_s: float = 0.0) -> None:
        self.calls.append((what, *facts) if facts else what)
        if waiting := self.failures.get(what):
            self.clock.now += timeout_s
            raise failure(waiting.pop(0))

    def topic(self, name: str, timeout_s: float) -> tuple[int, int]:
        self._call("topic", name)
        return 4, 6

    def init_transactions(self, timeout_s: float) -> None:
        self._call("init", timeout_s=timeout_s)

    def begin(self) -> None:
        self._call("begin")

    def commit(self, timeout_s: float) -> None:
        assert timeout_s in (CALL_S, COMMIT_S)
        self._call("commit", timeout_s=timeout_s)

    def abort(self, timeout_s: float) -> None:
        self._call("abort", timeout_s=timeout_s)

    def flush(self, timeout_s: float) -> None:
        self._call("flush", timeout_s=timeout_s)

    def send(self, topic: int, partition: int, key: bytes | None, value: bytes | None) -> None:
        self._call("send", topic, partition, key, value)

    def close(self) -> None:
        self._call("close")


Make = Callable[..., Producer]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    clock = Clock()
    monkeypatch.setattr(producing, "time", clock)
    monkeypatch.setattr(producing, "KafkaProducer", Core)

    def made(publishing: Publishing = ONCE, identity: str = "opendrs.j", **facts: int) -> Producer:
        found = Producer(ENDPOINT, publishing, identity, **{"timeout_ms": 60_000, **facts})
        core(found).clock = clock
        return found

    return made


def core(producer: Producer) -> Core:
    found: Any = producer.core
    assert isinstance(found, Core)
    return found


def fault_of(call: Callable[[], object]) -> Fault:
    with pytest.raises(DrsError) as raised:
        call()
    assert "S3cret" not in str(raised.value)
    return raised.value.fault


# --- what it is made with ---


def test_lanes_have_identities_of_their_own() -> None:
    assert transactional_id("4f") == "opendrs.4f"
    assert [transactional_id("4f", lane) for lane in (0, 1)] == ["opendrs.4f.0", "opendrs.4f.1"]


def test_exactly_once_is_by_transactions_of_kafka(make: Make) -> None:
    producer = make()
    found = core(producer).settings
    assert producer.transactional
    assert (found["transactional.id"], found["transaction.timeout.ms"]) == ("opendrs.j", "60000")
    assert (found["acks"], found["enable.idempotence"], found["compression.codec"]) == ("all", "true", "lz4")
    assert found["bootstrap.servers"] == "h:9092" and found["sasl.password"] == "S3cret"


def test_at_least_once_needs_no_transactions_and_loses_nothing(make: Make) -> None:
    producer = make(AT_LEAST_ONCE)
    found = core(producer).settings
    assert not producer.transactional
    assert not [name for name in found if name.startswith("transaction")]
    assert (found["acks"], found["enable.idempotence"], found["compression.codec"]) == ("all", "true", "zstd")


def test_how_large_a_message_may_be_the_brokers_decide(make: Make) -> None:
    found = core(make()).settings
    assert (found["message.max.bytes"], found["batch.size"]) == ("1000000000", str(BATCH_BYTES))


def test_settings_that_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> Core:
        raise failure("misuse")

    monkeypatch.setattr(producing, "KafkaProducer", refuse)
    assert fault_of(lambda: Producer(ENDPOINT, ONCE, "x", timeout_ms=1)) is Fault.INTERNAL


# --- patience ---

CALLS: dict[str, Callable[[Producer], object]] = {
    "init": lambda producer: producer.fence(),
    "commit": lambda producer: producer.commit(0, []),
    "abort": lambda producer: (producer.begin(), producer.rollback()),
}


def failing(what: str, producer: Producer) -> None:
    """Does what fails. That an abort has failed is told when more is to be sent: why it was wanted says more."""
    CALLS[what](producer)
    producer.begin()


@pytest.mark.parametrize("what", sorted(CALLS))
def test_who_does_not_answer_is_asked_again(make: Make, what: str) -> None:
    producer = make()
    core(producer).failures[what] = ["unavailable"] * 3
    CALLS[what](producer)
    assert core(producer).calls.count(what) == 4


@pytest.mark.parametrize("what", sorted(CALLS))
def test_patience_ends(make: Make, what: str) -> None:
    producer = make()
    core(producer).failures[what] = ["unavailable"] * 1000
    assert fault_of(lambda: failing(what, producer)) is Fault.TARGET_UNREACHABLE
    # As many calls as fit, with a pause behind each.
    each_s = (COMMIT_S if what == "commit" else CALL_S) + PAUSE_S
    assert core(producer).calls.count(what) == int(PATIENCE_S / each_s) + 1


@pytest.mark.parametrize("kind", ["fenced", "aborted", "authentication", "authorization", "too_large", "refused"])
@pytest.mark.parametrize("what", sorted(CALLS))
def test_what_will_not_change_is_not_asked_again(make: Make, what: str, kind: str) -> None:
    producer = make()
    core(producer).failures[what] = ["unavailable", kind]
    fault_of(lambda: failing(what, producer))
    # A commit must be asked for once more before the library lets it be undone.
    assert core(producer).calls.count(what) == (3 if what == "commit" else 2)


def test_without_transactions_it_is_the_flush_that_is_asked_again(make: Make) -> None:
    producer = make(AT_LEAST_ONCE)
    core(producer).failures["flush"] = ["unavailable"]
    producer.commit(3, [(b"k", b"v")])
    assert core(producer).calls == ["flush", "flush", ("send", 3, 0, b"k", b"v"), "flush"]


@pytest.mark.parametrize("kind", ["unknown_topic", "unavailable"])
def test_a_topic_that_was_just_made_is_looked_for_again(make: Make, kind: str) -> None:
    producer = make()
    core(producer).failures["topic"] = [kind] * 3
    assert producer.topic("t") == (4, 6)
    assert core(producer).calls == [("topic", "t")] * 4 and len(core(producer).clock.slept) == 3


@pytest.mark.parametrize(
    ("kind", "fault"), [("unknown_topic", Fault.TOPIC_MISSING), ("unavailable", Fault.TARGET_UNREACHABLE)]
)
def test_a_topic_is_not_looked_for_for_ever(make: Make, kind: str, fault: Fault) -> None:
    producer = make()
    core(producer).failures["topic"] = [kind] * 10_000
    assert fault_of(lambda: producer.topic("t")) is fault
    assert sum(core(producer).clock.slept) == pytest.approx(CALL_S, abs=0.2)


def test_a_topic_that_may_not_be_seen_is_not_looked_for_again(make: Make) -> None:
    producer = make()
    core(producer).failures["topic"] = ["authorization"]
    assert fault_of(lambda: producer.topic("t")) is Fault.PRIVILEGE_MISSING
    assert core(producer).clock.slept == []


# --- transactions ---


def test_records_are_in_the_transaction_of_the_messages(make: Make) -> None:
    producer = make()
    producer.begin()
    producer.begin()
    producer.commit(3, [(b"a", b"1"), (b"b", None)])
    assert core(producer).calls == ["begin", ("send", 3, 0, b"a", b"1"), ("send", 3, 0, b"b", None), "commit"]
    producer.commit(3, [])
    assert core(producer).calls[-2:] == ["begin", "commit"]


def test_without_transactions_records_come_behind_the_messages(make: Make) -> None:
    """A checkpoint that is there says that everything before it is."""
    producer = make(AT_LEAST_ONCE)
    producer.fence()
    producer.begin()
    producer.commit(3, [(b"a", b"1")])
    assert core(producer).calls == ["flush", ("send", 3, 0, b"a", b"1"), "flush"]


def test_a_record_that_cannot_be_sent_is_not_committed(make: Make) -> None:
    producer = make()
    core(producer).failures["send"] = ["too_large"]
    assert fault_of(lambda: producer.commit(3, [(b"a", b"1")])) is Fault.MESSAGE_TOO_LARGE
    assert "commit" not in core(producer).calls


def test_going_back_ends_the_transaction_if_there_is_one(make: Make) -> None:
    producer = make()
    producer.rollback()
    assert core(producer).calls == []
    producer.begin()
    producer.rollback()
    producer.rollback()
    assert core(producer).calls == ["begin", "flush", "abort"]
    producer.begin()
    assert core(producer).calls[-1] == "begin"


def test_without_transactions_nothing_can_be_taken_back(make: Make) -> None:
    producer = make(AT_LEAST_ONCE)
    producer.begin()
    producer.rollback()
    assert core(producer).calls == []


def test_how_long_a_transaction_has_been_open(make: Make) -> None:
    producer = make()
    clock = core(producer).clock
    assert producer.open_for_s() == 0
    producer.begin()
    clock.now += 7
    producer.begin()
    assert producer.open_for_s() == 7
    producer.commit(0, [])
    assert producer.open_for_s() == 0
    producer.begin()
    clock.now += 2
    producer.rollback()
    assert producer.open_for_s() == 0


def test_closing_forgets_what_is_not_committed(make: Make) -> None:
    """Readers wait for as long as a transaction is open."""
    producer = make()
    producer.begin()
    producer.close()
    assert core(producer).calls == ["begin", "abort", "close"]


def test_closing_does_not_wait_for_brokers_that_are_away(make: Make) -> None:
    producer = make()
    producer.begin()
    core(producer).failures["abort"] = ["unavailable"] * 3
    producer.close()
    assert core(producer).calls == ["begin", "abort", "close"]


def test_a_commit_that_has_failed_is_undone(make: Make) -> None:
    producer = make()
    producer.begin()
    core(producer).failures["commit"] = ["unavailable", "too_large", "aborted"]
    fault_of(lambda: producer.commit(0, []))
    producer.rollback()
    # Nothing of it is waited for.
    assert core(producer).calls == ["begin", *["commit"] * 3, "abort"]
    producer.begin()


def test_a_commit_that_came_about_although_it_failed_is_not_undone(make: Make) -> None:
    producer = make()
    producer.begin()
    core(producer).failures["commit"] = ["aborted"]
    fault_of(lambda: producer.commit(0, []))
    producer.rollback()
    assert "abort" not in core(producer).calls
    assert fault_of(producer.begin) is Fault.TARGET_UNREACHABLE


def test_what_may_have_been_committed_is_not_aborted(make: Make) -> None:
    """It may come about still, and the library answers at once that both cannot be."""
    producer = make()
    producer.begin()
    core(producer).failures["commit"] = ["unavailable"] * 1000
    assert fault_of(lambda: producer.commit(0, [])) is Fault.TARGET_UNREACHABLE
    producer.rollback()
    assert fault_of(producer.begin) is Fault.TARGET_UNREACHABLE
    producer.close()
    assert "abort" not in core(producer).calls
