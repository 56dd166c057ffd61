"""Proves that both sides of a job are equal: at rest, or at a common position while changes flow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

from opendrs.compare.canonical import Compared, source_sums, target_sums
from opendrs.compare.contents import Ask, Question, Side, prove
from opendrs.engines.mysql import connect as mysql
from opendrs.engines.mysql.filtering import where
from opendrs.engines.mysql.keyset import qualified
from opendrs.engines.mysql.moment import open_moment
from opendrs.engines.mysql.position import LogPosition, own, parse_position
from opendrs.engines.mysql.types import counting
from opendrs.engines.postgres import connect as postgres
from opendrs.engines.postgres.control import Control
from opendrs.engines.postgres.shape import Target, layout_of
from opendrs.engines.postgres.types import losses
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.comparison import Sums, TableProof
from opendrs.model.job import Job, Policy
from opendrs.model.position import Position
from opendrs.model.rules import EVERY_DML
from opendrs.store.database import StoreError, reason

WIDTH = 2
FINISH_S = 0.1  # how often to look whether to pause while a proof is waited for
APPLICATION = "opendrs/proof"
# What becomes of dates no calendar has, as canonical text; None: NULL. The time of day is lost with them.
INSTEAD: dict[str, dict[str, str | None]] = {
    "null": {"date": None, "datetime": None, "timestamp": None},
    "epoch": {
        "date": "1970-01-01",
        "datetime": "1970-01-01 00:00:00.000000",
        "timestamp": "1970-01-01 00:00:00.000000",
    },
    "minus_infinity": {"date": "-infinity", "datetime": "-infinity", "timestamp": "-infinity"},
}


def compared(column: Column, target: str, policy: Policy) -> Compared:
    """One column on both sides, with the losses that the policy accepts."""
    lost, instead, stripped, foreign = "", None, "", ""
    for loss in losses(column):
        if "invalid_dates" in loss.policies and policy.invalid_dates != "stop":
            lost = counting(loss.id, column) or ""
            instead = INSTEAD[policy.invalid_dates][column.type.kind]
        if "nul_in_text" in loss.policies and policy.nul_in_text != "stop":
            stripped = policy.nul_in_text
        if loss.id == "no-unicode":
            foreign = counting(loss.id, column) or ""
    return Compared(
        type=column.type,
        source=mysql.quote_name(column.name),
        target=postgres.quote(target),
        lost=lost,
        instead=instead,
        stripped=stripped,  # type: ignore[arg-type]
        foreign=foreign,
    )


def question(table: Table, target: Target, job: Job, *, mariadb: bool) -> Question:
    """What to ask both sides about one table: of the source those rows that its filter keeps, and of the target those
    that are from this table."""
    names = {column["source"]: column["name"] for column in target["columns"] if "source" in column}
    carried = sorted((column for column in table.columns if column.name in names), key=lambda one: names[one.name])
    columns = [compared(column, names[column.name], job.policy) for column in carried]
    lossy = [column.source for column in columns if column.lost or column.stripped]
    own = [
        f"{postgres.quote(extra.name)} = {postgres.literal(extra.constant)}"
        for extra in layout_of(target).extras
        if extra.in_key and extra.constant is not None
    ]
    whole = job.policy.carries(job.selection.rule(table.name)) == EVERY_DML
    return Question(
        source=table.name,
        ask_source=(source_sums(qualified(table), columns, mariadb=mariadb, where=where(job.selection, table)),),
        ask_target=target_sums(
            f"{postgres.quote(target['schema'])}.{postgres.quote(target['table'])}", columns, where=" AND ".join(own)
        ),
        size=table.bytes_estimate,
        remark=f"declared losses accepted in {', '.join(lossy)}" if lossy else "",
        unfit="" if whole else "the job leaves out some changes of its rows",
    )


def questions(tables: Iterable[tuple[Table, Target]], job: Job, *, mariadb: bool) -> list[Question]:
    """One for each table of the target: of several that arrive as one, and whose rows nothing tells apart, the sums are
    added up."""
    found: dict[str, Question] = {}
    for table, target in tables:
        one = question(table, target, job, mariadb=mariadb)
        same = found.get(one.ask_target)
        if same is not None:
            one = replace(same, ask_source=(*same.ask_source, *one.ask_source), also=(*same.also, one.source))
        found[one.ask_target] = one
    return list(found.values())


def _ask_mysql(session: mysql.Session) -> Ask:
    def ask(statement: str) -> Sums:
        (row,) = session.query(statement)
        return Sums(int(row["total"] or 0), int(row["sum1"] or 0), int(row["sum2"] or 0))

    return ask


def _ask_postgres(session: postgres.Session, snapshot: str = "") -> Ask:
    """`snapshot`: what every question sees; empty: what is there."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    if snapshot:
        begin += f"; SET TRANSACTION SNAPSHOT {postgres.literal(snapshot)}"

    def ask(statement: str) -> Sums:
        session.execute(begin)
        try:
            ((total, low, high),) = session.query(statement)
        finally:
            session.rollback()
        return Sums(int(total or 0), int(low or 0), int(high or 0))

    return ask


class Prover:
    """A pipeline.barrier.Barrier: proves when asked to, on threads of its own.

    asked     set when somebody asks for a proof; cleared when one begins
    tables    definitions and target shapes as they are now, asked for on the thread that writes
    found     told of each table as soon as it is known
    ended     told of the end; with a reason, if there was no proof
    """

    def __init__(
        self,
        job: Job,
        control: Control,
        *,
        asked: threading.Event,
        tables: Callable[[], Mapping[TableName, tuple[Table, Target]]],
        found: Callable[[TableProof], None],
        ended: Callable[[str], None],
    ) -> None:
        self._job = job
        self._control = control
        self._tables = tables
        self._found = found
        self._ended = ended
        self._asked = asked
        self._stop = threading.Event()
        self._source: tuple[ExitStack, list[mysql.Session], LogPosition] | None = None
        self._thread: threading.Thread | None = None

    def wanted(self) -> bool:
        return self._asked.is_set() and (self._thread is None or not self._thread.is_alive())

    def fix_source(self) -> LogPosition | None:
        self._asked.clear()
        stack = ExitStack()
        try:
            sessions, position = open_moment(stack, self._job.source, self._job.selection, WIDTH)
        except DrsError as error:
            stack.close()
            self._ended(str(error))
            return None
        self._source = (stack, sessions, position)
        return position

    def fix_target(self, position: Position) -> None:
        assert self._source is not None
        stack, sources, fixed = self._source
        self._source = None
        try:
            # It holds the snapshot and looks at no table: a lock for each table that is proven would be too many.
            holder = stack.enter_context(postgres.Session(self._job.target, APPLICATION))
            holder.execute("SET idle_in_transaction_session_timeout = 0")
            holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            exported = holder.value("SELECT pg_export_snapshot()") or ""
            targets = [stack.enter_context(postgres.Session(self._job.target, APPLICATION)) for _ in range(WIDTH)]
            checkpoint, _ = self._control.read(holder)
        except DrsError as error:
            stack.close()
            self._ended(str(error))
            return
        at = checkpoint.position if checkpoint else None
        if at is None or not (own(at).covers(fixed) and fixed.covers(own(at))):
            stack.close()
            self._ended("a newer worker has moved the target on")
            return
        known = self._tables()
        mariadb = sources[0].mariadb
        asked = questions(known.values(), self._job, mariadb=mariadb)
        asks = [_ask_postgres(session, exported) for session in targets]
        self._thread = threading.Thread(
            target=self._run, args=(stack, asked, sources, asks, str(position)), name="proof", daemon=True
        )
        self._thread.start()

    def _run(
        self,
        stack: ExitStack,
        asked: list[Question],
        sources: list[mysql.Session],
        targets: list[Ask],
        position: str,
    ) -> None:
        try:
            with stack:
                source, target = Side([*map(_ask_mysql, sources)]), Side(targets)
                for proof in prove(asked, source, target, position=position, stop=self._stop):
                    self._found(proof)
        except (DrsError, *StoreError) as error:
            self._ended(reason(error))
        else:
            self._ended("the worker ends" if self._stop.is_set() else "")

    def finish(self, stop: threading.Event) -> None:
        """Waits for the proof that is being made, unless the worker is to pause."""
        while self._thread is not None and self._thread.is_alive() and not stop.is_set():
            self._thread.join(FINISH_S)

    def close(self) -> None:
        self._stop.set()


def prove_at_rest(
    job: Job, tables: Iterable[tuple[Table, Target]], stop: threading.Event | None = None
) -> Iterator[TableProof]:
    """Proves both sides as they are now. Whoever writes at the source meanwhile makes a difference."""
    with ExitStack() as stack:
        sources = [stack.enter_context(mysql.Session(job.source)) for _ in range(WIDTH)]
        targets = [stack.enter_context(postgres.Session(job.target, APPLICATION)) for _ in range(WIDTH)]
        mariadb = sources[0].mariadb
        asked = questions(tables, job, mariadb=mariadb)
        source, target = Side([*map(_ask_mysql, sources)]), Side([*map(_ask_postgres, targets)])
        yield from prove(asked, source, target, position=None, stop=stop or threading.Event())


def prove_paused(job: Job, stop: threading.Event | None = None) -> Iterator[TableProof]:
    """Proves the tables that the target's checkpoint knows, of a job that no worker works at."""
    control = Control(job.id, 0, parse_position)
    with postgres.Session(job.target, APPLICATION) as session:
        checkpoint, targets = control.read(session)
    if checkpoint is None:
        raise DrsError(Fault.NO_PROOF, reason="the job has not begun")
    loaded = {name: progress.table for name, progress in checkpoint.tables.items() if progress.loaded}
    yield from prove_at_rest(job, [(table, targets[name]) for name, table in loaded.items()], stop)
