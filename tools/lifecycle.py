"""Writes docs/reference/lifecycle.md and docs/reference/errors.md from their tables: `python -m tools.lifecycle`.

A test fails when a page is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from opendrs.errors import Fault
from opendrs.model.lifecycle import ALLOWED, MOVES, State, Verb

FOLDER: Final = Path(__file__).parents[1] / "docs/reference"

MEANINGS: Final[dict[State, str]] = {
    State.CREATING: "it was asked for, and is being built",
    State.CREATE_FAILED: "it could not be built",
    State.CONFIGURATION: "it is being configured",
    State.SCHEDULED: "it starts by itself at its time",
    State.STARTING: "a worker is being started for it",
    State.START_FAILED: "it could not begin",
    State.FULL: "its tables are being loaded",
    State.FULL_FAILED: "the load has failed",
    State.FULL_DONE: "the load is over",
    State.INCREMENTAL: "it follows the log",
    State.INCREMENTAL_FAILED: "it cannot follow, or has not reached a server for long",
    State.PAUSED: "it is paused (the published word means that, not that it is being paused)",
    State.RELEASING: "it is being ended",
    State.RELEASE_FAILED: "it could not be ended",
    State.RELEASED: "it has ended; nothing of ours is left in its target but the rows",
}
CALLS: Final[dict[Verb, str]] = {
    Verb.NETWORK: "action `network`",
    Verb.PRECHECK: "action `precheck`",
    Verb.OBJECTS: "update_job, type `db_object`; upload_db_object_template",
    Verb.POLICY: "update_job, type `policy`",
    Verb.PARAMETERS: "update_job_configurations, update_tuning_params",
    Verb.SPEED: "batch_set_speed",
    Verb.COLLECT: "collect_db_objects_async",
    Verb.START: "action `start`",
    Verb.STOP: "action `stop` (pause)",
    Verb.RESTART: "action `restart` (resume)",
    Verb.RESET: "action `reset`",
    Verb.TERMINATE: "action `terminate`, stop_job_action",
    Verb.DELETE: "delete_job",
}


def lifecycle() -> str:
    """The page of states, moves and what may be asked when."""
    lines = [
        "# The life of a job",
        "",
        "<!-- Made by `python -m tools.lifecycle` from src/opendrs/model/lifecycle.py. Do not edit. -->",
        "",
        "Every change of a state, whoever makes it, is one of these moves. `show_actions` tells of a job what is",
        "allowed now; a call that is not allowed answers `DRS.M00304` and changes nothing.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> CREATING",
    ]
    for trigger, (sources, target) in MOVES.items():
        lines += [f"    {state} --> {target}: {trigger}" for state in State if state in sources and state is not target]
    lines += ["    CREATE_FAILED --> [*]: delete", "    RELEASE_RESOURCE_COMPLETE --> [*]: delete", "```", ""]
    lines += ["| state | what it means |", "|---|---|"]
    lines += [f"| {state} | {meaning} |" for state, meaning in MEANINGS.items()]
    lines += ["", "| call | allowed in |", "|---|---|"]
    for verb, call in CALLS.items():
        lines.append(f"| {call} | {', '.join(state for state in State if state in ALLOWED[verb])} |")
    lines += [
        "",
        "`start` and `reset` also want prechecks that have passed at 100 %, made after the last change of endpoints,",
        "objects or policy. A job of `opendrs run` has the states from STARTJOBING to PAUSING.",
        "",
    ]
    return "\n".join(lines)


def errors() -> str:
    """The page of faults."""
    lines = [
        "# Errors",
        "",
        "<!-- Made by `python -m tools.lifecycle` from src/opendrs/errors.py. Do not edit. -->",
        "",
        'Every refusal of the API is `{"error_code": ..., "error_msg": ...}` with the status of its code, and every',
        "failure of a job has one of these codes. `error_msg` is the message and what to do about it, cut at 512",
        "characters; `X-Language: zh-cn` asks for Chinese. Codes DRS.1005xxxx are ours, in the published shape.",
        "",
        "*again*: whether trying the same again may help: by itself after a while (later), as soon as somebody answers",
        "(network), or not (never).",
        "",
        "| code | status | message | what to do | again |",
        "|---|---|---|---|---|",
    ]
    for fault in sorted(Fault, key=lambda fault: (fault.spec.code, fault.name)):
        code, status, text, hint, retry = fault.spec
        shown = text.replace("|", "\\|").replace("{", "‹").replace("}", "›")
        lines.append(f"| {code} | {status} | {shown} | {hint} | {retry} |")
    return "\n".join([*lines, ""])


PAGES: Final = {"lifecycle.md": lifecycle, "errors.md": errors}


def main() -> None:
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())


if __name__ == "__main__":
    main()
