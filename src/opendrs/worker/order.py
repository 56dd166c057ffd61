"""What a worker is told when it starts: one JSON document on its standard input, and nowhere else.

It holds passwords, so it is never an argument, an environment variable, a row or a line of a log.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import unquote, urlsplit

from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Job, Policy
from opendrs.model.selection import Selection
from opendrs.worker.timing import Timing

REPLICATE: Final = "opendrs.worker.replicate:replicate"

Until = Literal["never", "caught-up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one run of a job is to do, besides what the job says.

    until     caught-up: end when the log has been applied up to where it stood when the load ended
    check     look for obstacles before a job begins
    accepted  obstacles (items of prechecks) that the user takes upon himself
    reset     begin anew from the load: what the job has made in the target goes first
    """

    until: Until = "never"
    check: bool = True
    accepted: tuple[str, ...] = ()
    reset: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"until": self.until, "check": self.check, "accepted": list(self.accepted), "reset": self.reset}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            until=data["until"], check=data["check"], accepted=tuple(data["accepted"]), reset=data.get("reset", False)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job to be worked at.

    state      URL of the state store
    folder     of the job, for its log and its spool; it exists
    replicate  `module:function` that does the work; tests put another in its place
    """

    job: Job
    state: str = field(repr=False)
    folder: Path
    options: Options = field(default_factory=Options)
    timing: Timing = field(default_factory=Timing)
    replicate: str = REPLICATE

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen anywhere."""
        job, state = self.job, urlsplit(self.state).password or ""
        found = (job.source.password.reveal(), job.target.password.reveal(), state, unquote(state))
        return tuple(secret for secret in found if secret)

    def settings(self) -> dict[str, Any]:
        """What a worker that runs already must have been started with, to be ours as well."""
        policy = self.job.policy.to_json()
        return {"version": 1, "task": self.job.task, "policy": policy, "until": self.options.until}

    def document(self, epoch: int) -> bytes:
        """The form that `read` understands, for the worker of that epoch."""
        job = self.job
        data = {
            "version": 1,
            "epoch": epoch,
            "job": {
                "id": job.id,
                "source": job.source.url(),
                "target": job.target.url(),
                "task": job.task,
                "selection": job.selection.to_json(),
                "policy": job.policy.to_json(),
            },
            "state": self.state,
            "folder": str(self.folder),
            "options": self.options.to_json(),
            "timing": self.timing.to_json(),
            "replicate": self.replicate,
        }
        return json.dumps(data).encode()

    @classmethod
    def read(cls, document: bytes) -> tuple[Self, int]:
        """The order, and the epoch. Raises ValueError if the document was cut short or is of another version."""
        data = json.loads(document)
        if data["version"] != 1:
            raise ValueError(f"an order of version {data['version']} is not understood")
        facts = data["job"]
        job = Job(
            id=facts["id"],
            source=Endpoint.parse(facts["source"]),
            target=Endpoint.parse(facts["target"]),
            task=facts["task"],
            selection=Selection.from_json(facts["selection"]),
            policy=Policy.from_json(facts["policy"]),
        )
        order = cls(
            job=job,
            state=data["state"],
            folder=Path(data["folder"]),
            options=Options.from_json(data["options"]),
            timing=Timing.from_json(data["timing"]),
            replicate=data["replicate"],
        )
        return order, data["epoch"]


def differences(running: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """How a running worker's settings differ from what is asked for now: `apply is merged, not transactional`."""
    before, after = _flat(running), _flat(wanted)
    return [
        f"{name} is {before.get(name)!r}, not {after.get(name)!r}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and name != "version"
    ]


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What becomes of settings: `apply: transactional -> merged`."""
    return [f"{name}: {before.get(name)} -> {value}" for name, value in after.items() if before.get(name) != value]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """With the policy as this release writes it: what an older one did not know has its default there."""
    policy = dict(settings.get("policy", {}))
    with suppress(ValueError, KeyError, TypeError):  # of a newer release: then as it is
        policy = Policy.from_json(policy).to_json()
    return {**policy, **{name: value for name, value in settings.items() if name != "policy"}}
