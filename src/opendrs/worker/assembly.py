"""Puts together what a worker is told of a job of the service: its row, its sealed passwords, its certificates."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from opendrs.model.action import Kind
from opendrs.model.endpoint import SIDES, Endpoint, Secret, Side
from opendrs.model.job import Job
from opendrs.model.sealed import about_secret, key_name, password_name
from opendrs.settings import job_folder
from opendrs.store import actions, jobs
from opendrs.store.database import Store
from opendrs.store.jobs import Head, JobRecord
from opendrs.store.sealing import Seal
from opendrs.worker.order import Options, Order
from opendrs.worker.timing import Timing

# Options of an endpoint, by the names of the files that they name.
OPTIONS: Final = {"ca": "tls_ca", "certificate": "tls_cert", "key": "tls_key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where jobs are worked at.

    folder   what belongs to a job and is no row stands in `jobs/ID` of it
    timing   of the workers; tests give other values
    """

    store: Store
    seal: Seal
    folder: Path
    timing: Timing = field(default_factory=Timing)

    def folder_of(self, job_id: str) -> Path:
        return job_folder(self.folder, job_id)

    def make_folder(self, job_id: str) -> Path:
        """The folder of a job, made if need be, for nobody else to read. Raises OSError."""
        folder = self.folder_of(job_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def job_of(place: Place, record: JobRecord, sealed: Mapping[str, str]) -> Job:
    """The job with its passwords; its certificates and keys are in its folder. Raises SEAL_BROKEN, OSError."""
    ends = {}
    for side in SIDES:
        url = record.source if side == "source" else record.target
        password, key = (_opened(place, record.id, name(side), sealed) for name in (password_name, key_name))
        end = replace(Endpoint.parse(url), password=password)
        if side == "target" and record.selection.root:
            end = replace(end, database=record.selection.root)
        ends[side] = with_files(place.folder_of(record.id), side, end, record.facts or {}, key)
    return Job(
        id=record.id,
        source=ends["source"],
        target=ends["target"],
        task=record.task,
        selection=record.selection,
        policy=record.policy,
    )


def with_files(folder: Path, side: Side, end: Endpoint, certificates: Mapping[str, str], key: Secret) -> Endpoint:
    """The endpoint with what drivers want as files: the authority that its server must show, and who we are.

    folder         where they are put, and others that were there before are not left
    certificates   by the names under which a job keeps them: `target_ca`, `target_certificate`
    """
    texts = {"ca": certificates.get(f"{side}_ca"), "certificate": certificates.get(f"{side}_certificate")}
    texts["key"] = key.reveal()
    options = dict(end.options)
    for name, text in texts.items():
        path = folder / f"{side}_{name}.pem"
        if not text:
            path.unlink(missing_ok=True)
            continue
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, text)
        options[OPTIONS[name]] = str(path)
    return replace(end, options=options)


def _write(path: Path, text: str) -> None:
    """Whole, whoever reads it meanwhile; for nobody else to read."""
    if path.exists() and path.read_text() == text:
        return
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with the mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _opened(place: Place, job_id: str, name: str, sealed: Mapping[str, str]) -> Secret:
    found = sealed.get(name)
    return Secret(place.seal.open(found, about_secret(job_id, name)) if found else "")


def resting_order(place: Place, head: Head) -> Order:
    """The order for pausing whatever worker there is: no secret is needed for that, and nothing else that may be
    missing."""
    nowhere = Endpoint(engine="mysql", host="", port=0, user="")
    job = Job(id=head.id, source=nowhere, target=nowhere, task=head.task)
    return Order(job=job, state=place.store.url, folder=place.folder_of(head.id), timing=place.timing)


def order_of(place: Place, job_id: str) -> Order | None:
    """The order for a worker of the job; None: it is no longer there. Raises SEAL_BROKEN, OSError."""
    with place.store.read() as connection:
        record = jobs.find(connection, job_id)
        sealed = jobs.sealed_secrets(connection, job_id)
        resets = bool(actions.pending(connection, job_id, {Kind.RESET}))
    if record is None:
        return None
    return Order(
        job=job_of(place, record, sealed),
        state=place.store.url,
        folder=place.make_folder(job_id),
        options=Options(reset=resets),
        timing=place.timing,
    )
