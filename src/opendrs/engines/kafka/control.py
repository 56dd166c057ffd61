"""What a job remembers in Kafka: records in a compacted topic of its own, written in the transactions of the messages.

The newest record of a key counts. `["job"]` holds epoch, phase, position, the next id and how much is done of a
transaction that goes on behind the position; `["table", database, table]` a definition with what is loaded of it;
`["chunk", database, table, ordinal]` a chunk that was added since; `["ids", lane]` the next id, where part of a chunk
is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from opendrs.engines.kafka.connect import Client
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, Key, LoadedChunk, Phase, TableProgress
from opendrs.model.position import Position

VERSION: Final = 1
MESSAGE_BYTES: Final = 8 << 20  # definitions of wide tables
# Small segments, for only closed ones are compacted.
CONFIG: Final = {
    "cleanup.policy": "compact",
    "segment.bytes": str(16 << 20),
    "segment.ms": str(3_600_000),
    "min.cleanable.dirty.ratio": "0.1",
    "max.message.bytes": str(MESSAGE_BYTES),
}
REPLICAS: Final = 3  # where there are so many brokers

Record = tuple[bytes, bytes | None]
ParsePosition = Callable[[str], Position]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was found.

    epoch       of the newest worker that opened the target
    checkpoint  None: the job has not begun
    lanes       the most that a load has had
    next_id     of the next message
    done        ordinals of the transaction behind the position that are published already
    undone      ranges of ordinals that the transaction has undone, as far as that was known when they were published
    keys        of all records that are there
    resetting   a reset was begun and has not ended: nothing else counts
    """

    epoch: int = 0
    checkpoint: Checkpoint | None = None
    lanes: int = 0
    next_id: int = 1
    done: int = 0
    undone: tuple[tuple[int, int], ...] = ()
    keys: frozenset[bytes] = field(default_factory=frozenset)
    resetting: bool = False


def make(client: Client, topic: str, replicas: int) -> None:
    """Makes the topic if it is not there."""
    wanted = max(replicas, min(REPLICAS, len(client.brokers())))
    if topic not in client.topics():
        client.create(topic, partitions=1, replicas=wanted, config=CONFIG)


def read(records: Iterable[tuple[bytes | None, bytes | None]], parse: ParsePosition) -> Kept:
    """Raises ValueError if a record is of a version that is not understood."""
    texts: dict[bytes, bytes] = {}
    for key, value in records:
        if key is not None and value is not None:
            texts[key] = value
        elif key is not None:
            texts.pop(key, None)
    newest = {key: json.loads(text) for key, text in texts.items()}
    for found in newest.values():
        if found["version"] != VERSION:
            raise ValueError(f"a checkpoint of version {found['version']} is not understood")
    job = newest.get(_key("job"), {})
    tables = dict(_tables(newest, parse))
    next_id = max([job.get("next_id", 1), *(found.get("next_id", 1) for found in newest.values())])
    checkpoint = None
    if job.get("phase"):
        position = parse(job["position"]) if job["position"] else None
        checkpoint = Checkpoint(phase=Phase(job["phase"]), position=position, tables=tables)
    return Kept(
        epoch=job.get("epoch", 0),
        checkpoint=checkpoint,
        lanes=job.get("lanes", 0),
        next_id=next_id,
        done=job.get("done", 0),
        undone=tuple((first, end) for first, end in job.get("undone", [])),
        keys=frozenset(newest),
        resetting=job.get("resetting", False),
    )


def _tables(newest: Mapping[bytes, Any], parse: ParsePosition) -> Iterator[tuple[TableName, TableProgress]]:
    chunks: dict[TableName, list[LoadedChunk]] = {}
    for key, found in newest.items():
        kind, *place = json.loads(key)
        if kind == "chunk":
            name = TableName(*place[:2])
            chunks.setdefault(name, []).append(_chunk(name, found, parse))
    for key, found in newest.items():
        kind, *place = json.loads(key)
        if kind == "table":
            name = TableName(*place)
            progress = TableProgress(
                table=Table.from_json(found["definition"]),
                loaded=found["loaded"],
                chunks=tuple(_chunk(name, one, parse) for one in found["chunks"]),
                rows=found["rows"],
                nbytes=found["nbytes"],
            )
            for loaded in chunks.get(name, []):
                progress = replace(
                    progress,
                    chunks=(*progress.chunks, loaded),
                    rows=progress.rows + loaded.rows,
                    nbytes=progress.nbytes + loaded.nbytes,
                )
            yield name, progress


def _chunk(name: TableName, found: Mapping[str, Any], parse: ParsePosition) -> LoadedChunk:
    chunk = Chunk(table=name, ordinal=found["ordinal"], lower=_bound(found["lower"]), upper=_bound(found["upper"]))
    exact = parse(found["exact"]) if found["exact"] else None
    return LoadedChunk(chunk=chunk, rows=found["rows"], nbytes=found["nbytes"], exact=exact)


def _bound(found: list[str | None] | None) -> Key | None:
    return None if found is None else tuple(found)


def job_record(
    *,
    epoch: int,
    lanes: int,
    position: Position | None,
    phase: Phase | None,
    next_id: int,
    done: int = 0,
    undone: Sequence[tuple[int, int]] = (),
    resetting: bool = False,
) -> Record:
    value = {
        "version": VERSION,
        "epoch": epoch,
        "lanes": lanes,
        "phase": phase.value if phase else None,
        "position": position.dump() if position else None,
        "next_id": next_id,
        "done": done,
        **({"undone": undone} if undone else {}),
        **({"resetting": True} if resetting else {}),
        "saved_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return _key("job"), _value(value)


def table_record(progress: TableProgress) -> Record:
    """With its chunks: those that were added one by one need no records of their own any more."""
    name = progress.table.name
    value = {
        "version": VERSION,
        "definition": progress.table.to_json(),
        "loaded": progress.loaded,
        "chunks": [] if progress.loaded else [_of_chunk(loaded) for loaded in progress.chunks],
        "rows": progress.rows,
        "nbytes": progress.nbytes,
    }
    return _key("table", name.schema, name.table), _value(value)


def chunk_record(loaded: LoadedChunk, next_id: int) -> Record:
    chunk = loaded.chunk
    value = {"version": VERSION, "next_id": next_id, **_of_chunk(loaded)}
    return chunk_key(chunk), _value(value)


def ids_record(lane: int | None, next_id: int) -> Record:
    """Of a lane: others may have taken more ids, and commit theirs before."""
    return _key("ids", -1 if lane is None else lane), _value({"version": VERSION, "next_id": next_id})


def chunk_key(chunk: Chunk) -> bytes:
    return _key("chunk", chunk.table.schema, chunk.table.table, chunk.ordinal)


def gone(name: TableName) -> Record:
    """The table is not of the job any more."""
    return _key("table", name.schema, name.table), None


def forgotten(keys: Iterable[bytes]) -> list[Record]:
    """Tombstones for everything but what tells of the job itself."""
    return [(key, None) for key in keys if key != _key("job")]


def chunks_of(name: TableName, keys: Iterable[bytes]) -> list[Record]:
    """Tombstones for the chunk records of a table."""
    prefix = _key("chunk", name.schema, name.table)[:-1] + b","
    return [(key, None) for key in keys if key.startswith(prefix)]


def _of_chunk(loaded: LoadedChunk) -> dict[str, Any]:
    chunk = loaded.chunk
    return {
        "ordinal": chunk.ordinal,
        "lower": chunk.lower,
        "upper": chunk.upper,
        "rows": loaded.rows,
        "nbytes": loaded.nbytes,
        "exact": loaded.exact.dump() if loaded.exact else None,
    }


def _key(*parts: str | int) -> bytes:
    return _value(list(parts))


def _value(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
