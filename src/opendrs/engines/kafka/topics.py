"""Which topic the changes of a table go to, and that it exists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from opendrs.engines.kafka.connect import Client
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.publishing import ONE_TOPIC, VARIABLES, Publishing, legal
from opendrs.model.selection import Selection

NAME_MAX: Final = 249
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9._-]")
_VARIABLE: Final = re.compile("|".join(map(re.escape, VARIABLES)))
CHECKPOINT_PREFIX: Final = "_opendrs."


def topic_of(name: TableName, publishing: Publishing, selection: Selection) -> str:
    """The topic of a table: the one that it was mapped to, or as the policy names it. Characters that Kafka does not
    take in a name become `_`."""
    mapped = selection.topic(name)
    if mapped:
        return mapped
    if publishing.topic_policy == ONE_TOPIC:
        return publishing.topic
    values = {"$database$": name.schema, "$schema$": name.schema, "$tablename$": name.table}
    text = _VARIABLE.sub(lambda found: values[found[0]], publishing.name_format)
    topic = _ILLEGAL.sub("_", text)[:NAME_MAX]
    return topic if legal(topic) else topic.replace(".", "_")


def checkpoint_topic(job: str, publishing: Publishing) -> str:
    return publishing.checkpoint_topic or f"{CHECKPOINT_PREFIX}{job}"


def ensure(client: Client, names: Iterable[str], publishing: Publishing) -> None:
    """Makes the topics that are not there. Raises TOPIC_MISSING."""
    missing = sorted(set(names) - client.topics().keys())
    for name in missing:
        try:
            client.create(name, partitions=publishing.partitions, replicas=publishing.replication_factor, config={})
        except DrsError as error:
            if error.fault in (Fault.PRIVILEGE_MISSING, Fault.TARGET_REFUSED):
                raise DrsError(Fault.TOPIC_MISSING, topic=name, reason=error.message) from error
            raise
