"""The servers that everything is measured on, and how they are set up.

Durability is what replication targets commonly run with while they load: a commit is handed to the system, which
writes it to the disk within a second. Both sides have room for all data in memory, so that not the disk is measured.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.harness import Kafka, KafkaOptions, Options, Server, create, create_broker
from tests.harness.server import PASSWORD, USER, Settings

SOURCE: Final = "mariadb"
TARGET: Final = "postgres15"
TARGET_DATABASE: Final = "bench"
BROKER: Final = "kafka"

# The settings that say what a commit is worth; they are part of every report.
SOURCE_DURABILITY: Final[Settings] = {"innodb_flush_log_at_trx_commit": 2, "sync_binlog": 0}
TARGET_DURABILITY: Final[Settings] = {"fsync": "on", "synchronous_commit": "off", "full_page_writes": "on"}
# A broker's default is to leave it to the system when something gets to the disk: it relies on other brokers.
BROKER_DURABILITY: Final[Settings] = {"log.flush.interval.messages": 2**63 - 1}
BROKER_FLUSHES: Final[Settings] = {"log.flush.interval.messages": 1}
BROKER_HEAP_MIB: Final = 1024


def _buffers_mb() -> int:
    """For each server: a sixth of the machine's memory, at most 4 GiB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return min(4096, memory // 6)


def source_settings() -> Settings:
    return {
        **SOURCE_DURABILITY,
        "server_id": 11,
        "innodb_buffer_pool_size": f"{_buffers_mb()}M",
        "innodb_log_file_size": "1G",
        "innodb_flush_method": "O_DIRECT",
        "max_binlog_size": "1G",
        "sql_mode": "NO_ENGINE_SUBSTITUTION",
        "expire_logs_days": 0,
    }


def target_settings() -> Settings:
    return {
        **TARGET_DURABILITY,
        "shared_buffers": f"{_buffers_mb()}MB",
        "max_wal_size": "16GB",
        "min_wal_size": "2GB",
        "checkpoint_timeout": "30min",
        "maintenance_work_mem": "1GB",
        "work_mem": "64MB",
        "autovacuum": "off",
        # Keeps the moment of each commit: the clock that applying and latency are measured by.
        "track_commit_timestamp": "on",
    }


def source(data: Path) -> Server:
    return create(SOURCE, Options(settings=source_settings(), durable=True, data=data))


def target() -> Server:
    return create(TARGET, Options(settings=target_settings(), durable=True))


def broker() -> Kafka:
    """Alone, with all partitions and one replica of each; Java compiles for long runs."""
    return create_broker(BROKER, KafkaOptions(settings=BROKER_DURABILITY, sustained=True, heap_mib=BROKER_HEAP_MIB))


def source_environment(source: Server, database: str = "") -> dict[str, str]:
    """How the references log in at the source: as the harness's ordinary user, by TCP."""
    return {
        **os.environ,
        "SOURCE_HOST": "127.0.0.1",
        "SOURCE_PORT": str(source.port),
        "SOURCE_USER": USER,
        "SOURCE_PASSWORD": PASSWORD,
        "SOURCE_DATABASE": database,
    }


@dataclass(frozen=True, slots=True)
class Login:
    """How the references and the job log in: as the harness's ordinary user, by TCP."""

    source: Server
    target: Server

    def environment(self, source_database: str = "") -> dict[str, str]:
        """For the C references."""
        return {
            **source_environment(self.source, source_database),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.target.port),
            "PGUSER": USER,
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": TARGET_DATABASE,
            "PGSSLMODE": "disable",
        }
