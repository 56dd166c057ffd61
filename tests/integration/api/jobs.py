"""Requests for jobs, as users of the SDK write them."""

from __future__ import annotations

from typing import Any

import huaweicloudsdkdrs.v5 as v5

from tests.harness.server import PASSWORD, USER, Server


def endpoint(
    role: str, server: Server | None = None, *, kind: str = "", database: str | None = None, **inner: Any
) -> v5.JobEndpointInfo:
    """One side of a job; without a server it is a place where nobody is."""
    kind = kind or ("mysql" if role == "so" else "postgresql")
    facts: dict[str, Any] = {
        "endpoint_name": kind,
        "ip": "127.0.0.1",
        "db_port": str(server.port if server else 1),
        "db_user": USER if server else "nobody",
        "db_password": PASSWORD if server else "nothing",
        "db_name": database or ("postgres" if role == "ta" else None),
        **inner,
    }
    base = v5.BaseEndpoint(**facts)
    return v5.JobEndpointInfo(db_type=kind, endpoint_type="offline", endpoint_role=role, endpoint=base)


def kafka(**inner: Any) -> v5.JobEndpointInfo:
    """A broker that is not there."""
    facts = {"db_port": None, "db_user": "", "db_password": "", "db_name": None, **inner}
    return endpoint("ta", kind="kafka", **facts)


def creation(
    name: str,
    source: v5.JobEndpointInfo | None = None,
    target: v5.JobEndpointInfo | None = None,
    **base: Any,
) -> v5.SingleCreateJobReq:
    facts: dict[str, Any] = {
        "name": name,
        "engine_type": "mysql-to-pgl",
        "job_type": "sync",
        "job_direction": "non-dbs",
        "net_type": "vpc",
        "task_type": "FULL_INCR_TRANS",
        **base,
    }
    job = v5.CreateJobReq(
        base_info=v5.JobBaseInfo(**facts),
        source_endpoint=[source or endpoint("so")],
        target_endpoint=[target or endpoint("ta")],
        node_info=v5.JobNodeInfo(spec=v5.JobNodeSpecInfo(node_type="micro")),
    )
    return v5.SingleCreateJobReq(job)


def chosen(database: str, *tables: str, target: str | None = None) -> v5.DbObject:
    """A database, or tables of it."""
    found = v5.DatabaseObject(
        name=target or database,
        all=not tables,
        tables={table: v5.TableObject(name=table, type="table") for table in tables} or None,
    )
    return v5.DbObject(object_scope="table" if tables else "database", object_info={database: found})
