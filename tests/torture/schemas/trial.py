"""One world from its first table to the proof, on any pair of servers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pymysql

from opendrs.engines.mysql import connect as mysql
from opendrs.engines.mysql.position import parse_position
from opendrs.engines.postgres import connect as postgres
from opendrs.engines.postgres.control import Control
from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.finding import Finding
from opendrs.model.job import Policy
from opendrs.worker.checking import check
from opendrs.worker.proving import prove_paused, question
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story
from tests.torture.schemas.witness import differences
from tests.torture.schemas.worlds import World

CHANGES = 25
KEPT = Path(".cache/torture/schemas")  # what the source was told, of worlds that failed


def policy_of(world: World) -> Policy:
    chance = world.chance
    tolerated = world.lossy == "tolerated"
    return Policy(
        apply=chance.choice(("transactional", "merged")),
        consistent=chance.random() < 0.3,
        readers=chance.choice((1, 2)),
        invalid_dates=chance.choice(("null", "epoch", "minus_infinity")) if tolerated else "stop",
        nul_in_text=chance.choice(("remove", "replace")) if tolerated else "stop",
    )


class Writer:
    """A session of the source that goes on whatever the server refuses."""

    def __init__(self, server: FamilyServer, database: str, world: World) -> None:
        self._connection = server.connect(database)
        self._world = world
        self.done: list[str] = []
        self.refusals: list[str] = []
        self.run(world.session)

    def run(self, statement: str) -> bool:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except pymysql.Error as error:
            self.refusals.append(f"{error.args}: {statement[:200]}")
            return False
        self.done.append(statement)
        return True

    def change(self, count: int = CHANGES) -> None:
        for statement in self._world.changes(count):
            if not self.run(statement) and statement == "COMMIT":
                self.run("ROLLBACK")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


@dataclass(slots=True, kw_only=True)
class Trial:
    """`outcome`: equal, or announced (it stopped, and the check had said so)."""

    seed: int
    world: World
    story: Story
    findings: list[Finding] = field(default_factory=list)
    outcome: str = ""
    statements: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        return [f"{f.item}: {f.message}" for f in self.findings if f.result == "FAILED"]

    def unequal(self) -> list[str]:
        proofs = [proof for proof in prove_paused(self.story.job) if proof.verdict != "equal"]
        found = [
            f"proof: {p.name} {p.verdict} {p.source_rows}/{p.target_rows} {p.reason}{suspects(self.story, p.name)}"
            for p in proofs
        ]
        s = self.story
        return found + differences(s.source, s.target, s.name, s.there, s.policy)


def play(seed: int, source: FamilyServer, target: Postgres, database: str, there: str, folder: Path) -> Trial:
    """Raises AssertionError with everything that helps to find out why."""
    world = World(seed, {"mariadb-10": "mariadb", "mariadb-11": "mariadb11"}.get(source.name, "mysql"))
    story = Story(
        source=source, target=target, name=database, there=there, folder=folder, policy=policy_of(world),
        patterns=(f"{pattern(database)}.*",),
    )  # fmt: skip
    trial = Trial(seed=seed, world=world, story=story)
    with Writer(source, database, world) as writer:
        world.build(writer.run)
        trial.statements = writer.done
        job = story.job
        trial.findings = check(job.source, job.target, job.selection, job.policy, job.task)
        try:
            _play(trial, writer)
        except DrsError as error:
            if not trial.failed:
                raise AssertionError(f"seed {seed}: {error}\n{facts(trial)}") from error
            trial.outcome = f"announced: {error}"
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__} {error}\n{facts(trial)}") from error
    return trial


def _play(trial: Trial, writer: Writer) -> None:
    trial.story.play({"load.begun": writer.change, "load.loaded": writer.change} if trial.world.tables else {})
    _equal(trial, "after the load")
    for _ in range(2):
        if trial.world.tables:
            writer.change(2 * CHANGES)
        trial.story.play()
        _equal(trial, "after following")
    trial.outcome = "equal"


def _equal(trial: Trial, when: str) -> None:
    found = trial.unequal()
    assert not found, "\n".join([when, *found])


def facts(trial: Trial) -> str:
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{trial.story.source.name}-{trial.seed}.sql").write_text(";\n".join(trial.statements) + ";\n")
    policy = trial.story.policy
    return "\n".join(
        [
            str(policy),
            f"{trial.world.lossy=}",
            *[line[:300] for line in trial.failed],
            *map(str, trial.story.reports[:10]),
        ]
    )


def suspects(story: Story, name: TableName) -> list[str]:
    """The columns in which a proof finds a table different, one by one."""
    control = Control(story.job.id, 0, parse_position)
    with postgres.Session(story.job.target, "opendrs/trial") as there, mysql.Session(story.job.source) as here:
        checkpoint, targets = control.read(there)
        assert checkpoint is not None
        table, target, found = checkpoint.tables[name].table, targets[name], []
        for column in table.columns:
            asked = question(replace(table, columns=(column,)), target, story.job, mariadb=here.mariadb)
            (left,) = here.query(asked.ask_source[0])
            (right,) = there.query(asked.ask_target)
            if [int(value) for value in left.values()] != [int(value or 0) for value in right]:
                found.append(f"{column.name!r} {column.native} {column.charset}")
        return found


def pattern(database: str) -> str:
    """A pattern of a selection that finds just this database."""
    return "".join("?" if letter in "*?[." else letter for letter in database)


def told(findings: Iterable[Finding]) -> Any:
    return [(f.result, f.item, f.message) for f in findings if f.result != "PASSED"]
