"""The connection test: logs in to each end, and says what is there. Ends that were given and answer are kept.

params   {"ends": [{"side", "url", "facts", "certificates"}]}: as api.v5.execute_job_action writes them; none: those of
         the job
secrets  {"source_password", "target_key", ...}: of those that were given with one, by the names of model.sealed
result   {"ends": [{"side", "ip", "success", "version", "code", "message"}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import SIDES, Endpoint, Secret, Side
from opendrs.model.lifecycle import ALLOWED, Verb
from opendrs.model.precheck import how_many
from opendrs.model.sealed import key_name, password_name
from opendrs.store import checkpoints, jobs
from opendrs.worker.assembly import with_files
from opendrs.worker.errands import Errand, Result

APPLICATION = "opendrs/network/0"


def run(errand: Errand) -> Result:
    given = errand.action.params["ends"]
    own: list[tuple[Side, Endpoint]] = [("source", errand.job.source), ("target", errand.job.target)]
    with TemporaryDirectory(prefix="test.", dir=errand.place.make_folder(errand.job.id)) as folder:
        tests = [_given(errand, end, Path(folder)) for end in given] or own
        found = [_tested(side, endpoint) for side, endpoint in tests]
    for end, (side, endpoint), answer in zip(given, tests, found, strict=False):
        if answer["success"]:
            _keep(errand, side, endpoint.password, end)
    return {"ends": found}


def _given(errand: Errand, end: Mapping[str, Any], folder: Path) -> tuple[Side, Endpoint]:
    """An end that came with the request; without a password it is the one the job has."""
    side = cast(Side, end["side"])
    known = errand.job.source if side == "source" else errand.job.target
    endpoint = Endpoint.parse(end["url"])
    if endpoint.user:
        given = errand.secrets.get(password_name(side))
        endpoint = replace(endpoint, password=Secret(given) if given else known.password)
    return side, with_files(folder, side, endpoint, end["certificates"], _key(errand, side))


def _key(errand: Errand, side: Side) -> Secret:
    return Secret(errand.secrets.get(key_name(side), ""))


def _tested(side: Side, endpoint: Endpoint) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "side": side,
        "ip": endpoint.host,
        "success": True,
        "version": "",
        "code": "",
        "message": "",
    }
    try:
        return {**answer, "version": version(endpoint)}
    except DrsError as error:
        return {**answer, "success": False, "code": error.code, "message": f"{error.message}. {error.hint}"}


def version(endpoint: Endpoint) -> str:
    """Logs in, and asks the server what it is."""
    match endpoint.engine:
        case "mysql":
            from opendrs.engines.mysql.connect import Session as MysqlSession

            with MysqlSession(endpoint) as session:
                return session.value("SELECT VERSION()") or ""
        case "postgresql":
            from opendrs.engines.postgres.connect import Session as PostgresSession

            with PostgresSession(endpoint, APPLICATION) as session:
                return session.value("SHOW server_version") or ""
        case "kafka":
            from opendrs.engines.kafka.connect import Client

            with Client(endpoint) as client:
                return f"Kafka, {how_many(len(client.brokers()), 'broker')}"


def _keep(errand: Errand, side: Side, password: Secret, end: Mapping[str, Any]) -> None:
    """The job has this end from now on. One that has begun stays with the server it began with."""
    known = errand.job.source if side == "source" else errand.job.target
    place, job_id = errand.place, errand.job.id
    plain = replace(Endpoint.parse(end["url"]), password=password)
    with place.store.write() as connection:
        record = jobs.find(connection, job_id)
        begun = checkpoints.load(connection, job_id) is not None
        if record is None:
            return
        if record.state not in ALLOWED[Verb.NETWORK]:
            reason = "it has been started meanwhile, and keeps the endpoints that it had"
            raise DrsError(Fault.WRONG_STATE, what="keeping the endpoints", state=record.state.value, reason=reason)
        if begun and not _same_place(plain, known):
            reason = f"the job has begun with {known.where}, and cannot go on with {plain.where}"
            raise DrsError(Fault.PARAMETER_INVALID, name="endpoints", reason=reason)
        old = {f"{side}_ca", f"{side}_certificate"}
        facts = {name: fact for name, fact in (record.facts or {}).items() if name not in old}
        facts |= {f"{side}_endpoint": end["facts"], **end["certificates"]}
        places = [text for other in SIDES for text in jobs.places_of(facts.get(f"{other}_endpoint"))]
        changed = str(plain) != (record.source if side == "source" else record.target)
        jobs.change(connection, job_id, prechecked=changed, facts=facts, places=tuple(places), **{side: str(plain)})
        jobs.keep_secrets(connection, place.seal, job_id, side, password=password, key=_key(errand, side))


def _same_place(one: Endpoint, other: Endpoint) -> bool:
    """Brokers that know each other are one cluster, whichever of them are named."""
    if one.engine == other.engine == "kafka":
        return bool(_brokers(one) & _brokers(other))
    return one.where == other.where


def _brokers(endpoint: Endpoint) -> set[str]:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return {f"{host}:{endpoint.port}", *endpoint.options.get("brokers", "").split(",")} - {""}
