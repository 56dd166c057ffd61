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
from typing import Any, Final

from pydantic import BaseModel

from opendrs.api import body as bodies
from opendrs.api import iam, open_pages
from opendrs.api.auth import Authenticator, Facts
from opendrs.api.errors import document
from opendrs.api.operation import Call, Operation, discover
from opendrs.api.query import Query
from opendrs.api.routes import Routes
from opendrs.control.asking import Asking
from opendrs.errors import DrsError, Fault
from opendrs.spec import OperationSpec, operations
from opendrs.store.database import Store, StoreError, reason
from opendrs.store.sealing import Seal
from opendrs.telemetry import context

JSON: Final = "application/json"
BODY_MAX: Final = 12 << 20  # as the published gateway has it
REQUEST_ID: Final = "X-Request-Id"

log = logging.getLogger("opendrs.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """`operation`: None as long as nothing answers it."""

    spec: OperationSpec
    operation: Operation | None


class Gateway:
    """Answers requests. Any number of threads may ask at once."""

    def __init__(self, store: Store, seal: Seal, *, trouble: Callable[[], str] = str) -> None:
        """trouble: why no job can be worked at now; empty: all is well."""
        self._store = store
        self._seal = seal
        self._authenticator = Authenticator(store, seal)
        self._iam = iam.Iam(store, self._authenticator)
        self._pages = open_pages.Pages(store, trouble)
        self._routes = _routes()

    def answer(self, facts: Facts) -> Answer:
        """Never raises: whatever goes wrong is an answer, too."""
        request_id = str(uuid.uuid4())
        began = time.perf_counter()
        found = _Found()
        answer = self._guarded(facts, found, request_id)
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        told = {"request": request_id, "method": facts.method, "path": facts.path, "operation": found.operation,
                "status": answer.status, "ms": took_ms, "user": found.user, "code": found.code}  # fmt: skip
        log.info("a request was answered", extra=context("", **{k: v for k, v in told.items() if v}))
        return Answer(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers={**answer.headers, REQUEST_ID: request_id},
        )

    def _guarded(self, facts: Facts, found: _Found, request_id: str) -> Answer:
        try:
            return self._answer(facts, found)
        except DrsError as error:
            fault = error
        except StoreError as error:
            log.warning("the state store does not answer", extra=context("", reason=reason(error)))
            fault = DrsError(Fault.TOO_SLOW, reason="the state store does not answer")
        except Exception:
            log.exception("a request failed", extra=context("api.failed", request=request_id))
            fault = DrsError(Fault.INTERNAL, reason=f"the log of the service has the details (request {request_id})")
        found.code = fault.code
        body = document(fault, request_id, facts.header("x-language"))
        return Answer(status=fault.fault.spec.status, body=as_json(body))

    def _answer(self, facts: Facts, found: _Found) -> Answer:
        page = self._pages.find(facts)
        if page is not None:
            status, content_type, body = page
            return Answer(status=status, body=body, content_type=content_type)
        identity = self._iam.find(facts)
        if identity is not None:
            status, headers, document_ = identity
            return Answer(status=status, body=as_json(document_), headers=headers)
        route = self._routes.find(facts.method, facts.path)
        if route is None:
            raise DrsError(Fault.API_UNKNOWN, method=facts.method[:16], path=facts.path[:256])
        target, values = route
        found.operation = f"{target.spec.version}.{target.spec.name}"
        caller = self._authenticator.authenticate(facts, project_id=values.get("project_id"))
        found.user = caller.user_name
        if target.operation is None:
            raise DrsError(Fault.UNSUPPORTED, what=f"The operation {target.spec.name}{_why(target.spec)}")
        call = Call(
            asking=Asking(store=self._store, seal=self._seal, caller=caller),
            path=values,
            query=Query(facts.query),
            language=facts.header("x-language"),
        )
        return _performed(target, target.operation, call, facts)


@dataclass(slots=True)
class _Found:
    """What is known of a request when it is over."""

    operation: str = ""
    user: str = ""
    code: str = ""


def _performed(route: _Route, operation: Operation, call: Call, facts: Facts) -> Answer:
    if operation.body is None:
        result = operation.handle(call)
    else:
        _demand_json(facts)
        result = operation.handle(call, bodies.read(facts.body, operation.body))
    return Answer(status=route.spec.status, body=as_json(result))


def _demand_json(facts: Facts) -> None:
    found = facts.header("content-type").partition(";")[0].strip().lower()
    if facts.body and found and found != JSON and not found.endswith("+json"):
        raise DrsError(Fault.CONTENT_TYPE, found=found[:64])


def as_json(result: BaseModel | Mapping[str, Any] | Sequence[Any]) -> bytes:
    if isinstance(result, BaseModel):
        return result.model_dump_json(exclude_none=True).encode()
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _why(spec: OperationSpec) -> str:
    return f" ({spec.why})" if spec.why else ""


def _routes() -> Routes[_Route]:
    """Every operation of the contract has a route; some are answered."""
    answered = {(operation.version, operation.name): operation for operation in discover()}
    rows = []
    for spec in operations():
        route = _Route(spec=spec, operation=answered.pop((spec.version, spec.name), None))
        rows.append((spec.method, spec.path, route))
        if spec.path.startswith("/v5.1/") and not spec.path.endswith("/collect"):
            # People write v5 for it, where no other operation has that path.
            rows.append((spec.method, spec.path.replace("/v5.1/", "/v5/", 1), route))
    assert not answered, f"operations that the contract does not have: {sorted(answered)}"
    return Routes(rows)
