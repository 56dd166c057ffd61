"""The newest evidence that a table is the same on both sides, or is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from sqlalchemy import Connection, delete, select

from opendrs.model.catalog import TableName
from opendrs.model.comparison import TableProof, Verdict
from opendrs.store.tables import proofs
from opendrs.store.upsert import upsert


def save(connection: Connection, job_id: str, results: Iterable[TableProof]) -> None:
    """Keeps the results; each takes the place of an older one for its table."""
    rows = [
        {
            "job_id": job_id,
            "schema_name": proof.name.schema,
            "table_name": proof.name.table,
            "verdict": proof.verdict,
            "source_rows": proof.source_rows,
            "target_rows": proof.target_rows,
            "source_checksum": proof.source_checksum,
            "target_checksum": proof.target_checksum,
            "position": proof.position,
            "reason": proof.reason,
            "seconds": proof.seconds,
            "taken_at": proof.taken_at,
        }
        for proof in results
    ]
    upsert(connection, proofs, rows)


def load(connection: Connection, job_id: str) -> list[TableProof]:
    """By table name."""
    query = select(proofs).where(proofs.c.job_id == job_id).order_by(proofs.c.schema_name, proofs.c.table_name)
    return [
        TableProof(
            name=TableName(row["schema_name"], row["table_name"]),
            verdict=cast(Verdict, row["verdict"]),
            source_rows=row["source_rows"],
            target_rows=row["target_rows"],
            source_checksum=row["source_checksum"],
            target_checksum=row["target_checksum"],
            position=row["position"],
            reason=row["reason"],
            seconds=row["seconds"],
            taken_at=row["taken_at"],
        )
        for row in connection.execute(query).mappings()
    ]


def clear(connection: Connection, job_id: str) -> None:
    """Old evidence does not outlive a new proof of other tables."""
    connection.execute(delete(proofs).where(proofs.c.job_id == job_id))
