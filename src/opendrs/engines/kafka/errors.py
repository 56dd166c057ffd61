"""What the Kafka clients report, as Faults. Two clients: the compiled producer, and confluent-kafka for the rest."""

from __future__ import annotations

import re
from typing import Final

from confluent_kafka import KafkaError as ClientError

from opendrs._core import KafkaError
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint

# Numbers of librdkafka and of Kafka (rd_kafka_resp_err_t), as confluent-kafka names them.
UNREACHABLE: Final = frozenset(
    {
        *(ClientError._TRANSPORT, ClientError._ALL_BROKERS_DOWN, ClientError._TIMED_OUT, ClientError._RESOLVE),
        *(ClientError.REQUEST_TIMED_OUT, ClientError.NETWORK_EXCEPTION, ClientError.COORDINATOR_NOT_AVAILABLE),
        *(ClientError.LEADER_NOT_AVAILABLE, ClientError.COORDINATOR_LOAD_IN_PROGRESS, ClientError.NOT_COORDINATOR),
        # While another broker becomes the leader.
        *(ClientError.NOT_LEADER_FOR_PARTITION, ClientError.OFFSET_NOT_AVAILABLE, ClientError.KAFKA_STORAGE_ERROR),
        *(ClientError.FENCED_LEADER_EPOCH, ClientError.UNKNOWN_LEADER_EPOCH),
    }
)
REFUSED_LOGIN: Final = frozenset(
    {ClientError._AUTHENTICATION, ClientError.SASL_AUTHENTICATION_FAILED, ClientError.UNSUPPORTED_SASL_MECHANISM}
)
UNAUTHORISED: Final = frozenset(
    {
        *(ClientError.TOPIC_AUTHORIZATION_FAILED, ClientError.GROUP_AUTHORIZATION_FAILED),
        *(ClientError.CLUSTER_AUTHORIZATION_FAILED, ClientError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
    }
)


# What the broker says of our certificate, or of there being none, comes as if the connection had broken; and so does
# what we say of its own, if it is found out while something is being written.
TLS: Final = re.compile(r"alert .*(certificate|unknown ca)|certificate verify failed|wrong version number")


def of_client(error: ClientError, endpoint: Endpoint, what: str, more: str = "") -> DrsError:
    """The Fault that a failure of administration or reading means; `what` says what was being done, `more` stands
    behind the reason."""
    where, reason = str(endpoint), error.str() + more
    code = error.code()
    if code == ClientError._SSL or (code in UNREACHABLE and TLS.search(reason)):
        return DrsError(Fault.ENDPOINT_INVALID, endpoint=where, reason=reason)
    if code in UNREACHABLE:
        return DrsError(Fault.TARGET_UNREACHABLE, endpoint=where, reason=reason)
    if code in REFUSED_LOGIN:
        return DrsError(Fault.ACCESS_DENIED, endpoint=where, reason=reason)
    if code in UNAUTHORISED:
        return DrsError(Fault.PRIVILEGE_MISSING, endpoint=where, what=what, reason=reason)
    return DrsError(Fault.TARGET_REFUSED, what=what, reason=reason)


def of_producer(error: KafkaError, endpoint: Endpoint, what: str, more: str = "") -> DrsError:
    """The Fault that a failure of the producer means; `more` stands behind the reason.

    That a newer producer has our transactional id is told as if nobody answered: whoever opens the target anew finds
    out who is the newer worker, for the epoch stands there; and a broker may have ended a transaction that took too
    long, which looks the same.
    """
    where, reason = str(endpoint), error.message + more
    if error.code == ClientError._SSL or (error.kind == "unavailable" and TLS.search(reason)):
        return DrsError(Fault.ENDPOINT_INVALID, endpoint=where, reason=reason)
    match error.kind:
        case "fenced" | "unavailable" | "aborted":
            return DrsError(Fault.TARGET_UNREACHABLE, endpoint=where, reason=reason)
        case "authentication":
            return DrsError(Fault.ACCESS_DENIED, endpoint=where, reason=reason)
        case "authorization":
            return DrsError(Fault.PRIVILEGE_MISSING, endpoint=where, what=what, reason=reason)
        case "too_large":
            return DrsError(Fault.MESSAGE_TOO_LARGE, table=_row(error), reason=reason)
        case "unknown_topic":
            return DrsError(Fault.TOPIC_MISSING, topic=error.topic or "", reason=reason)
        case "value":
            return DrsError(Fault.VALUE_UNREPRESENTABLE, table=_row(error), reason=reason)
        case "refused":
            return DrsError(Fault.TARGET_REFUSED, what=what, reason=reason)
        case _:
            return DrsError(Fault.INTERNAL, reason=f"Kafka producer: {error.kind}: {reason}")


def _row(error: KafkaError) -> str:
    """The table, or of a message whose table is not known the topic; and the key."""
    place = error.table or (f"the topic {error.topic}" if error.topic else "a table")
    return f"{place}, key {error.key}" if error.key else place
