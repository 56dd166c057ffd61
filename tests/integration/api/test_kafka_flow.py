"""A whole job to Kafka through the official SDK, on real servers; and every way to a broker that DRS has words for."""

from __future__ import annotations

import base64
import itertools
import json
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from tests.harness import keystores
from tests.harness.catalogue import create_broker
from tests.harness.certificates import make
from tests.harness.fixtures import NewDatabase, not_exercised
from tests.harness.fold import Row, fold
from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.keystores import Kind
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import PASSWORD, USER, ServerUnavailable
from tests.harness.service import Sdk, Service, eventually
from tests.integration.api.jobs import creation, endpoint
from tests.integration.api.meanwhile import meanwhile
from tests.integration.api.ruling import Ruled

STORE_PASSWORD, KEY_PASSWORD = "store-secret-of-the-test", "key-secret-of-the-test"


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """With every listener."""
    try:
        keystores.find()
        made = create_broker("kafka", KafkaOptions(listeners=list(Listener)))
    except ServerUnavailable as error:
        not_exercised("kafka", str(error))
    with made:
        yield made


@dataclass(frozen=True)
class Stores:
    """Key stores for a broker, as base64, by what they are: `trust`, `other` authority, `own` key."""

    folder: Path
    broker: Kafka

    def trust(self, kind: Kind = "JKS") -> dict[str, Any]:
        assert self.broker.tls is not None
        return self._trust(self.broker.tls.ca, f"trust-{kind}", kind)

    def other(self) -> dict[str, Any]:
        path = self.folder / "other"
        return self._trust(path / "ca.pem" if path.exists() else make(path).ca, "other-trust", "JKS")

    def own(self, kind: Kind = "JKS") -> dict[str, Any]:
        assert self.broker.tls is not None
        path, key_password = self.folder / f"own-{kind}", KEY_PASSWORD if kind == "JKS" else ""
        if not path.exists():
            keystores.client(path, kind, STORE_PASSWORD, self.broker.tls, key_password=key_password)
        return {
            "enable_key_store": True, "key_store_key": encoded(path), "key_store_password": STORE_PASSWORD,
            "set_private_key_password": bool(key_password), "key_password": key_password,
        }  # fmt: skip

    def _trust(self, ca: Path, name: str, kind: Kind) -> dict[str, Any]:
        path = self.folder / name
        if not path.exists():
            keystores.trusting(path, kind, STORE_PASSWORD, ca)
        return {"trust_store_key": encoded(path), "trust_store_password": STORE_PASSWORD}


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


@pytest.fixture(scope="module")
def stores(broker: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return Stores(tmp_path_factory.mktemp("stores"), broker)


def target(broker: Kafka, listener: Listener, security: dict[str, Any] | None = None, **inner: Any) -> dict[str, Any]:
    """JobEndpointInfo as JSON: the SDK's model knows nothing of Kafka's security, its client sends what it gets."""
    return {
        "db_type": "kafka", "endpoint_type": "offline", "endpoint_role": "ta",
        "endpoint": {"endpoint_name": "kafka", "ip": broker.address(listener), "db_user": "", "db_password": "", **inner},
        **({"kafka_security": security} if security else {}),
    }  # fmt: skip


def create(sdk: Sdk, name: str, source: FamilyServer, end: dict[str, Any], **base: Any) -> str:
    body = creation(name, endpoint("so", source), engine_type="mysql-to-kafka", **base).to_dict()
    body["job"]["target_endpoint"] = [end]
    made = str(sdk.call("create_job", body=body).id)
    sdk.until(made, "CONFIGURATION")
    return made


def network(sdk: Sdk, job: str, end: dict[str, Any]) -> Any:
    """What a connection test says of an end."""
    body = {"job": {"action_name": "network", "action_params": {"endpoints": [end]}}}
    query = sdk.call("execute_job_action", job_id=job, body=body).query_id
    (found,) = eventually(lambda: sdk.detail(job, "network", query_id=query).network_results)
    return found


def test_every_way_to_a_broker(service: Service, mariadb: FamilyServer, broker: Kafka, stores: Stores) -> None:
    sdk = service.sdk()
    job = create(sdk, "all-ways", mariadb, target(broker, Listener.PLAINTEXT))
    login = {"db_user": USER, "db_password": PASSWORD}
    https = {"endpoint_algorithm": "https"}
    sasl = {"type": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", **stores.trust()}
    nobody = f"127.0.0.1:1,{broker.address(Listener.PLAINTEXT)}"
    good = [
        target(broker, Listener.PLAINTEXT),
        target(broker, Listener.PLAINTEXT, ip=nobody),
        target(broker, Listener.PLAINTEXT, {"type": "PLAINTEXT"}),
        target(broker, Listener.SSL, {"type": "SSL", **stores.trust()}),
        target(broker, Listener.SSL, {"type": "SSL", **stores.trust("PKCS12"), **https}),
        target(broker, Listener.MTLS, {"type": "SSL", **stores.trust(), **stores.own()}),
        target(broker, Listener.MTLS, {"type": "SSL", **stores.trust(), **stores.own("PKCS12")}),
        target(broker, Listener.SASL_PLAINTEXT, {"type": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"}, **login),
        target(broker, Listener.SASL_SSL, {**sasl, **https}, **login),
        target(broker, Listener.SASL_SSL, {**sasl, "sasl_mechanism": "SCRAM-SHA-256"}, **login),
    ]
    for end in good:
        found = network(sdk, job, end)
        assert found.success and found.result == "Kafka, 1 broker", (end["endpoint"]["ip"], found)
    bad = {
        "DRS.KE0002": target(broker, Listener.SASL_SSL, sasl, db_user=USER, db_password="not-the-password"),
        "DRS.M00202": target(broker, Listener.SSL, {"type": "SSL", **stores.other()}),
    }
    for code, end in bad.items():
        found = network(sdk, job, end)
        assert not found.success and found.error_code == code, found
        assert "not-the-password" not in found.error_msg
    assert not network(sdk, job, target(broker, Listener.MTLS, {"type": "SSL", **stores.trust()})).success
    # The last one that answered is the job's, which has its own password.
    assert network(sdk, job, target(broker, Listener.SASL_SSL, sasl, db_user=USER)).success
    (shown,) = sdk.detail(job).target_endpoint
    assert shown.endpoint.ip == broker.address(Listener.SASL_SSL) and not shown.endpoint.db_password
    no_secret_is_left(service)


def no_secret_is_left(service: Service, *allowed: Path) -> None:
    """Neither in the store, nor in logs, nor in any other file of the service."""
    files = [path for path in service.folder.rglob("*") if path.is_file() and path not in allowed]
    assert any(path.name.startswith("opendrs.db") for path in files) and service.log in files
    secrets = (STORE_PASSWORD, KEY_PASSWORD, PASSWORD, "PRIVATE KEY")
    found = [(path, secret) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    assert found == []


def test_a_job_from_creation_to_its_end(
    service: Service, mariadb: FamilyServer, broker: Kafka, stores: Stores, database: NewDatabase
) -> None:
    source, sdk = database(mariadb), service.sdk()
    for table in ("orders", "lines"):
        mariadb.execute(f"CREATE TABLE `{source}`.{table} (id INT PRIMARY KEY, v VARCHAR(20))")
        mariadb.execute(f"INSERT INTO `{source}`.{table} VALUES (1, 'one'), (2, 'two')")
    # A client certificate and names of hosts: what a job needs most files for.
    security = {"type": "SSL", **stores.trust(), **stores.own(), "endpoint_algorithm": "https"}
    job = create(sdk, "publishes", mariadb, target(broker, Listener.MTLS, security))
    assert job.endswith("jb20k")

    topics = {
        "orders": v5.TableObject(name=f"{source}-own", type="table"),
        "lines": v5.TableObject(name="lines", type="table"),
    }
    info = {source: v5.DatabaseObject(name=source, all=False, tables=topics)}
    saved = sdk.update(job, "db_object", db_object=v5.DbObject(object_scope="table", object_info=info))
    eventually(lambda: sdk.call("show_update_object_saving_status", job_id=job, query_id=saved.id).status == "success")
    broker.create_topic(f"{source}-ddl")
    asked = v3.SyncPolicyReq(
        job_id=job, topic_policy="1", topic_name_format="all.$database$.$tablename$", partition_policy="2",
        partitions_num="2", kafka_data_format="json_c", ddl_trans=True, ddl_topic=f"{source}-ddl",
    )  # fmt: skip
    (row,) = sdk.call("batch_set_policy", version="v3", body=v3.BatchSetupSyncPolicyReq([asked])).results
    assert row.status == "success", row
    query = sdk.act(job, "precheck", precheck_mode="forStartJob")
    result = eventually(
        lambda: (found := sdk.detail(job, "precheck", query_id=query).precheck_result).process == "100%" and found
    )
    assert result.total_passed_rate == "100%", [r for r in result.precheck_results if r.result == "FAILED"]
    sdk.act(job, "start")
    sdk.until(job, "INCRE_TRANSFER_STARTED")

    key = service.folder / "data" / "jobs" / job / "target_key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and "PRIVATE KEY" in key.read_text()
    no_secret_is_left(service, key)
    mariadb.execute(f"INSERT INTO `{source}`.orders VALUES (3, 'three')")
    mariadb.execute(f"ALTER TABLE `{source}`.`lines` ADD w INT")
    mariadb.execute(f"UPDATE `{source}`.`lines` SET w = 7 WHERE id = 1")

    def rows(topic: str, kind: str) -> list[Any]:
        messages = [json.loads(one.value or b"{}") for one in broker.consume(topic)]
        return [message["data"][0] for message in messages if message["type"] == kind]

    own, lines = f"{source}-own", f"all.{source}.lines"
    eventually(lambda: rows(own, "INSERT") == [{"id": "3", "v": "three"}])
    eventually(lambda: rows(lines, "UPDATE") == [{"id": "1", "v": "one", "w": "7"}])
    assert sorted(row["id"] for row in rows(own, "INIT")) == ["1", "2"]
    statements = [json.loads(one.value or b"{}")["sql"] for one in broker.consume(f"{source}-ddl")]
    assert any("ADD w INT" in statement for statement in statements), statements
    synced = sdk.call("list_db_objects", job_id=job, type="synchronized").object_info[source]
    assert synced.tables["orders"].name == own and synced.tables["lines"].name == "lines"
    assert sdk.call("show_progress_data", job_id=job, type="table").count == 2
    for kind in ("view", "table_indexs", "procedure"):
        assert sdk.call("show_progress_data", job_id=job, type=kind).count == 0
    (change,) = eventually(lambda: (found := sdk.call("list_job_ddls", job_id=job).ddl_list)[0].exe_result and found)
    assert "ADD w INT" in change.ddl_text and change.status == 0
    halves = {
        one.type: one for one in sdk.call("show_increment_components_detail", job_id=job).increment_components_list
    }
    assert {one.status for one in halves.values()} == {"STARTED"} and all(one.current_point for one in halves.values())
    eventually(lambda: int(sdk.detail(job, "progress").progress_info.incr_trans_delay_millis) >= 0)

    sdk.act(job, "stop")
    sdk.until(job, "PAUSING")
    mariadb.execute(f"DELETE FROM `{source}`.orders WHERE id = 1")
    sdk.act(job, "restart")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    eventually(lambda: [row["id"] for row in rows(own, "DELETE")] == ["1"])
    assert f"_opendrs.{job}" in broker.topics()
    sdk.act(job, "terminate")
    sdk.until(job, "RELEASE_RESOURCE_COMPLETE")
    assert f"_opendrs.{job}" not in broker.topics() and not key.exists()
    sdk.call("delete_job", job_id=job)
    no_secret_is_left(service)


NAMES = ("first", *(f"n{number}" for number in range(8)))


def of_tables(topic: str, *names: str) -> v5.DbObject:
    """Tables of a database of that name, all into its topic."""
    tables = {name: v5.TableObject(name=topic, type="table") for name in names}
    info = {topic: v5.DatabaseObject(name=topic, all=False, tables=tables)}
    return v5.DbObject(object_scope="table", object_info=info)


def load(source: FamilyServer, database: str) -> AbstractContextManager[None]:
    """Somebody writes to all tables, and to several in one transaction."""
    steps = itertools.count(1)

    def write() -> None:
        step = next(steps)
        words = ["BEGIN"]
        for name in (NAMES[step % len(NAMES)], NAMES[(step * 5 + 1) % len(NAMES)]):
            words += [
                f"REPLACE INTO {name} VALUES ({1000 + step % 50}, 'step {step}')",
                f"UPDATE {name} SET v = CONCAT('u{step}-', id) WHERE id % 40 = {step % 40}",
                f"DELETE FROM {name} WHERE id = {1000 + step % 31}",
            ]
        source.execute(";\n".join([*words, "COMMIT"]), database=database)

    return meanwhile(write)


def test_tables_come_and_go_under_load(
    service: Service, mariadb: FamilyServer, broker: Kafka, database: NewDatabase
) -> None:
    """And workers are killed meanwhile. One topic of one partition has everything in the order of the source."""
    source, sdk = database(mariadb), service.sdk()
    for name in NAMES:
        mariadb.execute(f"CREATE TABLE `{source}`.{name} (id INT PRIMARY KEY, v VARCHAR(99))")
        mariadb.execute(
            f"INSERT INTO `{source}`.{name} SELECT seq, CONCAT('v', seq) FROM seq_1_to_200", database=source
        )
    broker.create_topic(source)
    job = create(sdk, "edited-kafka", mariadb, target(broker, Listener.PLAINTEXT))
    ruled = Ruled(sdk, job)
    asked = v3.SyncPolicyReq(
        job_id=job, topic_policy="0", topic=source, partition_policy="1", kafka_data_format="json_c"
    )
    (row,) = sdk.call("batch_set_policy", version="v3", body=v3.BatchSetupSyncPolicyReq([asked])).results
    assert row.status == "success", row

    def choose(*names: str) -> None:
        ruled.choose(of_tables(source, *names))
        assert ruled.failed_checks() == []

    def replicated() -> set[str]:
        info = sdk.call("list_db_objects", job_id=job, type="synchronized").object_info
        return set(info[source].tables) if source in info else set()

    def edit_is_over() -> bool:
        rows = sdk.call("show_timeline", job_id=job, x_language="en-us").timelines
        return all(row.status == "success" for row in rows if row.name == "edit_db_object")

    def edited(*names: str) -> None:
        choose(*names)
        sdk.act(job, "start", is_sync_re_edit=True)
        service.workers()[job].kill()
        eventually(lambda: edit_is_over() and replicated() == set(names))

    choose("first")
    sdk.act(job, "start")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    with load(mariadb, source):
        edited(*NAMES)
        edited(*NAMES[:-2])
    mariadb.execute(f"INSERT INTO `{source}`.first VALUES (9999, 'the last')")

    def values() -> list[bytes]:
        return [one.value or b"" for one in broker.consume(source)]

    eventually(lambda: any(b"the last" in value for value in values()[-3:]))
    found = fold(values(), "json_c")
    for name in NAMES[:-2]:
        assert by_id(found.rows((source, name))) == rows_of(mariadb, source, name), name
    assert {table for _, table in found.tables} == {*NAMES}, "those that went had come"


def by_id(rows: list[Row]) -> dict[int, str]:
    return {int(row["id"]): row["v"] for row in rows}


def rows_of(source: FamilyServer, database: str, name: str) -> dict[int, str]:
    return {int(key): value for key, value in source.execute(f"SELECT id, v FROM `{database}`.{name}")}
