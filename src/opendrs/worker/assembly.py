"""Puts together what a worker is told of a job of the service: its row, its sealed passwords, its certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from opendrs.model.action import Kind
from opendrs.model.endpoint import SIDES, Endpoint, Secret, Side
from opendrs.model.job import Job
from opendrs.model.sealed import about_password, password_name
from opendrs.store import actions, jobs
from opendrs.store.database import Store
from opendrs.store.jobs import Head, JobRecord
from opendrs.store.sealing import Seal
from opendrs.worker.order import Options, Order
from opendrs.worker.timing import Timing


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
        return self.folder / "jobs" / job_id

    def make_folder(self, job_id: str) -> Path:
        """The folder of a job, made if need be, for nobody else to read. Raises OSError."""
        folder = self.folder_of(job_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def job_of(place: Place, record: JobRecord, sealed: Mapping[str, str]) -> Job:
    """The job with its passwords. Raises SEAL_BROKEN, OSError."""
    ends = {}
    for side in SIDES:
        url = record.source if side == "source" else record.target
        ends[side] = replace(Endpoint.parse(url), password=_password(place, record.id, side, sealed))
        authority = (record.facts or {}).get(f"{side}_ca")
        if authority:
            ends[side] = with_authority(place, record.id, side, ends[side], authority)
    return Job(
        id=record.id,
        source=ends["source"],
        target=ends["target"],
        task=record.task,
        selection=record.selection,
        policy=record.policy,
    )


def with_authority(place: Place, job_id: str, side: str, end: Endpoint, authority: str) -> Endpoint:
    """The endpoint with the certificate authority that its server must show, which drivers want as a file."""
    path = place.make_folder(job_id) / f"{side}_ca.pem"
    if not path.exists() or path.read_text() != authority:
        path.write_text(authority)
    return replace(end, options={**end.options, "tls_ca": str(path)})


def _password(place: Place, job_id: str, side: Side, sealed: Mapping[str, str]) -> Secret:
    found = sealed.get(password_name(side))
    return Secret(place.seal.open(found, about_password(job_id, side)) if found else "")


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
