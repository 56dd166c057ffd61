"""The table of prechecks of a Kafka target. docs/reference/prechecks.md is made from it.

Item names and groups are the published ones where there is one for the thing; the others are in their style.
"""

from __future__ import annotations

from typing import Final

from opendrs.engines.kafka import prechecks_looks as looks
from opendrs.engines.kafka.prechecks_looks import Objects, Server
from opendrs.model.precheck import LOG, Precheck

__all__ = ("CONNECTION", "OBJECTS", "SERVER", "Objects", "Server")

CONNECTION: Final[Precheck[Server]] = Precheck(
    item="dstDbConnection",
    group="network",
    side="target",
    looks_at="logging in at the brokers",
    why="nothing else can be looked at without",
    look=looks.connection,
)

SERVER: Final[tuple[Precheck[Server], ...]] = (
    CONNECTION,
    Precheck(
        item="dbSslConsistency",
        group="network",
        side="target",
        looks_at="TLS, if there is a password",
        why="PLAIN sends the password as it is",
        look=looks.encryption,
    ),
    Precheck(
        item="dstReplicationFactorCheck",
        group="db_params",
        side="target",
        looks_at="the number of brokers against replication_factor",
        why="a topic cannot have more replicas than there are brokers",
        look=looks.replication_factor,
    ),
    Precheck(
        item="dstTransactionTimeoutCheck",
        group="db_params",
        side="target",
        looks_at="transaction.max.timeout.ms",
        why="what takes longer cannot be one transaction",
        look=looks.transaction_timeout,
    ),
    Precheck(
        item="dstDbPrivilegesIsEnough",
        group="db_user_privilege",
        side="target",
        looks_at="taking a transactional id, by trying",
        why="only with transactions every change is told once",
        look=looks.transactions,
        unseen="FAILED",
    ),
    Precheck(
        item="dstCheckpointTopicCheck",
        group="db_target_status",
        side="target",
        looks_at="the topic in which the job keeps its own state: compacted, or to be made",
        why="position and messages are written in one transaction, so the position must be in Kafka as well",
        look=looks.checkpoint,
        unseen="FAILED",
    ),
)

OBJECTS: Final[tuple[Precheck[Objects], ...]] = (
    Precheck(
        item="dstTopicCheck",
        group="db_target_status",
        side="target",
        looks_at="the topics of all selected tables, and ddl_topic: there, or to be made",
        why="a topic that is missing stops the job at its first message",
        look=looks.topics,
        unseen="FAILED",
    ),
    Precheck(
        item="mappedNameCheck",
        group="db_object_conflict_check",
        side="target",
        looks_at="tables that arrive in one topic although each should have its own",
        why="characters that Kafka does not take in names become `_`",
        look=looks.names,
    ),
    Precheck(
        item="dstMaxAllowedPacketCheck",
        group="db_params",
        side="target",
        looks_at="max.message.bytes against the declared length of columns",
        why="a row that is larger than a message may be stops the job",
        look=looks.sizes,
    ),
    Precheck(
        item="dstTopicPrivilegesCheck",
        group="db_user_privilege",
        side="target",
        looks_at="what the account may do with topics that are there, as the brokers tell it",
        why="a message that may not be written stops the job",
        look=looks.topic_privileges,
    ),
    Precheck(
        item="dstInSyncReplicasCheck",
        group="db_params",
        side="target",
        looks_at="min.insync.replicas of topics with several replicas",
        why="with 1, a message counts as durable that one broker has",
        look=looks.in_sync,
    ),
    Precheck(
        item="dstDdlTopicCheck",
        group="db_params",
        side="target",
        looks_at="ddl_topic",
        why="TRUNCATE and DROP are statements: without them consumers keep rows that are gone",
        look=looks.statements,
        tasks=LOG,
    ),
)
