"""The two ends of a job as a command line names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from opendrs.cli.passwords import with_password
from opendrs.cli.ruling import demand_fitting
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import SCHEMES, Endpoint, EngineName
from opendrs.model.job import Policy
from opendrs.model.publishing import URL_OPTIONS, Publishing, from_texts, legal
from opendrs.model.selection import Selection

# Fields of a policy that say how rows are made to fit a database, with the options that set them.
_OF_DATABASES = {
    "apply": "--apply", "invalid_dates": "--invalid-dates", "nul_in_text": "--nul-in-text", "indexes": "--no-index",
    "conflict": "--conflict", "topology": "--many-to-one",
}  # fmt: skip


def endpoint(url: str, side: Literal["SOURCE", "TARGET"]) -> Endpoint:
    """One side, with its password wherever that comes from. Raises ENDPOINT_INVALID."""
    return with_password(Endpoint.parse(url), f"OPENDRS_{side}_PASSWORD")


def target(url: str) -> tuple[Endpoint, Publishing]:
    """The target, and what a Kafka URL says of how changes are published. Raises ENDPOINT_INVALID,
    SETTING_INVALID."""
    place, _, query = url.partition("#")[0].partition("?")
    if SCHEMES.get(place.partition("://")[0].lower()) != "kafka":
        return endpoint(url, "TARGET"), Publishing()
    options = parse_qsl(query, keep_blank_values=True)
    connection = urlencode([one for one in options if one[0] not in URL_OPTIONS])
    end = endpoint(f"{place}?{connection}", "TARGET")
    return end, from_texts({name: value for name, value in options if name in URL_OPTIONS}, topic=end.database)


def topics(words: Sequence[str]) -> Mapping[TableName, str]:
    """`db=topic` and `db.table=topic` words as a mapping. Raises SETTING_INVALID."""
    found: dict[TableName, str] = {}
    for word in words:
        name, equals, topic = word.partition("=")
        schema, _, table = name.partition(".")
        if not (schema and equals and legal(topic)):
            reason = f"{word!r} is not DB=TOPIC or DB.TABLE=TOPIC with a topic that Kafka takes"
            raise DrsError(Fault.SETTING_INVALID, name="--topic", reason=reason)
        if TableName(schema, table) in found:
            raise DrsError(Fault.SETTING_INVALID, name="--topic", reason=f"{name!r} is mapped twice")
        found[TableName(schema, table)] = topic
    return found


def demand_sense(target: EngineName, selection: Selection, policy: Policy) -> None:
    """Raises SETTING_INVALID for options that mean nothing to such a target."""
    demand_fitting(target, selection)
    if target != "kafka":
        if selection.topics:
            raise DrsError(Fault.SETTING_INVALID, name="--topic", reason="the target is not Kafka")
        return
    if selection.schemas:
        reason = "messages keep the names of the source; topic_name_format and --topic say where they go"
        raise DrsError(Fault.SETTING_INVALID, name="--map", reason=reason)
    plain = Policy()
    for field, option in _OF_DATABASES.items():
        if getattr(policy, field) != getattr(plain, field):
            reason = "messages hold every value as it is, in the order of the log: it means nothing for Kafka"
            raise DrsError(Fault.SETTING_INVALID, name=option, reason=reason)
