"""What a worker is told comes through whole, and shows no secret."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import Endpoint, Secret
from opendrs.model.failure import Failure
from opendrs.model.job import Job, Policy
from opendrs.model.publishing import Publishing
from opendrs.model.selection import Selection
from opendrs.telemetry import Mask
from opendrs.worker import killing, starting
from opendrs.worker.order import Options, Order, changes, differences
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.timing import Timing

JOB = Job(
    id="4f" * 16,
    source=Endpoint.parse("mysql://anna:Pass%2Fw%40rd@[::1]:3307/shop?tls=require"),
    target=Endpoint.parse("postgresql://ben:T4rget@target.example/ware%20house?socket=/run/pg"),
    task="full+incremental",
    selection=Selection(patterns=("shop.*",), schemas={"shop": "store"}),
    policy=Policy(apply="merged", skipped_ddl=("drop_table",), server_id=7),
)
ORDER = Order(
    job=JOB,
    state="postgresql://carl:St%40te@state.example/state",
    folder=Path("/tmp/some where"),
    options=Options(until="caught-up", check=False, reset=True),
    timing=Timing(ttl_s=3.5),
    replicate="a.b:c",
)


def test_an_order_comes_through_whole() -> None:
    assert Order.read(ORDER.document(12)) == (ORDER, 12)


def test_an_order_of_a_job_into_kafka_comes_through_whole() -> None:
    target = Endpoint.parse("kafka://ben:T4r%2Cget@h1:9092,[::2]:9093/all?tls=verify-full&sasl=SCRAM-SHA-512")
    selection = Selection(patterns=("shop.*",), topics={TableName("shop", "orders"): "o", TableName("crm", ""): "c"})
    policy = Policy(publishing=Publishing(format="avro", topic_policy=0, topic="all", partitions=3))
    order = replace(ORDER, job=replace(JOB, target=target, selection=selection, policy=policy))
    assert Order.read(order.document(3)) == (order, 3)
    assert {"T4r,get", "Pass/w@rd"} <= set(order.secrets)
    assert not [secret for secret in order.secrets if secret in repr(order) + json.dumps(order.settings())]
    other = replace(order, job=replace(order.job, policy=Policy()))
    assert [line.split()[0] for line in differences(order.settings(), other.settings())] == ["publishing"]


def test_a_worker_of_a_release_without_publishing_has_it_by_default() -> None:
    settings = ORDER.settings()
    older = {name: value for name, value in settings["policy"].items() if name != "publishing"}
    assert differences({**settings, "policy": {**older, "version": 2}}, settings) == []


@given(password=st.text(max_size=30), user=st.text(min_size=1, max_size=30))
def test_any_login_comes_through(password: str, user: str) -> None:
    try:
        password.encode(), user.encode()
    except UnicodeEncodeError:
        return  # no server takes half a surrogate pair
    source = replace(JOB.source, user=user, password=Secret(password))
    order, _ = Order.read(replace(ORDER, job=replace(JOB, source=source)).document(1))
    assert order.job.source == source


def test_an_order_that_was_cut_short_is_refused() -> None:
    document = ORDER.document(1)
    for length in (0, 1, len(document) // 2, len(document) - 1):
        with pytest.raises(ValueError):
            Order.read(document[:length])


def test_an_order_of_another_release_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        Order.read(json.dumps({**json.loads(ORDER.document(1)), "version": 2}).encode())


def test_an_order_knows_its_secrets_and_does_not_print_them() -> None:
    assert set(ORDER.secrets) == {"Pass/w@rd", "T4rget", "St%40te", "St@te"}
    assert not [secret for secret in ORDER.secrets if secret in repr(ORDER)]
    assert not [secret for secret in ORDER.secrets if secret in json.dumps(ORDER.settings())]


def test_an_order_without_passwords_has_no_secrets() -> None:
    source, target = Endpoint.parse("mysql://anna@a/b"), Endpoint.parse("postgresql://c/d")
    order = replace(ORDER, job=replace(JOB, source=source, target=target), state="sqlite:////a@b:c/d.db")
    assert order.secrets == ()


def test_differences_name_what_differs() -> None:
    other = replace(ORDER, job=replace(JOB, task="full", policy=replace(JOB.policy, readers=9)))
    assert differences(ORDER.settings(), ORDER.settings()) == []
    assert differences(ORDER.settings(), other.settings()) == [
        "readers is 2, not 9",
        "task is 'full+incremental', not 'full'",
    ]
    assert differences({**ORDER.settings(), "version": 9}, ORDER.settings()) == []
    assert changes(JOB.policy.to_json(), other.job.policy.to_json()) == ["readers: 2 -> 9"]


def test_a_worker_of_an_older_release_has_what_it_did_not_know_by_default() -> None:
    settings = ORDER.settings()
    older = {name: value for name, value in settings["policy"].items() if name not in ("ddl", "indexes")}
    assert differences({**settings, "policy": {**older, "version": 1}}, settings) == []
    wanted = replace(ORDER, job=replace(JOB, policy=replace(JOB.policy, indexes="unique"))).settings()
    assert differences({**settings, "policy": {**older, "version": 1}}, wanted) == ["indexes is 'all', not 'unique'"]


def test_checks_at_the_start_are_no_difference_to_a_running_worker() -> None:
    assert (
        differences(ORDER.settings(), replace(ORDER, options=Options(until="caught-up", check=True)).settings()) == []
    )


@pytest.mark.parametrize(
    ("fault", "details", "exit_"),
    [
        (Fault.SOURCE_UNREACHABLE, {"endpoint": "e", "reason": "r"}, Exit.NETWORK),
        (Fault.LOG_PURGED, {"position": "p", "reason": "r"}, Exit.FAILED),
        (Fault.TARGET_REFUSED, {"what": "w", "reason": "r"}, Exit.LATER),
        (Fault.FENCED, {"epoch": 3}, Exit.FENCED),
    ],
)
def test_a_fault_decides_the_exit_and_comes_through(fault: Fault, details: dict[str, object], exit_: Exit) -> None:
    error = DrsError(fault, **details)
    outcome = Outcome.of(error, Mask(), phase="following")
    assert outcome.exit is exit_
    assert outcome.failure == Failure.of(error)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


def test_a_fence_may_say_which_epoch_is_newer() -> None:
    assert Outcome.of(DrsError(Fault.FENCED, epoch=3, newer=9), Mask()).newer == 9
    assert Outcome.of(DrsError(Fault.FENCED, epoch=3), Mask()).newer == 0


def test_exit_codes_are_for_ever() -> None:
    assert {exit_.name: exit_.value for exit_ in Exit} == {
        "DONE": 0, "PAUSED": 10, "FAILED": 11, "LATER": 12, "NETWORK": 13, "FENCED": 14,
    }  # fmt: skip


def test_a_worker_inherits_no_secret_and_only_its_own_fault() -> None:
    environ = {
        "PATH": "/bin", "OPENDRS_SOURCE_PASSWORD": "x", "OPENDRS_TARGET_PASSWORD": "x", "MYSQL_PWD": "x",
        "PGPASSWORD": "x", "OPENDRS_STATE": "postgresql://a:b@c/d", "OPENDRS_FAULT": "sink.opened, window.flushed:3",
    }  # fmt: skip
    assert starting.environment(environ, 0) == {"PATH": "/bin", "OPENDRS_FAULT": "sink.opened"}
    assert starting.environment(environ, 1) == {"PATH": "/bin", "OPENDRS_FAULT": "window.flushed:3"}
    assert starting.environment(environ, 2) == {"PATH": "/bin"}


def test_a_fault_point_kills_at_its_nth_passage_and_once() -> None:
    killed: list[int] = []
    faults = killing.KillAt("window.flushed", 3, kill=lambda: killed.append(1))
    passages = ["window.flushed", "checkpoint.saved", "window.flushed", "window.flushed", "window.flushed"]
    counts = []
    for name in passages:
        faults.here(name)
        counts.append(len(killed))
    assert counts == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("text", ["nowhere", "window.flushed:0", "window.flushed:x", "window.flushed:-1", ":1"])
def test_a_mistyped_fault_point_is_an_error(text: str) -> None:
    with pytest.raises(DrsError) as raised:
        killing.faults({"OPENDRS_FAULT": text})
    assert raised.value.fault is Fault.SETTING_INVALID


def test_without_a_fault_nothing_happens() -> None:
    killing.faults({}).here("window.flushed")
