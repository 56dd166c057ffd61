"""Proves tables equal, or not: counts and checksums of both sides, made at the same time on each."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.comparison import Sums, TableProof

Ask = Callable[[str], Sums]
"""Runs a statement of `canonical.source_sums` or `target_sums` on one session of one side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One table: what to ask each side.

    ask_source   several, whose sums are added up, where several tables arrive as one
    size         the largest is asked first
    remark       declared losses that were taken into account
    also         the other tables that arrive as one with it
    unfit        why the sides may differ by right, so that nothing can be proven; empty: they may not
    """

    source: TableName
    ask_source: Sequence[str]
    ask_target: str
    size: int = 0
    remark: str = ""
    also: tuple[TableName, ...] = ()
    unfit: str = ""


class Side:
    """Sessions of one side that all show the same moment; a question takes one and gives it back."""

    def __init__(self, sessions: Sequence[Ask]) -> None:
        self.width = len(sessions)
        self._idle: queue.SimpleQueue[Ask] = queue.SimpleQueue()
        for session in sessions:
            self._idle.put(session)

    def sums(self, statement: str) -> Sums:
        ask = self._idle.get()
        try:
            return ask(statement)
        finally:
            self._idle.put(ask)


def prove(
    questions: Sequence[Question], source: Side, target: Side, *, position: str | None, stop: threading.Event
) -> Iterator[TableProof]:
    """Answers in the order in which they are found. Both sides of a table are asked side by side."""
    ordered = sorted(questions, key=lambda question: -question.size)
    with (
        ThreadPoolExecutor(2 * target.width, thread_name_prefix="proof-target") as asking,
        ThreadPoolExecutor(source.width, thread_name_prefix="proof") as pool,
    ):
        proofs = [pool.submit(_one, question, source, target, asking, position, stop) for question in ordered]
        for done in as_completed(proofs):
            question, proof = done.result()
            yield from (replace(proof, name=name) for name in (question.source, *question.also))


def _one(
    question: Question, source: Side, target: Side, asking: Executor, position: str | None, stop: threading.Event
) -> tuple[Question, TableProof]:
    began = time.monotonic()
    unproven = TableProof(name=question.source, verdict="unproven", position=position)
    if stop.is_set():
        return question, replace(unproven, reason="the proof was interrupted")
    if question.unfit:
        return question, replace(unproven, reason=question.unfit)
    there = asking.submit(target.sums, question.ask_target)
    try:
        here = _added(source.sums(statement) for statement in question.ask_source)
        found = there.result()
    except DrsError as error:
        return question, replace(unproven, reason=error.message, seconds=time.monotonic() - began)
    return question, TableProof(
        name=question.source,
        verdict="equal" if here == found else "different",
        source_rows=here.rows,
        target_rows=found.rows,
        source_checksum=_shown(here),
        target_checksum=_shown(found),
        position=position,
        reason=question.remark,
        seconds=time.monotonic() - began,
    )


def _added(sums: Iterable[Sums]) -> Sums:
    rows = low = high = 0
    for one in sums:
        rows, low, high = rows + one.rows, low + one.low, high + one.high
    return Sums(rows, low, high)


def _shown(sums: Sums) -> str:
    """The sums wrap here: enough to tell them apart, and of one length for people."""
    return f"{sums.low % 2**64:016x}{sums.high % 2**64:016x}"
