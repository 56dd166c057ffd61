"""The life of a job: laws that its table must obey, and the published preconditions."""

from __future__ import annotations

import os

import pytest

from opendrs import spec
from opendrs.model.lifecycle import ALLOWED, LIFECYCLE, MOVES, TRIGGER_TO, State, Trigger, Verb
from tools import lifecycle

ENDS = ALLOWED[Verb.DELETE]
# Published calls and statuses that come with later issues.
LATER = {
    "CHANGE_JOB_STARTED", "CHANGE_JOB_FAILED", "CHILD_TRANSFER_STARTING", "CHILD_TRANSFER_STARTED",
    "CHILD_TRANSFER_COMPLETE", "CHILD_TRANSFER_FAILED", "RELEASE_CHILD_TRANSFER_STARTED",
    "RELEASE_CHILD_TRANSFER_COMPLETE", "REBUILD_NODE_STARTED", "REBUILD_NODE_FAILED", "NODE_UPGRADE_START",
    "NODE_UPGRADE_COMPLETE", "NODE_UPGRADE_FAILED",
}  # fmt: skip


def reachable(start: State) -> set[State]:
    found = {start}
    while more := {target for (source, _), target in LIFECYCLE.items() if source in found} - found:
        found |= more
    return found


def test_every_state_is_reached() -> None:
    assert reachable(State.CREATING) == set(State)


@pytest.mark.parametrize("state", State)
def test_an_end_is_reached_from_everywhere(state: State) -> None:
    assert reachable(state) & ENDS


@pytest.mark.parametrize("state", sorted(set(State) - ENDS - {State.CREATING, State.RELEASING}))
def test_whatever_has_become_of_a_job_a_user_can_end_it(state: State) -> None:
    assert state in ALLOWED[Verb.TERMINATE] and LIFECYCLE[state, Trigger.RELEASE] is State.RELEASING


def test_no_way_leads_back_from_the_end() -> None:
    assert reachable(State.RELEASED) == {State.RELEASED}
    assert not {trigger for state, trigger in LIFECYCLE if state in ENDS}


def test_a_worker_s_word_leads_to_one_state() -> None:
    for state, trigger in TRIGGER_TO.items():
        assert MOVES[trigger].target is state


def test_the_words_are_published() -> None:
    published = {status.word for status in spec.statuses()}
    assert {state.value for state in State} <= published
    assert published - {state.value for state in State} - LATER == {"DELETED"}


BY = {
    Verb.NETWORK: "execute_job_action:network",
    Verb.PRECHECK: "execute_job_action:precheck",
    Verb.OBJECTS: "update_job:db_object",
    Verb.EDIT: "execute_job_action:start:is_sync_re_edit",
    Verb.POLICY: "update_job:policy",
    Verb.PARAMETERS: "update_job_configurations",
    Verb.START: "execute_job_action:start",
    Verb.STOP: "execute_job_action:stop",
    Verb.RESTART: "execute_job_action:restart",
    Verb.RESET: "execute_job_action:reset",
    Verb.TERMINATE: "execute_job_action:terminate",
    Verb.DELETE: "delete_job",
}
# States of subtasks, which no flow has yet.
SUBTASKS = {"RELEASE_CHILD_TRANSFER_COMPLETE"}


@pytest.mark.parametrize("verb", BY)
def test_what_is_allowed_when_is_what_the_contract_says(verb: Verb) -> None:
    """Row for row: documented preconditions, and those of ours with their reasons."""
    rows = [row for row in spec.legality() if f"v5 {BY[verb]}" in row.by]
    legal = {state for row in rows for state in row.states} - SUBTASKS
    assert {state.value for state in ALLOWED[verb]} == legal


def test_stop_is_allowed_where_it_is_published() -> None:
    """ "Only tasks in ... can be paused": the API reference of the v3 pause call."""
    published = {
        "FULL_TRANSFER_STARTED", "FULL_TRANSFER_FAILED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED",
        "INCRE_TRANSFER_FAILED",
    }  # fmt: skip
    assert {state.value for state in ALLOWED[Verb.STOP]} == published


@pytest.mark.golden
@pytest.mark.parametrize("name", lifecycle.PAGES)
def test_the_page_is_fresh(name: str) -> None:
    path = lifecycle.FOLDER / name
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        path.write_text(lifecycle.PAGES[name]())
    assert path.read_text() == lifecycle.PAGES[name](), "run `python -m tools.lifecycle`"
