"""Changes of a schema on real servers: met while catching up, and met while following.

As in `test_traps`, a scenario's change is made twice: between the job's position and its load, and when the job has
caught up. Both sides must be equal in the end, and what became of the schema must be what a fresh job makes of the
source as it is then. Scenarios that go on are played together, each in a database of its own; if that fails they
are played one by one, so that the failure says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from opendrs.errors import DrsError
from opendrs.model.job import ApplyMode, Policy
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.changes import SCENARIOS
from tests.integration.links.changes.scenario import Scenario
from tests.integration.links.schema_facts import facts
from tests.integration.links.story import Story

Moment = Literal["catching-up", "following"]
TOGETHER = 10  # scenarios in one job
STOPPING = [name for name, scenario in SCENARIOS.items() if scenario.stops]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A scenario in a database of its own. `story` is that of the whole job, looked at from this database."""

    name: str
    scenario: Scenario
    story: Story


@dataclass(slots=True)
class Stage:
    """Where scenarios are played: new databases on both sides for each job."""

    source: FamilyServer
    target: Postgres
    database: NewDatabase
    folder: Path

    def parts(self, names: Iterable[str], mode: ApplyMode = "transactional") -> list[Part]:
        """One job for all of them that has not begun, and what is there before it is there."""
        there, folder = self.database(self.target), self._folder()
        filled = [(name, *self._filled(SCENARIOS[name])) for name in names]
        patterns = tuple(pattern for _, _, scenario in filled for pattern in scenario.selects)
        whole = Story(
            source=self.source, target=self.target, name=filled[0][1], there=there, folder=folder,
            policy=Policy(apply=mode), patterns=patterns,
        )  # fmt: skip
        made = [Part(name=n, scenario=s, story=replace(whole, name=own, reports=[])) for n, own, s in filled]
        for part in made:
            part.story.at_source(part.scenario.before)
        return made

    def fresh(self, parts: Sequence[Part]) -> list[Part]:
        """Another job for the same databases, from the beginning, into another database of the target."""
        there, folder = self.database(self.target), self._folder()
        return [replace(p, story=replace(p.story, there=there, folder=folder, reports=[], epoch=0)) for p in parts]

    def _folder(self) -> Path:
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        return folder

    def _filled(self, scenario: Scenario) -> tuple[str, Scenario]:
        name, other = self.database(self.source), self.database(self.source)
        password = "PASSWORD('x')" if self.source.name.startswith("mariadb") else "'other-Word2'"

        def fill(text: str) -> str:
            return text.replace("{db}", name).replace("{other}", other).replace("{password}", password)

        filled = replace(
            scenario,
            before=fill(scenario.before),
            change=fill(scenario.change),
            stops=tuple(fill(word) for word in scenario.stops),
            selects=tuple(fill(pattern) for pattern in scenario.selects or ("{db}.*",)),
        )
        return name, filled


@pytest.fixture
def stage(source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path) -> Stage:
    return Stage(source, target, database, tmp_path)


def _change(parts: Sequence[Part]) -> None:
    for part in parts:
        part.story.at_source(part.scenario.change)


def _play(stage: Stage, names: Sequence[str], moment: Moment, mode: ApplyMode = "transactional") -> list[str]:
    """Plays scenarios in one job; what is wrong in the end."""
    parts = stage.parts(names, mode)
    job = parts[0].story
    if moment == "catching-up":
        job.play({"load.begun": lambda: _change(parts)})
    else:
        job.play()
        _change(parts)
        job.play()
    found = job.unproven() + [f"{part.name}: {what}" for part in parts for what in part.story.differing()]
    if any(part.scenario.again for part in parts):
        job.play()
    fresh = stage.fresh(parts)
    fresh[0].story.play()
    return found + [what for own, wanted in zip(parts, fresh, strict=True) for what in _unlike(own, wanted)]


def _unlike(own: Part, wanted: Part) -> list[str]:
    """What of the schema is not as a fresh job makes it."""
    there, fresh = facts(own.story), facts(wanted.story)
    found = [("missing", fact) for fact in sorted(fresh - there)] + [("more", fact) for fact in sorted(there - fresh)]
    return [f"{own.name}: {how}: {fact}" for how, fact in found if not fact.startswith(own.scenario.unlike or "\0")]


def _together(stage: Stage, names: Sequence[str], moment: Moment, mode: ApplyMode = "transactional") -> None:
    try:
        found = _play(stage, names, moment, mode)
    except DrsError as error:
        found = [str(error)]
    if found and len(names) > 1:
        for name in names:
            _together(stage, [name], moment, mode)
    assert not found, "\n".join(found)


def _played(source: FamilyServer, moment: Moment, *, merged: bool = False) -> list[str]:
    """Scenarios that go on, on a server that has them: a job that is about to load reads anew what stops others."""
    return [
        name
        for name, one in SCENARIOS.items()
        if (not one.stops or (moment == "catching-up" and one.catches_up))
        and not one.unheeded
        and source.name.startswith(one.products)
        and (one.merged or not merged)
    ]


@pytest.mark.parametrize("number", range(-(-len(SCENARIOS) // TOGETHER)))
@pytest.mark.parametrize("moment", ["catching-up", "following"])
def test_changes(stage: Stage, number: int, moment: Moment) -> None:
    if names := _played(stage.source, moment)[number * TOGETHER : (number + 1) * TOGETHER]:
        _together(stage, names, moment)


@pytest.mark.parametrize("moment", ["catching-up", "following"])
def test_changes_in_merged_mode(stage: Stage, moment: Moment) -> None:
    _together(stage, _played(stage.source, moment, merged=True), moment, "merged")


@pytest.mark.parametrize("name", STOPPING)
def test_the_job_stops(stage: Stage, name: str) -> None:
    """What cannot be carried out stops the job, with the statement in the error."""
    if not stage.source.name.startswith(SCENARIOS[name].products):
        pytest.skip(f"{stage.source.name} has no such thing")
    (part,) = stage.parts([name])
    part.story.play()
    _change([part])
    part.story.fails(*part.scenario.stops)


def test_a_table_that_cannot_be_read_stops_the_load(stage: Stage) -> None:
    (part,) = stage.parts(["partitions: tablespaces"])
    part.story.fails(*part.scenario.stops, acts={"load.begun": part.scenario.change})


@pytest.mark.parametrize("name", [name for name, one in SCENARIOS.items() if one.unheeded])
@pytest.mark.parametrize("moment", ["catching-up", "following"])
def test_unheeded(stage: Stage, name: str, moment: Moment) -> None:
    _together(stage, [name], moment)
