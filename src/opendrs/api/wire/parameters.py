"""Tunable parameters, as both versions of the API show them."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call
from opendrs.control.asking import job_head, link
from opendrs.control.steering import current_policy
from opendrs.errors import Fault
from opendrs.model.job import Policy
from opendrs.model.parameters import GROUPS, Parameter, parameters_of


def of_job(call: Call, *, missing: Fault) -> tuple[Policy, tuple[Parameter, ...]]:
    """The parameters of a job, and the policy that they are set in."""
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id, missing=missing)
        return current_policy(connection, head), parameters_of(link(head).target)


def tuning(call: Call) -> dict[str, list[dict[str, Any]]]:
    """TuningParameter of each, by group."""
    policy, known = of_job(call, missing=Fault.JOB_INFO_NOT_FOUND)
    return {
        group: [
            {
                "param_name": one.name,
                "param_value": one.value(policy),
                "availability": "true",
                "range": one.kind.range,
            }
            for one in known
            if group in one.groups
        ]
        for group in GROUPS
    }
