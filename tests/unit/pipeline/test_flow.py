"""The queue between the thread that reads the log and the one that writes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from opendrs.engines.memory.position import Lsn
from opendrs.model.event import Event, SchemaChange, Window
from opendrs.pipeline.flow import Flow, Inline, Threaded

NBYTES = 10


def window(number: int) -> Window:
    return Window(tables=(), position=Lsn(number), nbytes=NBYTES)


@dataclass
class Log:
    """A stream of events, one behind the other; then none any more. `read` counts what was asked for."""

    events: list[Event]
    read: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    resumed: list[Mapping[Any, Any]] = field(default_factory=list)
    stops: list[Any] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def next(self, timeout_s: float) -> Event | None:
        self.read.release()
        if self.events:
            return self.events.pop(0)
        self._over.wait(min(timeout_s, 0.01))
        return None

    def resume(self, tables: Mapping[Any, Any]) -> None:
        self.resumed.append(tables)

    def pulled(self) -> str:
        return ""

    def stop_at(self, position: Any) -> None:
        self.stops.append(position)

    def acknowledge(self, position: Any) -> None:
        raise AssertionError("the flow acknowledges nothing")


def taken(flow: Flow, count: int) -> list[Event]:
    """So many events at least."""
    found: list[Event] = []
    while len(found) < count:
        found += flow.take(5.0)
    return found


def numbers(events: list[Event]) -> list[int]:
    return [event.position.number for event in events if isinstance(event.position, Lsn)]


class Entered(Inline):
    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *error: object) -> None:
        pass


FLOWS: list[Callable[[Log], Any]] = [lambda log: Threaded(log, nbytes_max=5 * NBYTES), Entered]


@pytest.mark.parametrize("make", FLOWS, ids=["threaded", "inline"])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_put_back_comes_again_before_everything_else(make: Callable[[Log], Any], seed: int) -> None:
    """However much of what was taken last, while the thread reads on."""
    chance = random.Random(seed)
    with make(Log([window(number) for number in range(300)])) as flow:
        dealt_with: list[Event] = []
        while len(dealt_with) < 300:
            events = flow.take(5.0)
            keep = chance.randint(0 if chance.random() < 0.5 else len(events), len(events))
            dealt_with += events[:keep]
            flow.put_back(events[keep:])
        assert numbers(dealt_with) == list(range(300))


@pytest.mark.parametrize("make", FLOWS, ids=["threaded", "inline"])
def test_what_is_put_back_twice_keeps_its_order(make: Callable[[Log], Any]) -> None:
    with make(Log([window(number) for number in range(6)])) as flow:
        events = taken(flow, 4)
        flow.put_back(events[2:])
        flow.put_back(events[1:2])
        flow.put_back([])
        rest: list[Event] = []
        while len(rest) < 5:
            rest += flow.take(5.0)
        assert numbers([*events[:1], *rest]) == list(range(6))


def test_what_is_put_back_counts_as_waiting() -> None:
    """Memory is bounded: while so much waits to be taken, nothing more is read."""
    log = Log([window(number) for number in range(100)])
    with Threaded(log, nbytes_max=3 * NBYTES) as flow:
        for _ in range(3):
            assert log.read.acquire(timeout=5)
        flow.hold()
        events = taken(flow, 3)
        assert len(events) == 3
        flow.put_back(events)
        flow.go_on(None)
        assert not log.read.acquire(timeout=0.1)
        assert numbers(flow.take(5.0)) == [0, 1, 2]
        assert log.read.acquire(timeout=5), "there is room again"


def test_a_change_of_the_schema_that_is_put_back_is_still_a_barrier() -> None:
    change = SchemaChange(alterations=(), statement="ALTER", position=Lsn(2))
    log = Log([window(1), change, window(3)])
    with Threaded(log, nbytes_max=1000) as flow:
        events = taken(flow, 2)
        flow.put_back(events[1:])
        assert flow.take(5.0) == [change]
        assert flow.take(0.0) == []
        flow.resume({})
        assert numbers(taken(flow, 1)) == [3]
    assert log.resumed == [{}]


def test_what_is_put_back_comes_before_an_error_of_the_log() -> None:
    class Broken(Log):
        def next(self, timeout_s: float) -> Event | None:
            if self.events:
                return self.events.pop(0)
            raise OSError("cut")

    with Threaded(Broken([window(1), window(2)]), nbytes_max=1000) as flow:
        events = taken(flow, 2)
        flow.put_back(events)
        assert flow.take(5.0) == events
        with pytest.raises(OSError, match="cut"):
            flow.take(5.0)


def test_who_goes_on_says_where_an_event_must_end() -> None:
    log = Log([])
    with Threaded(log, nbytes_max=1000) as flow:
        flow.hold()
        flow.go_on(Lsn(9))
    assert log.stops == [Lsn(9)]
