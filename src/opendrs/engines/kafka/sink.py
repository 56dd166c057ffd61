"""Kafka as a target: messages, checkpoint and schema history in one transaction of Kafka.

What is committed stays: nothing is written twice, and nothing can be taken back. So a source transaction is whole
within one transaction of Kafka, unless it is larger than the job allows; then it comes in several, and the checkpoint
says how much of it is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from opendrs._core import RecordBatch
from opendrs.engines.kafka import control
from opendrs.engines.kafka.connect import Client
from opendrs.engines.kafka.control import Kept, ParsePosition, Record, Undecided
from opendrs.engines.kafka.lanes import Ids, Lanes
from opendrs.engines.kafka.loader import Loader
from opendrs.engines.kafka.opened import Opened, timeout_ms
from opendrs.engines.kafka.ordinals import Ordinals
from opendrs.engines.kafka.producing import PATIENCE_S, PAUSE_S, TIMEOUT_MS
from opendrs.engines.kafka.statements import NOT_TOLD, Place, Statement, made, now, statement_of, untold
from opendrs.engines.kafka.topics import checkpoint_topic, ensure, topic_of
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import Alteration
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Phase, TableProgress
from opendrs.model.endpoint import Endpoint
from opendrs.model.engine import Repeat
from opendrs.model.event import SchemaChange, Window
from opendrs.model.job import Policy
from opendrs.model.position import Position
from opendrs.model.selection import Selection

# Engines of the source whose changes a rollback undoes.
TRANSACTIONAL: Final = frozenset({"", "innodb", "rocksdb", "tokudb", "ndbcluster"})


LEADING: Final = 4  # columns that stand before a table's own in the batch of a window: docs/explanation/windows.md


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What a sink is opened with.

    job, epoch        whose worker we are; older epochs can commit nothing once we are open
    parse_position    reads the source's positions back
    place             of a schema change in the source's log, for messages
    create_statement  the source's statement that makes a table
    report            told of everything that is not published: (what, why)
    """

    job: str
    epoch: int
    selection: Selection
    policy: Policy
    parse_position: ParsePosition
    place: Callable[[SchemaChange], Place]
    create_statement: Callable[[TableName], str]
    report: Callable[[str, str], None]


class Sink:
    """Follows with one producer; the load has one a lane."""

    append_only = True

    def __init__(self, endpoint: Endpoint, settings: SinkSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._publishing = settings.policy.publishing
        self._client = Client(endpoint)
        self._timeout_ms = TIMEOUT_MS
        self._main: Opened | None = None
        self._tables: dict[TableName, TableProgress] = {}
        self._changed: dict[TableName, TableProgress | None] = {}  # altered, and not flushed
        self._chunk_keys: set[bytes] = set()
        self._lanes = Lanes(settings.policy.readers)
        self._ids = Ids()
        self._phase: Phase | None = None
        self._saved: Position | None = None
        self._edit = ""  # the last change of the selection
        self._bytes = 0  # sent since the last commit
        self._ordinals = Ordinals()
        self._lock = threading.Lock()  # lanes finish tables side by side

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever is not flushed is forgotten."""
        if self._main is not None:
            self._main.close()
        self._client.close()

    # opening

    def open(self) -> Checkpoint | None:
        name = checkpoint_topic(self._settings.job, self._publishing)
        control.make(self._client, name, self._publishing.replication_factor)
        self._timeout_ms = timeout_ms(self._client)
        self._read(name)  # an overtaken worker must not fence its successor
        self._main = main = self._opened(None)
        kept = self._read(name)
        if kept.checkpoint is None or any(not progress.loaded for progress in kept.checkpoint.tables.values()):
            # A lane of an older worker may be about to commit a chunk.
            self._each_lane(kept, Opened.close)
        self._settle(name, kept)
        kept = self._read(name)
        control.demand_kept(self._client, name)
        self._adopt(kept)
        if kept.checkpoint is not None:
            # Topics may have got other names, and statements another topic.
            self._ensure(self._tables)
            ensure(self._client, self._ddl_topic, self._publishing)
        main.commit([self._job_record(self._saved, self._phase)])
        return kept.checkpoint

    def _each_lane(self, kept: Kept, do: Callable[[Opened], None]) -> None:
        for lane in range(max(kept.lanes, self._lanes.count)):
            do(self._opened(lane))

    def _settle(self, checkpoint: str, kept: Kept) -> None:
        """Until no transaction is open in the topic of the checkpoint: what is committed behind its begin is not seen.
        One of another job ends by and by."""
        deadline = time.monotonic() + PATIENCE_S
        while self._open.producer.transactional:
            found = control.undecided(self._settings.job, self._client.undecided(checkpoint))
            if found is None:
                return
            if time.monotonic() > deadline:
                reason = f"a transaction has been open in the topic {checkpoint} for {PATIENCE_S:.0f} s"
                raise DrsError(Fault.TARGET_UNREACHABLE, endpoint=str(self._endpoint), reason=reason)
            if found.ours:
                self._disown(checkpoint, kept, found)
            else:
                time.sleep(PAUSE_S)

    def _disown(self, checkpoint: str, kept: Kept, found: Undecided) -> None:
        """Takes back transactions of the job that are open although their producers are fenced.

        Kafka 4.3 counts a transaction as ended whose marks it has not written, if it is killed behind the commit: when
        it is started again, it takes partitions that have no leader yet for deleted ones. Nobody has seen such a
        transaction, and the next mark of its producer would be for that one, too: what was published once more since
        would come twice.
        """
        # A lane's record names its table; what follows the log may have written to any.
        tables = {*found.tables, *(kept.checkpoint.tables if kept.checkpoint and found.of_log else ())}
        topics = {topic_of(name, self._publishing, self._settings.selection) for name in tables}
        statements = self._ddl_topic if found.of_log else ()
        partitions = sorted(self._client.open_transactions({checkpoint, *topics, *statements}))
        if found.of_log and found.of_lanes:
            # Which of both was first is not known, and so not whether one counts on the other.
            listed = ", ".join(f"{topic}-{partition}" for topic, partition in partitions)
            reason = f"it has lost the end of transactions of the job, which are open in {listed}: reset the job"
            raise DrsError(Fault.TARGET_REFUSED, what="to go on", reason=reason)
        if found.of_log:
            self._open.producer.disown(partitions)
        else:

            def disown(lane: Opened) -> None:
                with closing(lane):
                    lane.producer.disown(partitions)

            self._each_lane(kept, disown)

    def _opened(self, lane: int | None) -> Opened:
        """A producer that has fenced its predecessors."""
        return Opened(
            self._endpoint, self._settings.job, lane, self._settings.policy, self._settings.selection, self._timeout_ms
        )

    def _read(self, topic: str) -> Kept:
        """Raises FENCED if a newer worker has been here."""
        kept = control.read(self._settings.job, self._client.read(topic), self._settings.parse_position)
        if kept.epoch > self._settings.epoch:
            raise DrsError(Fault.FENCED, epoch=self._settings.epoch, newer=kept.epoch)
        if kept.resetting:
            raise DrsError(Fault.RESET_UNFINISHED)
        return kept

    def _adopt(self, kept: Kept) -> None:
        if kept.checkpoint is not None:
            self._tables = dict(kept.checkpoint.tables)
            self._phase, self._saved = kept.checkpoint.phase, kept.checkpoint.position
        self._chunk_keys = set(kept.keys)
        self._lanes.count = max(kept.lanes, self._lanes.count)
        self._edit = kept.edit
        self._ids = Ids(kept.next_id)
        self._ordinals = Ordinals(skip=kept.done, undone=kept.undone)

    @property
    def _open(self) -> Opened:
        assert self._main is not None, "used before it was opened"
        return self._main

    def _job_record(
        self, position: Position | None, phase: Phase | None, *, done: int | None = None, tables: int | None = None
    ) -> Record:
        """`tables`: how many there are once this is committed."""
        published = self._ordinals.skip if done is None else done
        return control.job_record(
            epoch=self._settings.epoch,
            lanes=self._lanes.count,
            position=position,
            phase=phase,
            next_id=self._ids.next,
            tables=len(self._tables) if tables is None else tables,
            edit=self._edit,
            done=published,
            undone=self._ordinals.left_out() if published else (),
        )

    # the load

    def begin(self, checkpoint: Checkpoint) -> None:
        self._ensure(checkpoint.tables)
        ensure(self._client, self._ddl_topic, self._publishing)
        self._tables = dict(checkpoint.tables)
        if checkpoint.phase is Phase.LOADING:
            self._publish_made(sorted(checkpoint.tables))
        records = [control.table_record(progress) for progress in checkpoint.tables.values()]
        self._commit([*records, self._job_record(checkpoint.position, checkpoint.phase)])
        self._phase, self._saved = checkpoint.phase, checkpoint.position

    def _publish_made(self, names: Iterable[TableName]) -> None:
        """What makes tables that are about to be loaded."""
        if self._ddl_topic:
            for name in names:
                self._publish(made(name, self._settings.create_statement(name)), now())

    def _ensure(self, names: Iterable[TableName]) -> None:
        """The topics of these tables are there."""
        topics = [topic_of(name, self._publishing, self._settings.selection) for name in names]
        ensure(self._client, topics, self._publishing)

    def restart(self, progress: TableProgress) -> None:
        self._ensure([progress.table.name])
        self._publish_made([progress.table.name])
        self._put(progress)

    def forget(self, name: TableName) -> None:
        with self._lock:
            self._tables.pop(name, None)
            self._commit([control.gone(name), *self._without_chunks(name)])

    def together(self, name: TableName) -> Sequence[TableName]:
        del name
        return ()  # what is published is never made anew

    def finish_table(self, progress: TableProgress) -> None:
        self._put(progress)

    def _put(self, progress: TableProgress) -> None:
        name = progress.table.name
        with self._lock:
            self._tables[name] = progress
            self._commit([control.table_record(progress), *self._without_chunks(name)])

    def _without_chunks(self, name: TableName) -> list[Record]:
        """Records of chunks tell how many ids there have been; where they go, that of the job does."""
        return [*control.chunks_of(name, self._chunk_keys), self._job_record(self._saved, self._phase)]

    @contextmanager
    def loader(self) -> Iterator[Loader]:
        with self._lanes.one() as lane:
            opened = self._opened(lane)
            try:
                self._demand_ours()
                yield Loader(opened, self._ids, self._note_chunk, self._settings.report, self._timeout_ms / 1000)
            finally:
                opened.close()

    def _demand_ours(self) -> None:
        """Behind the opening of a lane, which always succeeds: whoever has overtaken us has fenced our main producer
        first, and will fence the lane if it is still to come."""
        with self._lock:
            self._commit([self._job_record(self._saved, self._phase)])

    def _note_chunk(self, key: bytes) -> None:
        with self._lock:
            self._chunk_keys.add(key)

    def constrain(self, tables: Mapping[TableName, TableProgress]) -> None:
        """Messages have no constraints."""

    # the log

    def write(self, window: Window, *, idempotent: bool) -> None:
        assert not idempotent, "nothing that is published can be made up for"
        main, ordinals = self._open, self._ordinals
        main.producer.begin()
        looking = self._looks_ahead(window)
        for one in window.controls:
            if ordinals.obey(one) and not looking:
                raise Repeat
        if not looking:
            self._send(window, skip=ordinals.skipped(window.ordinals))
        elif window.position is not None:
            ordinals.foreseen = True
            raise Repeat
        if window.position is not None:
            ordinals.over()
        else:
            ordinals.advance(window.ordinals)
            if not looking and self._is_too_large() and ordinals.done > ordinals.skip:
                self._commit_part()

    def _looks_ahead(self, window: Window) -> bool:
        """Whether nothing is sent yet. Without transactions whatever is sent is seen, what will be rolled back too: so
        a source transaction that comes in parts is read to its end first, and then once more."""
        in_parts = window.position is None or self._ordinals.done > 0
        return in_parts and not self._open.producer.transactional and not self._ordinals.foreseen

    def _send(self, window: Window, *, skip: int) -> None:
        batches: list[tuple[int, object]] = []
        for changes in window.tables:
            table, batch = self._definition(changes.table), changes.batch
            assert isinstance(batch, RecordBatch)
            if table.engine.lower() in TRANSACTIONAL:
                batch = without(batch, self._ordinals.undone(window.ordinals))
            if batch.num_rows:
                number = self._open.encoding.number(table)
                batches.append((number, self._open.encoding.shaped(table, batch, LEADING)))
        if not batches:
            return
        assert window.origins is not None
        with self._open.producer.translated("send messages"):
            sent = self._open.encoding.core.send_window(
                self._open.producer.core, batches, window.origins(), first_id=self._ids.next, skip=skip,
                begun=self._ordinals.done,
            )  # fmt: skip
        self._ids.next, _, nbytes = sent
        self._bytes += nbytes

    def _is_too_large(self) -> bool:
        took_s = self._open.producer.open_for_s()
        return self._bytes >= self._publishing.transaction_bytes or took_s > self._timeout_ms / 2000

    def _commit_part(self) -> None:
        """Of a transaction that is larger than one of Kafka may be, what was sent becomes visible."""
        done = self._ordinals.done
        self._commit([self._job_record(self._saved, self._phase, done=done)])
        self._ordinals.publish(done)

    def _definition(self, name: TableName) -> Table:
        progress = self._changed.get(name) or self._tables[name]
        return progress.table

    def alter(
        self,
        change: SchemaChange,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        self._open.producer.begin()
        statement = statement_of(change, alterations, self._settings.policy)
        if statement is not None and self._ddl_topic:
            # It begins the transaction: where some of that is published, the statement is as well.
            if not self._ordinals.skip:
                self._publish(statement, self._settings.place(change))
        else:
            for what in untold(alterations):
                self._settings.report(what, NOT_TOLD)
        self._ensure(name for name, progress in tables.items() if progress is not None)
        self._changed.update(tables)

    def exchange(
        self,
        edit: str,
        selection: Selection,
        joining: Mapping[TableName, TableProgress],
        giver: str,
        leaving: Sequence[TableName],
    ) -> None:
        """What the other job remembers is forgotten in the same transaction. The numbers of its messages went on from
        one of their own; ours go on behind both."""
        main = self._open
        main.producer.begin()
        self._edit = edit
        if giver:
            topic = checkpoint_topic(giver, self._publishing)
            theirs = control.read(giver, self._client.read(topic), self._settings.parse_position)
            self._ids.pass_by(theirs.next_id)
            number, _ = main.producer.topic(topic)
            with main.producer.translated("take tables over"):
                for key, value in control.of_job(giver, control.tombstones(theirs.keys)):
                    main.producer.core.send(number, 0, key, value)
        self._settings = replace(self._settings, selection=selection)
        main.encoding.reselect(selection)
        self._changed.update({**joining, **dict.fromkeys(leaving)})

    @property
    def _ddl_topic(self) -> list[str]:
        """Where statements are published; nowhere if the job carries none over."""
        topic = self._publishing.ddl_topic
        return [topic] if topic and self._settings.policy.ddl == "carry" else []

    def _publish(self, statement: Statement, place: Place) -> None:
        main = self._open
        main.producer.begin()
        topic, _ = main.producer.topic(self._publishing.ddl_topic)
        words = (statement.sql, statement.kind, statement.database, statement.table)
        key, value = main.encoding.core.statement(words, place, snapshot=statement.snapshot, id=self._ids.take(1))
        # One partition, whatever the key: statements are in the order of the source.
        with main.producer.translated("send a statement"):
            main.producer.core.send(topic, 0, key, value)

    def flush(self, position: Position | None, phase: Phase) -> None:
        records: list[Record] = []
        for name, progress in self._changed.items():
            records.append(control.gone(name) if progress is None else control.table_record(progress))
            records += control.chunks_of(name, self._chunk_keys)
        after = {**self._tables, **self._changed}
        tables = {name: progress for name, progress in after.items() if progress is not None}
        self._commit([*records, self._job_record(position, phase, tables=len(tables))])
        self._tables = tables
        self._changed.clear()
        self._phase, self._saved = phase, position

    def _commit(self, records: Sequence[Record]) -> None:
        self._open.commit(records)
        self._chunk_keys -= {key for key, value in records if value is None}
        self._bytes = 0
        self._ids.durable()

    def rollback(self) -> None:
        self._open.producer.rollback()
        self._changed.clear()
        self._bytes = 0
        self._ids.undo()
        self._ordinals.again()

    def rest(self, tables: Mapping[TableName, TableProgress]) -> None:
        del tables
        self.rollback()


def without(batch: RecordBatch, undone: Sequence[tuple[int, int]]) -> RecordBatch:
    """The batch without the changes of these ranges of ordinals."""
    if not undone:
        return batch
    kept = [True] * batch.num_rows
    for first, end in undone:
        start, behind = batch.rows_below(first), batch.rows_below(end)
        kept[start:behind] = [False] * (behind - start)
    return batch.keep(kept)
