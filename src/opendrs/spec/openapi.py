"""The OpenAPI 3.1 document of the service, made from the contract.

Two components are made of a model that is both asked and answered: `v5.ask.X` takes what clients send (digits for
a number, for instance), `v5.answer.X` is what we send (numbers only, our extra fields, nothing that is never
answered). Known values are examples, because the sources name them by example and never whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from opendrs.spec.contract import SDK_VERSION, Field, OperationSpec, Parameter, Type, model, operations, parsed
from opendrs.spec.facts import absences, extras
from opendrs.spec.iam import PATHS as IAM_PATHS
from opendrs.spec.iam import TAG as IAM_TAG

Side = Literal["ask", "answer"]
Schema = dict[str, Any]

DIGITS: Final = r"^-?[0-9]+$"
SCALARS: Final[dict[str, Schema]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string"},
    "file": {"type": "string", "format": "binary"},
    "object": {},
}
ERROR: Final[Schema] = {
    "type": "object",
    "required": ["error_code", "error_msg"],
    "properties": {
        "error_code": {"type": "string", "minLength": 1},
        "error_msg": {"type": "string", "minLength": 1, "maxLength": 512},
        "request_id": {"type": "string", "description": "Beside codes that begin with APIGW."},
    },
    "additionalProperties": False,
}
SECURITY: Final[Schema] = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Token",
        "description": "What POST /v3/auth/tokens answers in the header X-Subject-Token.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "SDK-HMAC-SHA256 Access=..., SignedHeaders=..., Signature=...: the request signed with an "
        "access key and its secret, as the official SDKs do; the moment of signing is in X-Sdk-Date.",
    },
}


def document(server_url: str) -> Schema:
    """The whole document. `server_url` is the root of the service's host: the SDKs drop any path behind it."""
    components = _Components()
    paths: dict[str, Schema] = {path: dict(item) for path, item in IAM_PATHS.items()}
    for operation in operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, components)
    groups = dict.fromkeys(operation.group for operation in operations())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpenDRS",
            "version": SDK_VERSION,
            "description": "The HTTP API of Huawei Cloud DRS, v3 and v5, as its official SDK of this version has it.",
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": IAM_TAG}, *({"name": group} for group in groups)],
        "security": [{"token": []}, {"signature": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR, **components.schemas},
            "securitySchemes": SECURITY,
        },
    }


def _operation(operation: OperationSpec, components: _Components) -> Schema:
    made: Schema = {
        "operationId": f"{operation.version}.{operation.name}",
        "tags": [operation.group],
        "x-opendrs-state": operation.state,
        "parameters": [PROJECT, *(_parameter(parameter) for parameter in operation.parameters)],
        "responses": {
            str(operation.status): {"description": "Done, or accepted.", "content": _answer(operation, components)},
            "4XX": {"description": "Refused.", "content": ERROR_CONTENT},
            "5XX": {"description": "A fault of the service.", "content": ERROR_CONTENT},
        },
    }
    if operation.why:
        made["description"] = operation.why
    if operation.body is not None:
        kind = "multipart/form-data" if operation.multipart else "application/json"
        schema = components.of(operation.version, operation.body, "ask")
        made["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return made


ERROR_CONTENT: Final[Schema] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
PROJECT: Final[Schema] = {"name": "project_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _answer(operation: OperationSpec, components: _Components) -> Schema:
    if operation.stream:
        return {"application/octet-stream": {"schema": SCALARS["file"]}}
    answer = model(operation.version, operation.response)
    kind = parsed(answer.name) if answer.whole is None else answer.whole.type
    return {"application/json": {"schema": components.of(operation.version, kind, "answer")}}


def _parameter(parameter: Parameter) -> Schema:
    field = parameter.field
    kind = field.type if field.type.of is None else field.type.of
    schema = SCALARS[kind.kind] | _known(field) | _limits(field)
    made = {"name": field.name, "in": parameter.place, "required": field.required and field.name != "X-Language"}
    if field.type.kind == "list":  # repeated keys are what the SDK sends; csv is read as well
        return made | {"style": "form", "explode": True, "schema": {"type": "array", "items": schema}}
    return made | {"schema": schema}


def _known(field: Field) -> Schema:
    """The known values, as examples: of the items, if the field is a list."""
    return {"examples": list(field.values)} if field.values else {}


def _limits(field: Field) -> Schema:
    """What is known beyond the type. A range of a number in a string cannot be said in JSON Schema."""
    return dict(_limit_pairs(field))


def _limit_pairs(field: Field) -> Iterator[tuple[str, Any]]:
    if field.default is not None:
        yield "default", field.default
    if field.range is not None and field.type.kind == "int":
        yield "minimum", field.range[0]
        yield "maximum", field.range[1]
    elif field.range is not None:
        yield "x-range", list(field.range)
    if field.length is not None:
        words = ("minItems", "maxItems") if field.type.kind == "list" else ("minLength", "maxLength")
        yield from zip(words, field.length, strict=True)


class _Components:
    """The schemas of models, made as they are referred to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}

    def of(self, version: str, kind: Type, side: Side) -> Schema:
        """The schema of a type."""
        if kind.of is not None:
            inner = self.of(version, kind.of, side)
            if kind.kind == "list":
                return {"type": "array", "items": inner}
            return {"type": "object", "additionalProperties": inner}
        if kind.kind == "int" and side == "ask":
            return {"type": ["integer", "string"], "pattern": DIGITS}
        if kind.kind != "model":
            return dict(SCALARS[kind.kind])
        name = f"{version}.{side}.{kind.name}"
        if name not in self.schemas:
            self.schemas[name] = {}  # models hold themselves: the name has to be there before its fields are
            self.schemas[name] |= self._model(version, kind.name, side)
        return {"$ref": f"#/components/schemas/{name}"}

    def _model(self, version: str, name: str, side: Side) -> Schema:
        absent = {
            field for row in absences() if side == "answer" and (row.version, row.model) == (version, name)
            for field in row.fields
        }  # fmt: skip
        fields = [*model(version, name).fields, *_extra_fields(version, name)]
        required = [field.name for field in fields if field.required and field.name not in absent]
        properties = {field.name: self._property(version, field, side, field.name in required) for field in fields}
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def _property(self, version: str, field: Field, side: Side, required: bool) -> Schema:
        schema = self.of(version, field.type, side)
        if "$ref" not in schema:
            schema |= _limits(field)
            inner = schema["items"] if field.type.kind == "list" else schema
            inner |= {} if "$ref" in inner else _known(field)
        if side == "ask" or required or not schema:
            return schema
        return {"anyOf": [schema, {"type": "null"}]}  # an answer may say null for "nothing"


def _extra_fields(version: str, name: str) -> list[Field]:
    return [Field(row.field, parsed(row.type)) for row in extras() if (row.version, row.model) == (version, name)]
