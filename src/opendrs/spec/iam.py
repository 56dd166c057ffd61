"""The three calls of the identity service that clients of DRS make first, as OpenAPI path items."""

from __future__ import annotations

from typing import Any, Final

TAG: Final = "Identity"

_NAMED: Final = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
_USER: Final = {
    "type": "object",
    "required": ["name", "password", "domain"],
    "properties": {"name": {"type": "string"}, "password": {"type": "string", "format": "password"}, "domain": _NAMED},
}
_PASSWORD: Final = {"type": "object", "required": ["user"], "properties": {"user": _USER}}
_IDENTITY: Final = {
    "type": "object",
    "required": ["methods", "password"],
    "properties": {
        "methods": {"type": "array", "items": {"type": "string"}, "examples": [["password"]]},
        "password": _PASSWORD,
    },
}
_AUTH: Final = {
    "type": "object",
    "required": ["identity"],
    "properties": {
        "identity": _IDENTITY,
        "scope": {"type": "object", "properties": {"project": _NAMED, "domain": _NAMED}},
    },
}
_TOKEN: Final = {
    "type": "object",
    "required": ["expires_at", "issued_at", "methods", "project", "user"],
    "properties": {
        "expires_at": {"type": "string"},
        "issued_at": {"type": "string"},
        "methods": {"type": "array", "items": {"type": "string"}},
        "project": _NAMED,
        "user": _NAMED,
    },
}
_PROJECT: Final = {**_NAMED, "required": ["id", "name"]}
_PROJECTS: Final = {
    "type": "object",
    "required": ["projects"],
    "properties": {"projects": {"type": "array", "items": _PROJECT}},
}
# A refusal in Keystone's shape has that of the other operations beside it.
_REFUSED: Final = {
    "description": "Refused.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error_code", "error_msg"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["code", "message", "title"],
                        "properties": {
                            "code": {"type": "integer"},
                            "message": {"type": "string"},
                            "title": {"type": "string"},
                        },
                    },
                    "error_code": {"type": "string", "minLength": 1},
                    "error_msg": {"type": "string", "minLength": 1, "maxLength": 512},
                    "request_id": {"type": "string"},
                },
                "additionalProperties": False,
            }
        }
    },
}


def _wrapped(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: schema}}


def _projects(name: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    answer = {"description": "The projects of the account.", "content": {"application/json": {"schema": _PROJECTS}}}
    return {
        "operationId": f"iam.{name}",
        "tags": [TAG],
        "x-opendrs-state": "done",
        "parameters": parameters,
        "responses": {"200": answer, "4XX": _REFUSED},
    }


PATHS: Final[dict[str, dict[str, Any]]] = {
    "/v3/auth/tokens": {
        "post": {
            "operationId": "iam.create_token",
            "tags": [TAG],
            "x-opendrs-state": "done",
            "security": [],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _wrapped("auth", _AUTH)}},
            },
            "responses": {
                "201": {
                    "description": "The token is in the header.",
                    "headers": {"X-Subject-Token": {"required": True, "schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": _wrapped("token", _TOKEN)}},
                },
                "4XX": _REFUSED,
            },
        }
    },
    "/v3/projects": {
        "get": _projects("list_projects", [{"name": "name", "in": "query", "schema": {"type": "string"}}])
    },
    "/v3/auth/projects": {"get": _projects("list_own_projects", [])},
}
