"""What a worker must write down before it goes on: it is there when the worker is killed, and there once."""

from __future__ import annotations

from opendrs.store import dirty
from opendrs.worker.outcome import Exit
from tests.integration.worker.conftest import Stage


def recorded(stage: Stage) -> tuple[list[str], int]:
    with stage.store.read() as connection:
        found, total = dirty.page(connection, stage.job.id, "incremental", limit=100, offset=0)
    return sorted(saved.row.statement for saved in found), total


def test_a_row_is_recorded_once_whoever_is_killed(stage: Stage) -> None:
    """Each worker is killed behind its record and before its flush: the next meets the same rows again."""
    stage.play(
        {"do": "kill", "phase": "following", "dirty": ["a", "b"]},
        {"do": "kill", "phase": "following", "dirty": ["a", "b", "c"]},
        {"do": "done", "phase": "done", "dirty": ["b", "c", "d"]},
    )
    assert stage.ends().exit is Exit.DONE
    assert recorded(stage) == ([f"INSERT {key}" for key in "abcd"], 4)


def test_what_was_recorded_is_there_when_the_worker_is_gone(stage: Stage) -> None:
    stage.play({"do": "raise", "fault": "CONFLICT", "details": {"table": "t", "reason": "r"}, "dirty": ["a"]})
    assert stage.ends().exit is Exit.FAILED
    assert recorded(stage) == (["INSERT a"], 1)
