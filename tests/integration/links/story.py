"""A job played in this process, on real servers, with people who do something at named moments of it.

What happens between the position and the load, or between two windows, is hard to hit from outside: here it is
done by the job's own thread, when it comes to one of its fault points. The kill is left to `tests/torture`.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.dirty import DirtyRow
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Job, Policy, Task, job_id
from opendrs.model.position import Position
from opendrs.model.selection import Selection
from opendrs.pipeline.limiting import NoLimit
from opendrs.pipeline.progress import Silent
from opendrs.store import jobs
from opendrs.store.database import open_store
from opendrs.worker import checking
from opendrs.worker.hooks import Hooks
from opendrs.worker.order import Options
from opendrs.worker.proving import prove_paused
from opendrs.worker.replicate import replicate
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.torture.live.oracle import differences

Deed = Callable[[], None]


class Acts:
    """Fault points at which something is done: `{"load.begun": deed}`, or `"window.taken:3"` for the third time."""

    def __init__(self, deeds: Mapping[str, Deed]) -> None:
        self._deeds = dict(deeds)
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def here(self, name: str) -> None:
        with self._lock:
            self._seen[name] += 1
            deed = self._deeds.pop(f"{name}:{self._seen[name]}", None)
            deed = deed or (self._deeds.pop(name, None) if self._seen[name] == 1 else None)
        if deed is not None:
            deed()

    @property
    def left(self) -> list[str]:
        """Moments that never came."""
        return sorted(self._deeds)


class Forgetful:
    """The target is the authority over the checkpoint; nobody else keeps it here."""

    def save(self, position: Position | None, phase: Phase) -> None:
        del position, phase


class Unseen:
    """Nobody looks at what is made."""

    def planned(self, views: Collection[TableName], *, beside: bool = False) -> None:
        del views, beside

    def views(self, made: Collection[TableName], refused: Mapping[TableName, str]) -> None:
        del made, refused

    def indexes(self, table: TableName, made: int, total: int) -> None:
        del table, made, total


@dataclass(slots=True)
class Remembered:
    """Rows that did not arrive as they are, by their keys."""

    rows: dict[str, DirtyRow] = field(default_factory=dict)

    def record(self, rows: Sequence[DirtyRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.key, row)


@dataclass(slots=True, kw_only=True)
class Story:
    """One job between two databases. `reports`: what was not carried over, as the job said it; `dirty`: rows that did
    not arrive as they are; `selection`: instead of the patterns; `identity`: the job's id, else one made from what it
    is."""

    source: FamilyServer
    target: Postgres
    name: str
    there: str
    folder: Path
    policy: Policy = field(default_factory=Policy)
    patterns: tuple[str, ...] = ()
    selection: Selection | None = None
    identity: str = ""
    task: Task = "full+incremental"
    reports: list[tuple[str, str]] = field(default_factory=list)
    dirty: Remembered = field(default_factory=Remembered)
    epoch: int = 0

    @property
    def job(self) -> Job:
        source, target = Endpoint.parse(self.source.url()), Endpoint.parse(self.target.url(self.there))
        selection = self.selection or Selection(patterns=self.patterns or (f"{self.name}.*",))
        identity = self.identity or job_id(source, target, selection, self.name)
        return Job(id=identity, source=source, target=target, task=self.task, selection=selection, policy=self.policy)

    def at_source(self, statements: str | Sequence[str]) -> None:
        """Runs statements (divided by ";" and a line's end) on one session of the source."""
        if isinstance(statements, str):
            statements = split(statements)
        with self.source.connect(self.name) as connection, connection.cursor() as cursor:
            connection.autocommit(True)
            for statement in statements:
                cursor.execute(statement)

    def play(
        self,
        acts: Mapping[str, str | Deed] | None = None,
        *,
        check: bool = False,
        accepted: Iterable[str] = (),
        reset: bool = False,
    ) -> Phase:
        """Runs the job until it has caught up. What a moment of `acts` names is done at the source."""

        def deed(what: str | Deed) -> Deed:
            return what if callable(what) else lambda: self.at_source(what)

        faults = Acts({moment: deed(what) for moment, what in (acts or {}).items()})
        store = open_store(f"sqlite:///{self.folder / 'state.db'}")
        log = logging.Logger("story")
        log.addHandler(Listener(self.reports))
        self.epoch += 1
        try:
            with store.write() as connection:
                if self.epoch == 1:
                    jobs.create(connection, self.job)
            hooks = Hooks(
                stop=threading.Event(), progress=Silent(), checkpoints=Forgetful(), proof=_Never(), faults=faults,
                objects=Unseen(), dirty=self.dirty, limit=NoLimit(), log=log, folder=self.folder, store=store,
                options=Options(until="caught-up", check=check, accepted=tuple(accepted)),
            )  # fmt: skip
            if reset:
                hooks.reset.set()
            phase = replicate(self.job, self.epoch, hooks)
        finally:
            store.close()
        assert not faults.left, f"these moments never came: {faults.left}"
        return phase

    def checked(self) -> list[Finding]:
        """What the prechecks say about the job now."""
        job = self.job
        return checking.check(job.source, job.target, job.selection, job.policy, job.task, checking.Options(job=job.id))

    def fails(self, *words: str, acts: Mapping[str, str | Deed] | None = None) -> DrsError:
        """Runs the job, which must stop with an error that has these words."""
        try:
            self.play(acts)
        except DrsError as error:
            missing = [word for word in words if word not in str(error)]
            assert not missing, f"{missing} is not in: {error}"
            return error
        raise AssertionError(f"the job did not stop; {self.unequal() or 'both sides are equal'}")

    def unequal(self) -> list[str]:
        """What two witnesses who know nothing of each other find different."""
        return self.unproven() + self.differing()

    def unproven(self) -> list[str]:
        """What the job's own proof finds different, in all its databases."""
        proofs = [proof for proof in prove_paused(self.job) if proof.verdict != "equal"]
        return [f"proof: {p.name} {p.verdict} {p.source_rows}/{p.target_rows} {p.reason}" for p in proofs]

    def differing(self) -> list[str]:
        """What somebody finds different who knows nothing of the job, in the database of that name."""
        wanted = self.job.selection.wants
        return differences(
            self.source, self.target, self.name, self.there, selected=lambda name: wanted(TableName(self.name, name))
        )

    def ends_equal(self, acts: Mapping[str, str | Deed] | None = None) -> None:
        """Runs the job; both sides are equal then."""
        self.play(acts)
        found = self.unequal()
        assert not found, "\n".join(found)

    def in_target(self, sql: str) -> list[tuple[object, ...]]:
        return list(self.target.execute(sql, database=self.there))


def split(statements: str) -> list[str]:
    """Statements end with ";" at the end of a line."""
    return [statement.strip() for statement in statements.replace(";\n", "\0").split("\0") if statement.strip(" \n;")]


class _Never(threading.Event):
    """Nobody asks for a proof while the job runs."""

    def is_set(self) -> bool:
        return False


class Listener(logging.Handler):
    """Takes down what a job reports: (what, why)."""

    def __init__(self, reports: list[tuple[str, str]]) -> None:
        super().__init__()
        self._reports = reports

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "fields", {})
        self._reports.append((str(fields.get("object", record.msg)), str(fields.get("reason", ""))))
