"""A job to Kafka from the shell, on real servers: what stands in its URL arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.harness import server as databases
from tests.harness.catalogue import create_broker
from tests.harness.fixtures import NewDatabase, not_exercised
from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import ServerUnavailable
from tests.harness.service import Service, eventually
from tests.integration.cli.shell import Shell
from tests.integration.cli.test_life import assert_no_secret, source_url, until


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    try:
        made = create_broker("kafka", KafkaOptions(listeners=[Listener.MTLS, Listener.SASL_SSL]))
    except ServerUnavailable as error:
        not_exercised("kafka", str(error))
    with made:
        yield made


def test_a_job_to_kafka(
    shell: Shell, service: Service, mariadb: FamilyServer, broker: Kafka, database: NewDatabase
) -> None:
    source = database(mariadb)
    for table in ("t", "u"):
        mariadb.execute(f"CREATE TABLE `{source}`.{table} (id INT PRIMARY KEY, v VARCHAR(20))")
        mariadb.execute(f"INSERT INTO `{source}`.{table} VALUES (1, 'one')")
    assert broker.tls is not None
    files = f"tls_ca={broker.tls.ca}&tls_cert={broker.tls.client_certificate}&tls_key={broker.tls.client_key}"
    url = f"kafka://{broker.address(Listener.MTLS)}/{source}?tls=verify-full&{files}"
    made = shell.done(
        "job", "create", "stream", source_url(mariadb), f"{url}&format=canal-json&partitions=3&compression=zstd",
        "--tables", f"{source}.*", "--start",
    )  # fmt: skip
    words = f"canal-json messages, topic {source}, partitions by table, exactly-once, no schema changes"
    assert f"policy     {words}\n" in made.out and "Kafka, 1 broker" in made.out
    until(shell, "stream", "following")
    mariadb.execute(f"UPDATE `{source}`.t SET v = 'two'")
    eventually(
        lambda: any(json.loads(one.value or b"{}").get("type") == "UPDATE" for one in broker.consume(source)),
        why=lambda: shell.done("job", "logs", "stream").out,
    )
    shown = shell.done("job", "show", "stream").out
    where = f"kafka://{broker.address(Listener.MTLS)}?tls=verify-full&tls_key={broker.tls.client_key.name}"
    assert f"Target       {where}\n" in shown and f"Policy       {words}\n" in shown
    assert "indexes" not in shown and "Tables       2 of 2 loaded\n" in shown
    assert f"kafka://{broker.address(Listener.MTLS)}" in shell.done("job", "list").out
    shell.done("job", "end", "stream", "--yes")

    login = f"{databases.USER}:{quote(databases.PASSWORD)}"
    url = (
        f"kafka://{login}@{broker.address(Listener.SASL_SSL)}/?tls=verify-ca&tls_ca={broker.tls.ca}&sasl=SCRAM-SHA-512"
    )
    made = shell.done(
        "job", "create", "by-name", source_url(mariadb), f"{url}&format=avro",
        "--tables", f"{source}.t", "--topic", f"{source}.t={source}-own", "--task", "full", "--start",
    )  # fmt: skip
    assert f"objects    {source}.t -> {source}-own\n" in made.out
    until(shell, "by-name", "loaded")
    assert len(broker.consume(f"{source}-own")) == 1
    shown = shell.done("job", "show", "by-name").out
    assert f"kafka://{databases.USER}@{broker.address(Listener.SASL_SSL)}?tls=verify-ca&sasl=SCRAM-SHA-512\n" in shown
    assert "--map" in shell.failed("job", "select", "by-name", "--databases", source, "--map", f"{source}=x", code=2)
    shell.done("job", "end", "by-name", "--yes")
    assert_no_secret(shell, service)
    assert "PRIVATE KEY" not in service.log.read_text() + "".join(shell.history)
