"""Files of objects: taken here, read by a worker, looked up here.

A job keeps the last file of each kind of import, and what was made of it, in its folder: `imports/KIND-ID`, with the
id of the action. Of an import that changes what is replicated, the worker asks for a saving as `update_job` does, and
the import is over when that is.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import Connection

from opendrs.control.asking import Asking, demand, job_head, link, locked, refused, shown
from opendrs.control.configuring import demand_savable
from opendrs.errors import DrsError, Fault
from opendrs.model.action import SAVINGS, Action, Kind, Status
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Verb
from opendrs.model.links import Link
from opendrs.settings import job_folder
from opendrs.store import actions
from opendrs.store.jobs import Head
from opendrs.templates.files import HEAD_BYTES, kind_of
from opendrs.templates.files import Kind as FileKind
from opendrs.templates.layout import NOT_TAKEN, Level, Mapping
from opendrs.templates.unreadable import Unreadable

FOLDER: Final = "imports"
RESULT: Final = "result.zip"
KINDS: Final[dict[Level, Kind]] = {
    "database": Kind.IMPORT,
    "table": Kind.IMPORT,
    "column": Kind.IMPORT_COLUMNS,
    "compare_key": Kind.IMPORT_KEYS,
}
Word = Literal["pending", "failed", "success"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a client has sent. Whoever keeps it moves it away from `path`.

    name   as the client has it, without folders
    """

    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Import:
    """An import, and how the saving stands that came of it, if one."""

    action: Action
    saving: tuple[Status, Failure | None] | None

    @property
    def status(self) -> Word:
        if self.action.status == "success" and self.saving is not None:
            return _word(self.saving[0])
        return _word(self.action.status)

    @property
    def failure(self) -> Failure | None:
        return self.action.failure or (self.saving[1] if self.saving else None)

    @property
    def rows(self) -> int:
        """How many were read, and are good."""
        return int((self.action.result or {}).get("rows", 0))


def _word(status: Status) -> Word:
    match status:
        case "success":
            return "success"
        case "failed":
            return "failed"
        case _:
            return "pending"


def demand_level(link: Link, level: Level, mapping: Mapping | None = None) -> None:
    """Raises UNSUPPORTED, PARAMETER_INVALID for what cannot be imported in a flow."""
    if level in NOT_TAKEN:
        raise DrsError(Fault.UNSUPPORTED, what=f"Importing at the level {level} ({NOT_TAKEN[level]})")
    if level == "compare_key" and link.target == "kafka":
        raise DrsError(Fault.UNSUPPORTED, what="Comparing what is in Kafka, and importing keys for it,")
    if mapping == "topic_mapping" and link.target != "kafka":
        reason = f"{link.engine_type} has no topics"
        raise DrsError(Fault.PARAMETER_INVALID, name="file_import_mapping_type", reason=reason)


def take(
    asking: Asking, folder: Path, job_id: str, level: Level, mapping: Mapping | None, file: Upload
) -> tuple[str, Head]:
    """Keeps a file, and asks for it to be read; the id of the import.

    folder   of the service
    Raises FILE_REFUSED, WRONG_STATE, UNSUPPORTED, PARAMETER_INVALID.
    """
    with asking.store.read() as connection:
        flow = link(job_head(asking, connection, job_id))
    demand_level(flow, level, mapping)
    ending = _kind_of(file, flow)
    kind = KINDS[level]
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        _demand_possible(connection, head, kind)
        params = {"level": level, "mapping": mapping, "file": file.name, "kind": ending}
        key = actions.ask(
            connection, job_id, kind, asking.caller.user_name, revision=head.revision, status="waiting", params=params
        )
        # A job whose folder goes is in another state first, and that must wait for the end of this transaction.
        others = list(_imports(folder, job_id).glob(f"{kind.value}-*"))
        place = place_of(folder, job_id, kind, key)
        place.mkdir(parents=True, mode=0o700)
        file.path.replace(upload_in(place, ending))
    for other in others:
        shutil.rmtree(other, ignore_errors=True)
    return key, head


def _kind_of(file: Upload, flow: Link) -> FileKind:
    with file.path.open("rb") as content:
        head = content.read(HEAD_BYTES)
    try:
        return kind_of(file.name, file.size, head, flow.files)
    except Unreadable as error:
        raise DrsError(Fault.FILE_REFUSED, file=shown(file.name), reason=error) from None


def _demand_possible(connection: Connection, head: Head, kind: Kind) -> None:
    if kind in SAVINGS:
        demand_savable(connection, head)
        return
    demand(head, Verb.COLLECT, "importing keys")
    if actions.pending(connection, head.id, {kind}):
        raise refused(head, "importing keys", "another import of keys is not over yet")


def place_of(folder: Path, job_id: str, kind: Kind, key: str) -> Path:
    """Where the file of an import is, and what is made of it."""
    return _imports(folder, job_id) / f"{kind.value}-{key}"


def _imports(folder: Path, job_id: str) -> Path:
    return job_folder(folder, job_id) / FOLDER


def upload_in(place: Path, kind: FileKind) -> Path:
    return place / f"upload.{kind}"


def latest(asking: Asking, job_id: str, kinds: tuple[Kind, ...]) -> Import | None:
    """The last import of these kinds; None: there was none."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        found = [action for kind in kinds if (action := actions.latest(connection, head.id, kind)) is not None]
        if not found:
            return None
        newest = max(found, key=lambda action: action.asked_at)
        saving = (newest.result or {}).get("saving")
        return Import(newest, actions.outcome(connection, head.id, saving) if saving else None)


def result(asking: Asking, folder: Path, job_id: str, kind: Kind) -> tuple[str, Path]:
    """The archive with the last file of a kind and what is wrong with it: under which name, and where.

    Raises RESULT_MISSING.
    """
    found = latest(asking, job_id, (kind,))
    if found is None:
        raise missing("no file has been uploaded")
    if found.status == "pending":
        raise missing("the file is still being read")
    archive = place_of(folder, job_id, kind, found.action.id) / RESULT
    if not archive.exists():
        failure = found.failure
        raise missing(failure.message if failure else "it is not there any more: upload it again")
    stem = str(found.action.params["file"]).rpartition(".")[0]
    return f"{stem}.zip", archive


def missing(reason: Any) -> DrsError:
    return DrsError(Fault.RESULT_MISSING, reason=reason)
