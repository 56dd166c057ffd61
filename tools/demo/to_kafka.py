"""A shop is published to Kafka while people work in it: by `opendrs run`, and read back by consumers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from tests.harness import Kafka, Server, create, create_broker
from tools.demo import shop
from tools.demo.command import Job
from tools.demo.judge import Verdict, judge, table
from tools.demo.reader import Reader
from tools.demo.screen import say, stay_up
from tools.demo.source import OPTIONS, fill
from tools.demo.texts import rows_of
from tools.demo.writers import Writers

FORMAT: Final = "json_c"
STATEMENTS: Final = "shop.ddl"  # the topic of the statements
PUBLISHING: Final = {"format": FORMAT, "partition_policy": 2, "partitions": 3, "ddl_topic": STATEMENTS}
ALTERED, ADDED = "orders", {"channel": "web"}
ALTER: Final = "ALTER TABLE orders ADD COLUMN channel VARCHAR(10) NOT NULL DEFAULT 'web'"
USED: Final = "UPDATE orders SET channel = 'app' ORDER BY id DESC LIMIT 5"
CLOSED: Final = "closed.at"  # the key of the last row
FOLLOWED_S: Final = 4.0  # before the change of the schema, and behind it


def topic(name: str) -> str:
    return f"{shop.DATABASE}-{name}"


@contextmanager
def servers(source: str) -> Iterator[tuple[Server, Kafka]]:
    """Both, in temporary folders, on free ports of the loopback."""
    with ExitStack() as stack:
        began = time.monotonic()
        say(f"starting {source} and a broker of Kafka (got from packages if they are not here)")
        here = stack.enter_context(create(source, OPTIONS))
        there = stack.enter_context(create_broker())
        say(f"{source} {here.version} and Kafka {there.version} are up after {time.monotonic() - began:.1f} s")
        yield here, there


@contextmanager
def people(source: Server, *, cascades: bool) -> Iterator[Writers]:
    """At work until they are stopped."""
    writers = Writers(lambda: source.connect(shop.DATABASE), count=2, pause_s=0.02, cascades=cascades)
    writers.start()
    try:
        yield writers
    finally:
        writers.stop()


def kill_worker(job: Job) -> None:
    worker = job.worker()
    say(f"kill -9 of the worker (process {worker.pid}): its open transactions will never be seen; another one goes on")
    worker.kill()
    other = job.until("another worker", lambda: (found := job.worker()).pid != worker.pid and found)
    say(f"process {other.pid} has fenced it, and goes on from the checkpoint in the topic _opendrs.*")


def show(source: Server, job: Job, reader: Reader, writers: Writers) -> None:
    """The whole job, until everything is published."""
    began = time.monotonic()
    job.load_until(0.15)
    kill_worker(job)
    job.follow()
    say(f"loaded {time.monotonic() - began:.1f} s after the start; now every change arrives at once")
    job.go_on(FOLLOWED_S)
    say(ALTER)
    source.execute(f"{ALTER}; {USED}", database=shop.DATABASE)
    job.until("statement", lambda: reader.statements)
    job.go_on(FOLLOWED_S)
    writers.stop()
    say(f"the shop closes after {writers.transactions:,} transactions; a last row says so")
    source.execute("INSERT INTO settings VALUES (%s, NOW())", (CLOSED,), database=shop.DATABASE)
    job.until("last message", lambda: reader.said(topic("settings"), CLOSED.encode()))


def verdicts(source: Server, broker: Kafka) -> Iterator[Verdict]:
    """Table by table: the source's rows against what all its messages come to."""
    for name in shop.ROWS:
        messages = broker.consume(topic(name), "read_committed")
        added = ADDED if name == ALTERED else None
        yield judge((shop.DATABASE, name), rows_of(source, name), messages, FORMAT, added)


def prove(source: Server, broker: Kafka) -> int:
    """Shows whether the topics come to what the source has; returns how many messages they have."""
    say("all is consumed again (read_committed), folded into rows, and compared with a SELECT of each table:")
    found = list(verdicts(source, broker))
    for line in table(found):
        print(f"    {line}", flush=True)
    if any(one.problem for one in found):
        raise SystemExit("the topics do not come to what the source has")
    return sum(one.messages for one in found)


def tell_how(source: Server, broker: Kafka, job: Job) -> None:
    """How to look around while everything is up."""
    print(f"""
  source   {source.url(shop.DATABASE)}
  target   {broker.url()}   topics {topic("*")}, {STATEMENTS}

  the job, as it runs (the same command shows it; its Ctrl-C pauses the job, and the next one resumes it):
    {job}

  another one, for Flink:
    {job.like("flink", broker.url() + "/flink?format=debezium-json")}

  a consumer, that shows what happens to orders from now on:
    {sys.executable} -c 'from confluent_kafka import Consumer; \
      c = Consumer({{"bootstrap.servers": "{broker.bootstrap}", "group.id": "me"}}); \
      c.subscribe(["{topic("orders")}"]); [print(m.value().decode()) for m in iter(lambda: c.consume(1)[0], 0)]'
""")


def run(name: str, folder: Path, *, scale: float, end: bool) -> None:
    with servers(name) as (source, broker), ExitStack() as stack:
        # What foreign keys do is in the log of MySQL, and not in MariaDB's: there people delete by name.
        cascades = name == "mysql"
        fill(source, scale, cascades=cascades)
        reader = stack.enter_context(Reader(broker.client(), topic(""), STATEMENTS))
        target = f"{broker.url()}?{urlencode(PUBLISHING)}"
        job = stack.enter_context(Job(folder, source.url(), target, reader.read))
        say(f"{job}")
        writers = stack.enter_context(people(source, cascades=cascades))
        say("two people work in the shop from now on: orders, cancellations, corrections, visits, roll-backs")
        show(source, job, reader, writers)
        messages = prove(source, broker)
        if not end:
            stack.enter_context(people(source, cascades=cascades))
            tell_how(source, broker, job)
            say("everything stays up, and the shop is open again; Ctrl-C ends it")
        say(
            f"The topics equal the source: all {len(shop.ROWS)} tables, folded from {messages:,} messages, "
            f"{writers.transactions:,} live transactions, a changed schema, and kill -9 of the worker."
        )
        if not end:
            stay_up()
