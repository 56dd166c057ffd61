"""A job into Kafka on real servers, and what can be done to it; the deeds are those of `world.py`."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.mysql_family import FamilyServer
from tests.harness.proxy import Proxy
from tests.torture.live import workload
from tests.torture.live.witness import doubts
from tests.torture.live.world import PATIENCE_S, Job, World, end

TOPIC = "all"
# One partition, and statements in it: consumers see everything in the order of the source.
WORDS = f"?format=json_c&partition_policy=1&ddl_topic={TOPIC}"


def broker_options() -> KafkaOptions:
    return KafkaOptions(listeners=(Listener.PROXIED,))


def without_cascades(source: FamilyServer) -> None:
    """MariaDB does not log what foreign keys do to other rows."""
    source.execute("ALTER TABLE moves DROP FOREIGN KEY move_account", database=workload.DATABASE)
    source.execute("ALTER TABLE cards DROP FOREIGN KEY card_account", database=workload.DATABASE)


@dataclass(slots=True, kw_only=True)
class Publishing(World):
    """The target is a broker, and the judge reads all of it."""

    broker: Kafka
    here: FamilyServer
    read: int = 0  # so far nobody has seen the end

    def settle(self) -> None:
        self.writers.stop()
        self.tell(f"{self.writers.transactions} transactions")
        self.here.execute(f"CREATE TABLE {workload.DATABASE}.the_end (id INT PRIMARY KEY)")
        self.here.execute(f"INSERT INTO {workload.DATABASE}.the_end VALUES (1)")
        until = time.monotonic() + PATIENCE_S
        while not self._ended():
            self.check()
            assert time.monotonic() < until, f"the end did not come\n{self.words()}"
            time.sleep(0.5)
        values = [message.value or b"" for message in self.broker.consume(TOPIC)]
        found = doubts(self.here, workload.DATABASE, values)
        assert not found, "\n".join([*found, self.words()])
        self._demand_dense_ids(values)

    def _ended(self) -> bool:
        if not self.broker.running:
            return False
        news = self.broker.consume(TOPIC, begin=self.read)
        self.read = news[-1].offset + 1 if news else self.read
        return any(b'"table":"the_end","type":"INSERT"' in (message.value or b"") for message in news)

    @staticmethod
    def _demand_dense_ids(values: list[bytes]) -> None:
        """No id comes twice, and behind the load they follow each other without a gap."""
        records = [json.loads(value) for value in values]
        ids = [record["id"] for record in records]
        assert len(set(ids)) == len(ids), "an id came twice"
        loaded = max(number for number, record in enumerate(records) if record["type"] == "INIT")
        behind = ids[loaded + 1 :]
        assert behind == list(range(behind[0], behind[0] + len(behind))), "ids are not one behind the other"


@contextmanager
def publishing(
    source: FamilyServer, broker: Kafka, folder: Path, *, seed: int, faults: str = "", scale: float = 0.3,
    ddl_s: float = 2.0, pause_s: float = 0.01, words: str = "", options: tuple[str, ...] = (),
) -> Iterator[Publishing]:  # fmt: skip
    """Everything up, the writers writing, and the job started."""
    connection = source.connect()
    workload.make(connection, seed, scale)
    connection.close()
    without_cascades(source)
    writers = workload.Writers(lambda: source.connect(workload.DATABASE), seed, count=3, pause_s=pause_s, ddl_s=ddl_s)
    with ExitStack() as stack:
        to_source = stack.enter_context(Proxy(source.port))
        assert broker.proxy is not None
        job = Job(
            source=to_source.through(source.url()), target=f"{broker.url(Listener.PROXIED)}/{TOPIC}{WORDS}{words}",
            state=folder / f"state-{seed}" / "state.db", options=options, faults=faults,
        )  # fmt: skip
        job.state.parent.mkdir()
        made = Publishing(
            source=source, target=broker, database="", to_source=to_source, to_target=broker.proxy, job=job,
            writers=writers, rng=random.Random(seed), broker=broker, here=source,
        )  # fmt: skip
        stack.callback(end, job)
        writers.start()
        stack.callback(writers.stop)
        job.start()
        if not faults:
            made.wait_for("event=precheck.passed")
        yield made
