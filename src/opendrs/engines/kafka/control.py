"""What a job remembers in Kafka: records in a compacted topic, written in the transactions of the messages.

The newest record of a key counts. `["job"]` holds epoch, phase, position, the next id, how many tables there are, and
how much is done of a transaction that goes on behind the position; `["table", database, table]` a definition with what
is loaded of it; `["chunk", database, table, ordinal]` a chunk that was added since; `["begun", database, table,
ordinal, id]` one of which rows are there, and perhaps not all. In the topic the job's id stands before all that, for
several jobs may share one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from confluent_kafka.admin import ResourceType

from opendrs.engines.kafka.connect import Client
from opendrs.errors import DrsError, Fault
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
    keys        of all records of the job that are there
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
    edit: str = ""


def make(client: Client, topic: str, replicas: int) -> None:
    """Makes the topic if it is not there."""
    wanted = max(replicas, min(REPLICAS, len(client.brokers())))
    if topic not in client.topics():
        client.create(topic, partitions=1, replicas=wanted, config=config(wanted))


def config(replicas: int) -> dict[str, str]:
    """Of the topic. With so many replicas one may be lost, and with it nothing that was committed."""
    return {**CONFIG, "min.insync.replicas": "2"} if replicas >= REPLICAS else dict(CONFIG)


def demand_kept(client: Client, topic: str) -> None:
    """Raises TARGET_REFUSED if what a job remembers would be deleted one day."""
    try:
        policy = client.configuration(ResourceType.TOPIC, topic).get("cleanup.policy", "compact")
    except DrsError as error:
        if error.fault is not Fault.PRIVILEGE_MISSING:
            raise
        return
    if policy != "compact":
        reason = f"the topic {topic} has cleanup.policy={policy}, and deletes what must be kept; set it to compact"
        raise DrsError(Fault.TARGET_REFUSED, what="to keep the checkpoint", reason=reason)


def of_job(job: str, records: Iterable[Record]) -> Iterator[Record]:
    """The records as they stand in the topic."""
    for key, value in records:
        yield _value([job, *json.loads(key)]), value


def read(job: str, records: Iterable[tuple[bytes | None, bytes | None]], parse: ParsePosition) -> Kept:
    """What the job has in the topic. Raises ValueError if a record is of a version that is not understood, and
    CHECKPOINT_MISSING if tables are lost."""
    prefix = _value([job])[:-1] + b","
    texts: dict[bytes, bytes] = {}
    for long_key, value in records:
        if long_key is None or not long_key.startswith(prefix):
            continue
        key = b"[" + long_key.removeprefix(prefix)
        if value is not None:
            texts[key] = value
        else:
            texts.pop(key, None)
    newest = {key: json.loads(text) for key, text in texts.items()}
    for found in newest.values():
        if found["version"] != VERSION:
            raise ValueError(f"a checkpoint of version {found['version']} is not understood")
    own = newest.get(_key("job"), {})
    tables = dict(_tables(newest, parse))
    next_id = max([1, *(found.get("next_id", 1) for found in newest.values())])
    checkpoint = None
    if own.get("phase"):
        position = parse(own["position"]) if own["position"] else None
        checkpoint = Checkpoint(phase=Phase(own["phase"]), position=position, tables=tables)
        if len(tables) != own["tables"]:
            # Not compacted, but deleted.
            raise DrsError(Fault.CHECKPOINT_MISSING, position=own["position"] or "the load")
    return Kept(
        epoch=own.get("epoch", 0),
        checkpoint=checkpoint,
        lanes=own.get("lanes", 0),
        next_id=next_id,
        done=own.get("done", 0),
        undone=tuple((first, end) for first, end in own.get("undone", [])),
        keys=frozenset(newest),
        resetting=own.get("resetting", False),
        edit=own.get("edit", ""),
    )


@dataclass(frozen=True, slots=True)
class Undecided:
    """Records behind the begin of an open transaction.

    ours      it is one of the job's
    of_log    there are some of the producer that follows the log
    of_lanes  there are some of lanes of the load
    tables    that are named
    """

    ours: bool
    of_log: bool
    of_lanes: bool
    tables: frozenset[TableName]


def undecided(job: str, records: Iterable[tuple[bytes | None, bytes | None]]) -> Undecided | None:
    """None: no transaction is open."""
    keys = [json.loads(key) for key, _ in records if key is not None and key.startswith(b"[")]
    if not keys:
        return None
    own = [(kind, place) for owner, kind, *place in keys if owner == job]
    lanes = [kind in ("chunk", "begun") for kind, _ in own]
    tables = frozenset(TableName(*place[:2]) for _, place in own if place)
    return Undecided(keys[0][0] == job, not all(lanes), any(lanes), tables)


def _tables(newest: Mapping[bytes, Any], parse: ParsePosition) -> Iterator[tuple[TableName, TableProgress]]:
    chunks: dict[TableName, list[LoadedChunk]] = {}
    begun: dict[TableName, list[Chunk]] = {}
    for key, found in newest.items():
        kind, *place = json.loads(key)
        if kind == "chunk":
            name = TableName(*place[:2])
            chunks.setdefault(name, []).append(_loaded(name, found, parse))
        elif kind == "begun":
            name = TableName(*place[:2])
            begun.setdefault(name, []).append(_chunk(name, found))
    for key, found in newest.items():
        kind, *place = json.loads(key)
        if kind == "table":
            name = TableName(*place)
            progress = TableProgress(
                table=Table.from_json(found["definition"]),
                loaded=found["loaded"],
                chunks=tuple(_loaded(name, one, parse) for one in found["chunks"]),
                begun=(*(_chunk(name, one) for one in found["begun"]), *begun.get(name, [])),
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


def _loaded(name: TableName, found: Mapping[str, Any], parse: ParsePosition) -> LoadedChunk:
    exact = parse(found["exact"]) if found["exact"] else None
    return LoadedChunk(chunk=_chunk(name, found), rows=found["rows"], nbytes=found["nbytes"], exact=exact)


def _chunk(name: TableName, found: Mapping[str, Any]) -> Chunk:
    return Chunk(table=name, ordinal=found["ordinal"], lower=_bound(found["lower"]), upper=_bound(found["upper"]))


def _bound(found: list[str | None] | None) -> Key | None:
    return None if found is None else tuple(found)


def job_record(
    *,
    epoch: int,
    lanes: int,
    position: Position | None,
    phase: Phase | None,
    next_id: int,
    tables: int,
    edit: str = "",
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
        "tables": tables,
        "done": done,
        **({"undone": undone} if undone else {}),
        **({"edit": edit} if edit else {}),
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
        "chunks": [] if progress.loaded else [_of_loaded(loaded) for loaded in progress.chunks],
        "begun": [] if progress.loaded else [_of_chunk(chunk) for chunk in progress.begun],
        "rows": progress.rows,
        "nbytes": progress.nbytes,
    }
    return _key("table", name.schema, name.table), _value(value)


def chunk_record(loaded: LoadedChunk, next_id: int) -> Record:
    chunk = loaded.chunk
    value = {"version": VERSION, "next_id": next_id, **_of_loaded(loaded)}
    return chunk_key(chunk), _value(value)


def begun_record(chunk: Chunk, first_id: int, next_id: int) -> Record:
    """`first_id`: no other attempt at the chunk has had it. Another attempt may have other bounds, and what the first
    one has published is there nevertheless."""
    return begun_key(chunk, first_id), _value({"version": VERSION, "next_id": next_id, **_of_chunk(chunk)})


def chunk_key(chunk: Chunk) -> bytes:
    return _key("chunk", chunk.table.schema, chunk.table.table, chunk.ordinal)


def begun_key(chunk: Chunk, first_id: int) -> bytes:
    return _key("begun", chunk.table.schema, chunk.table.table, chunk.ordinal, first_id)


def gone(name: TableName) -> Record:
    """The table is not of the job any more."""
    return _key("table", name.schema, name.table), None


def forgotten(keys: Iterable[bytes]) -> list[Record]:
    """Tombstones for everything but what tells of the job itself."""
    return tombstones(key for key in keys if key != _key("job"))


def tombstones(keys: Iterable[bytes]) -> list[Record]:
    return [(key, None) for key in keys]


def chunks_of(name: TableName, keys: Iterable[bytes]) -> list[Record]:
    """Tombstones for the records of a table's chunks."""
    prefixes = tuple(_key(kind, name.schema, name.table)[:-1] + b"," for kind in ("chunk", "begun"))
    return tombstones(key for key in keys if key.startswith(prefixes))


def _of_chunk(chunk: Chunk) -> dict[str, Any]:
    return {"ordinal": chunk.ordinal, "lower": chunk.lower, "upper": chunk.upper}


def _of_loaded(loaded: LoadedChunk) -> dict[str, Any]:
    return {
        **_of_chunk(loaded.chunk),
        "rows": loaded.rows,
        "nbytes": loaded.nbytes,
        "exact": loaded.exact.dump() if loaded.exact else None,
    }


def _key(*parts: str | int) -> bytes:
    return _value(list(parts))


def _value(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
