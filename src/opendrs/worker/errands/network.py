"""The connection test: logs in to each end, and says what is there. Ends that were given and answer are kept.

params   {"ends": [{"side", "url", "facts", "ca"}]}: as api.v5.execute_job_action writes them; none: those of the job
secrets  {"source": password, "target": password}: of those that were given with one
result   {"ends": [{"side", "ip", "success", "version", "code", "message"}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import SIDES, Endpoint, Secret, Side
from opendrs.model.lifecycle import ALLOWED, Verb
from opendrs.model.precheck import how_many
from opendrs.store import checkpoints, jobs
from opendrs.worker.assembly import with_authority
from opendrs.worker.errands import Errand, Result

APPLICATION = "opendrs/network/0"


def run(errand: Errand) -> Result:
    given = errand.action.params["ends"]
    own: list[tuple[Side, Endpoint]] = [("source", errand.job.source), ("target", errand.job.target)]
    tests = [_given(errand, end) for end in given] or own
    found = [_tested(side, endpoint) for side, endpoint in tests]
    for end, (side, endpoint), answer in zip(given, tests, found, strict=False):
        if answer["success"]:
            _keep(errand, side, endpoint, end)
    return {"ends": found}


def _given(errand: Errand, end: Mapping[str, Any]) -> tuple[Side, Endpoint]:
    """An end that came with the request; without a password it is the one the job has."""
    side = cast(Side, end["side"])
    known = errand.job.source if side == "source" else errand.job.target
    password = Secret(errand.secrets[side]) if side in errand.secrets else known.password
    endpoint = replace(Endpoint.parse(end["url"]), password=password)
    if end.get("ca"):
        endpoint = with_authority(errand.place, errand.job.id, f"test_{side}", endpoint, end["ca"])
    return side, endpoint


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


def _keep(errand: Errand, side: Side, endpoint: Endpoint, end: Mapping[str, Any]) -> None:
    """The job has this end from now on. One that has begun stays with the server it began with."""
    known = errand.job.source if side == "source" else errand.job.target
    place, job_id = errand.place, errand.job.id
    plain = replace(Endpoint.parse(end["url"]), password=endpoint.password)
    with place.store.write() as connection:
        record = jobs.find(connection, job_id)
        begun = checkpoints.load(connection, job_id) is not None
        if record is None:
            return
        if record.state not in ALLOWED[Verb.NETWORK]:
            reason = "it has been started meanwhile, and keeps the endpoints that it had"
            raise DrsError(Fault.WRONG_STATE, what="keeping the endpoints", state=record.state.value, reason=reason)
        if begun and plain.where != known.where:
            reason = f"the job has begun with {known.where}, and cannot go on with {plain.where}"
            raise DrsError(Fault.PARAMETER_INVALID, name="endpoints", reason=reason)
        facts = dict(record.facts or {})
        facts[f"{side}_endpoint"] = end["facts"]
        if end.get("ca"):
            facts[f"{side}_ca"] = end["ca"]
        else:
            facts.pop(f"{side}_ca", None)
        others = [text for other in SIDES for text in jobs.places_of(facts.get(f"{other}_endpoint"))]
        changed = str(plain) != (record.source if side == "source" else record.target)
        jobs.change(connection, job_id, prechecked=changed, facts=facts, places=tuple(others), **{side: str(plain)})
        jobs.keep_password(connection, place.seal, job_id, side, endpoint.password)
