"""From the facts of a request to its answer, in order: what is meant, who asks, what it needs, what is done.

Synchronous, and without a framework: the server calls it on its threads, a test calls it directly.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel
from pydantic_core import to_json

from opendrs.api import body as bodies
from opendrs.api import iam, open_pages
from opendrs.api.auth import Authenticator
from opendrs.api.errors import document
from opendrs.api.operation import Answer as Result
from opendrs.api.operation import Call, File, Operation, discover
from opendrs.api.query import Query
from opendrs.api.routes import Routes
from opendrs.api.uploading import PART, Arriving, Uploads
from opendrs.control.asking import PATIENCE_S, Asking
from opendrs.errors import DrsError, Fault
from opendrs.signature import Call as Request
from opendrs.spec import OperationSpec, operations, other_paths
from opendrs.store.database import Store, StoreError, reason
from opendrs.store.sealing import Seal
from opendrs.telemetry import context

JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
BODY_MAX: Final = 12 << 20  # as the published gateway has it
REQUEST_ID: Final = "X-Request-Id"
IAM: Final = "/v3/"

log = logging.getLogger("opendrs.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back. `file`: instead of the body."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    file: File | None = None

    @property
    def length(self) -> int:
        """Bytes of what is sent."""
        return len(self.body) if self.file is None else self.file.size


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """`operation`: None as long as nothing answers it."""

    spec: OperationSpec
    operation: Operation | None
    name: str


Found = tuple[_Route, Mapping[str, str]]


class Gateway:
    """Answers requests. Any number of threads may ask at once."""

    def __init__(
        self,
        store: Store,
        seal: Seal,
        *,
        folder: Path,
        trouble: Callable[[], str] = str,
        patient: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """
        folder       of the service
        trouble      why no job can be worked at now; empty: all is well
        patient      a store that does not answer is an answer, too; else it is a StoreError
        patience_s   how long a request waits for a worker
        """
        self._store = store
        self._seal = seal
        self._folder = folder
        self.uploads = Uploads(folder)
        self._patient = patient
        self._patience_s = patience_s
        self._authenticator = Authenticator(store, seal)
        self._pages = open_pages.Pages(store, trouble)
        self._routes = _routes()
        glancing = store.glancing() if patient else None
        self._glancing: Gateway | None = None
        if glancing is not None:
            self._glancing = Gateway(glancing, seal, folder=folder, trouble=trouble, patient=False)

    def glance(self, request: Request) -> Answer | None:
        """The answer, if it can be had without waiting for anything; None: a thread has to be asked."""
        if self._glancing is None or request.method != "GET":
            return None
        route = self._routes.find(request.method, request.path)
        if route is None or route[0].operation is None or not route[0].operation.quick:
            return None
        try:
            return self._glancing.answer(request, route)
        except StoreError:
            return None  # somebody is in the way just now

    def upload_max(self, request: Request) -> int | None:
        """Bytes of the file that may come with a request; None: it is one of those that have none."""
        route = self._routes.find(request.method, request.path)
        return None if route is None or route[0].operation is None else route[0].operation.upload

    def answer(self, request: Request, route: Found | None = None, arrived: Arriving | None = None) -> Answer:
        """Whatever goes wrong is an answer, too.

        route     what is meant, if that is known already
        arrived   the body, if it is on disk; it is gone afterwards
        """
        request_id = str(uuid.uuid4())
        began = time.perf_counter()
        facts = _Facts(arrived=arrived)
        answer = self._guarded(request, route, facts, request_id)
        if arrived is not None:
            arrived.discard()
        if log.isEnabledFor(logging.INFO):
            took_ms = round((time.perf_counter() - began) * 1000, 1)
            told = {"request": request_id, "method": request.method, "path": request.path,
                    "operation": facts.operation, "status": answer.status, "ms": took_ms, "user": facts.user,
                    "code": facts.code}  # fmt: skip
            _tell({name: value for name, value in told.items() if value})
        return answer

    def _guarded(self, request: Request, route: Found | None, facts: _Facts, request_id: str) -> Answer:
        try:
            return self._answer(request, route, facts, request_id)
        except DrsError as error:
            fault = error
        except StoreError as error:
            if not self._patient:
                raise
            log.warning("the state store does not answer", extra=context("", reason=reason(error)))
            fault = DrsError(Fault.TOO_SLOW, reason="the state store does not answer")
        except Exception:
            log.exception("a request failed", extra=context("api.failed", request=request_id))
            fault = DrsError(Fault.INTERNAL, reason=f"the log of the service has the details (request {request_id})")
        facts.code = fault.code
        body = document(fault, request_id, header(request, "x-language"))
        return Answer(status=fault.fault.spec.status, body=as_json(body), headers={REQUEST_ID: request_id})

    def _answer(self, request: Request, route: Found | None, facts: _Facts, request_id: str) -> Answer:
        if route is None:
            plain = self._plain(request, facts, request_id)
            if plain is not None:
                return plain
            route = self._routes.find(request.method, request.path)
        if route is None:
            raise DrsError(Fault.API_UNKNOWN, method=request.method[:16], path=request.path[:256])
        target, values = route
        facts.operation = target.name
        caller = self._authenticator.authenticate(request, datetime.now(UTC))
        facts.user = caller.user_name
        if target.operation is None:
            raise DrsError(Fault.UNSUPPORTED, what=f"The operation {target.spec.name}{_why(target.spec)}")
        call = Call(
            asking=Asking(store=self._store, seal=self._seal, caller=caller, patience_s=self._patience_s),
            path=values,
            query=Query(request.query),
            language=header(request, "x-language"),
            folder=self._folder,
        )
        result = _performed(target.operation, call, request, facts.arrived)
        if isinstance(result, File):
            headers = {REQUEST_ID: request_id, "Content-Disposition": _attached(result.name)}
            return Answer(status=target.spec.status, content_type=BYTES, headers=headers, file=result)
        return Answer(status=target.spec.status, body=as_json(result), headers={REQUEST_ID: request_id})

    def _plain(self, request: Request, facts: _Facts, request_id: str) -> Answer | None:
        """What is no operation of DRS: the pages that anybody may read, and IAM. None: it is none of that."""
        page = self._pages.find(request)
        if page is not None:
            status, content_type, body = page
            return Answer(status=status, body=body, content_type=content_type, headers={REQUEST_ID: request_id})
        identity = self._identity(request, facts) if request.path.startswith(IAM) else None
        if identity is None:
            return None
        headers = {**identity.headers, REQUEST_ID: request_id}
        return Answer(status=identity.status, body=as_json(identity.body), headers=headers)

    def _identity(self, request: Request, facts: _Facts) -> iam.Answer | None:
        """What IAM answers for the published service; None: it is none of that."""
        now = datetime.now(UTC)
        match request.method, request.path.removesuffix("/"):
            case "POST", "/v3/auth/tokens":
                facts.operation = "iam.tokens"
                return iam.tokens(self._store, _parsed(request.body), now)
            case "GET", "/v3/projects" | "/v3/auth/projects":
                facts.operation = "iam.projects"
                caller = self._authenticator.authenticate(request, now)
                facts.user = caller.user_name
                return iam.projects(caller, Query(request.query).text("name"), request.path)
            case _:
                return None


@dataclass(slots=True)
class _Facts:
    """What is known of a request when it is over. `arrived`: its body, if that is on disk."""

    arrived: Arriving | None = None
    operation: str = ""
    user: str = ""
    code: str = ""


def _performed(operation: Operation, call: Call, request: Request, arrived: Arriving | None) -> Result:
    if operation.upload is not None:
        if arrived is None:
            raise DrsError(Fault.PARAMETER_EMPTY, name=PART)
        with arrived.file(header(request, "content-type")) as file:
            return operation.handle(call, file)
    if operation.body is None:
        return operation.handle(call)
    _demand_json(request)
    return operation.handle(call, bodies.read(request.body, operation.body))


def _attached(name: str) -> str:
    """How a file is to be saved; a name that is not ASCII stands there as RFC 6266 wants it."""
    if name.isascii():
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{quote(name)}"


def header(request: Request, name: str) -> str:
    """The first value; empty: there is none."""
    values = request.values(name)
    return values[0] if values else ""


def _parsed(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def _demand_json(request: Request) -> None:
    found = header(request, "content-type").partition(";")[0].strip().lower()
    if request.body and found and found != JSON and not found.endswith("+json"):
        raise DrsError(Fault.CONTENT_TYPE, found=found[:64])


def as_json(result: BaseModel | Mapping[str, Any] | Sequence[Any]) -> bytes:
    if isinstance(result, BaseModel):
        return result.model_dump_json(exclude_none=True).encode()
    return to_json(result)


def _tell(facts: Mapping[str, Any]) -> None:
    """A line for a request. Made by hand: `log.info` would look for the line of code that it stands in, each time."""
    told = log.makeRecord(log.name, logging.INFO, "", 0, "a request was answered", (), None, extra=context("", **facts))
    log.handle(told)


def _why(spec: OperationSpec) -> str:
    return f" ({spec.why})" if spec.why else ""


@cache
def _routes() -> Routes[_Route]:
    """Every operation of the contract has a route; some are answered."""
    answered = {(operation.version, operation.name): operation for operation in discover()}
    rows = []
    for spec in operations():
        name = f"{spec.version}.{spec.name}"
        route = _Route(spec=spec, operation=answered.pop((spec.version, spec.name), None), name=name)
        rows.append((spec.method, spec.path, route))
        if spec.path.startswith("/v5.1/") and not spec.path.endswith("/collect"):
            # People write v5 for it, where no other operation has that path.
            rows.append((spec.method, spec.path.replace("/v5.1/", "/v5/", 1), route))
        rows += [
            (spec.method, other.path, route)
            for other in other_paths()
            if (other.version, other.name) == (spec.version, spec.name)
        ]
    assert not answered, f"operations that the contract does not have: {sorted(answered)}"
    return Routes(rows)
