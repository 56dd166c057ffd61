"""How a worker's turn can end: the exit status of its process, and its last word in the lease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Self

from opendrs.errors import DrsError, Fault, Retry
from opendrs.model.failure import Failure
from opendrs.telemetry import Mask


class Exit(IntEnum):
    """Exit status of a worker's process. Python itself uses 1 and 2, a shell 126 and more."""

    DONE = 0  # nothing more to do: a full load is over, or everything asked for was caught up with
    PAUSED = 10  # asked to
    FAILED = 11  # the same would fail again
    LATER = 12  # a few automatic resumes may help
    NETWORK = 13  # nobody answers: the state store, before the work began (the worker itself waits for the others)
    FENCED = 14  # a newer worker has the job


EXIT_OF: dict[Retry, Exit] = {"never": Exit.FAILED, "later": Exit.LATER, "network": Exit.NETWORK}


def kept(error: DrsError, mask: Mask) -> Failure:
    """A fault as it may be kept: a server's own words may repeat what they were given."""
    failure = Failure.of(error)
    return replace(failure, message=mask(failure.message))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a turn, or of a job's whole run.

    phase    reached, if anything was
    failure  why, unless done or paused
    newer    FENCED only: the epoch that the target holds, if the sink could say
    told     whether the job's row says so already; if it is wanted to run all the same, it was asked to since
    """

    exit: Exit
    phase: str = ""
    failure: Failure | None = None
    newer: int = 0
    told: bool = True

    @classmethod
    def of(cls, error: DrsError, mask: Mask, *, phase: str = "") -> Self:
        return cls(
            exit=Exit.FENCED if error.fault is Fault.FENCED else EXIT_OF[error.retry],
            phase=phase,
            failure=kept(error, mask),
            newer=int(error.details.get("newer", 0)),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "exit": self.exit.name,
            "phase": self.phase,
            "failure": None if self.failure is None else self.failure.to_json(),
            "newer": self.newer,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        if data["version"] != 1:
            raise ValueError(f"an outcome of version {data['version']} is not understood")
        failure = None if data["failure"] is None else Failure.from_json(data["failure"])
        return cls(exit=Exit[data["exit"]], phase=data["phase"], failure=failure, newer=data["newer"])
