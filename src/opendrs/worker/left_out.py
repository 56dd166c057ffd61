"""What a job's policy leaves out of a change of the schema."""

from __future__ import annotations

from opendrs.model.ddl_policy import carried
from opendrs.model.event import SchemaChange
from opendrs.model.job import Job


def left_out(change: SchemaChange, job: Job) -> list[str]:
    """The kinds of it that the target does not get. A topic has no schema that could lack something: only a job that
    publishes statements can leave one out."""
    if job.target.engine == "kafka" and not job.policy.publishing.ddl_topic:
        return []
    kinds = [kind for alteration in change.alterations for kind in carried(alteration, job.policy)[1]]
    return list(dict.fromkeys(kinds))
