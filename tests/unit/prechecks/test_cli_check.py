"""The command `opendrs check`."""

from __future__ import annotations

import inspect
import json
from typing import Any, get_args

import pytest
import typer
from typer.testing import CliRunner, Result

from opendrs.cli import check as command
from opendrs.cli import run as run_command
from opendrs.cli.exits import Code
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Policy
from opendrs.model.publishing import Publishing
from opendrs.worker import checking
from opendrs.worker.checking import Counting

SOURCE, TARGET = "mysql://u:secret-1@db:3306", "postgresql://u:secret-2@pg:5432/d"

app = typer.Typer()
app.command()(command.check)


def finding(item: str, result: Any, group: str = "db_params", remedy: str = "") -> Finding:
    return Finding(item=item, group=group, result=result, message=f"what {item} says", remedy=remedy)


FOUND = [
    finding("srcA", "PASSED", "network"),
    finding("srcB", "ALARM", remedy="See to it."),
    finding("srcC", "FAILED", remedy="Do this:\nSET PERSIST binlog_format = 'ROW';"),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the check was called with; it finds FOUND."""
    found: list[tuple[Any, ...]] = []

    def check(*arguments: Any) -> list[Finding]:
        found.append(arguments)
        return FOUND

    monkeypatch.setattr(checking, "check", check)
    return found


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_every_finding_is_printed_failures_first(calls: list[tuple[Any, ...]]) -> None:
    result = invoke(SOURCE, TARGET)
    assert result.exit_code == Code.FAILED
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert lines == [
        "Settings",
        "FAILED  srcC", "what srcC says", "> Do this:", "> SET PERSIST binlog_format = 'ROW';",
        "ALARM   srcB", "what srcB says", "> See to it.",
        "Connections",
        "PASSED  srcA", "what srcA says",
        "3 findings: 1 FAILED, 1 ALARM, 1 PASSED",
    ]  # fmt: skip


def test_lines_are_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "SELECT " + ", ".join(f"column_{n}" for n in range(100)) + ";"
    monkeypatch.setattr(checking, "check", lambda *_: [finding("srcA", "FAILED", remedy=long)])
    assert long in invoke(SOURCE).stdout


def test_json(calls: list[tuple[Any, ...]]) -> None:
    result = invoke(SOURCE, TARGET, "--json")
    assert result.exit_code == Code.FAILED
    document = json.loads(result.stdout)
    assert document["version"] == 1
    assert document["counts"] == {"FAILED": 1, "ALARM": 1, "PASSED": 1}
    assert document["findings"][0] == {
        "item": "srcC", "group": "db_params", "result": "FAILED", "message": "what srcC says",
        "remedy": "Do this:\nSET PERSIST binlog_format = 'ROW';",
    }  # fmt: skip


def test_alarms_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check", lambda *_: FOUND[:2])
    assert invoke(SOURCE, TARGET).exit_code == Code.DONE


def test_options_reach_the_check(calls: list[tuple[Any, ...]]) -> None:
    words = (
        "--tables shop.* --tables a.b --map shop=store --task full --readers 7 --consistent --invalid-dates epoch "
        "--nul-in-text remove --server-id 9 --accept dstDbDiskSize --no-count --count-timeout 5"
    )
    invoke(SOURCE, TARGET, *words.split())
    ((source, target, selection, policy, task, options),) = calls
    assert (source.host, target.host, task) == ("db", "pg", "full")
    assert selection.patterns == ("shop.*", "a.b") and selection.schemas == {"shop": "store"}
    assert policy == Policy(readers=7, consistent=True, invalid_dates="epoch", nul_in_text="remove", server_id=9)
    assert options.server_id == 9 and options.accepted == {"dstDbDiskSize"}
    assert options.counting == Counting(rows_max=command.BIG_ROWS, timeout_s=5.0)


def test_a_kafka_url_says_how_changes_are_published(calls: list[tuple[Any, ...]]) -> None:
    invoke(SOURCE, "kafka://anna:secret-3@h1:9092,h2/all?format=avro&tls=require&ddl_topic=ddl")
    ((_, target, _, policy, _, options),) = calls
    assert target == Endpoint.parse("kafka://anna:secret-3@h1:9092,h2/all?tls=require")
    assert policy.publishing == Publishing(format="avro", topic_policy=0, topic="all", ddl_topic="ddl")
    assert options.server_id, "the job that would run has an id"


def test_the_target_may_be_left_out(calls: list[tuple[Any, ...]]) -> None:
    invoke(SOURCE)
    ((_, target, _, _, task, options),) = calls
    assert target is None and task == "full+incremental" and options.server_id == 0
    assert options.counting == Counting()


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        [SOURCE, "--map", "x"],
        [SOURCE, "--tables", "x"],
        [SOURCE, "--accept", "x"],
        [SOURCE, "kafka://h/t?format=xml"],
        [SOURCE, "kafka://h/t?tls=prefer"],
    ],
)
def test_a_wrong_command_line(words: list[str], calls: list[tuple[Any, ...]]) -> None:
    assert invoke(*words).exit_code == Code.USAGE
    assert calls == []


def test_a_check_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(*_: Any) -> list[Finding]:
        raise DrsError(Fault.UNSUPPORTED, what="mysql to secret-2")

    monkeypatch.setattr(checking, "check", check)
    result = invoke(SOURCE, TARGET)
    assert result.exit_code == Code.FAILED
    assert "secret" not in result.output.replace("secret-2", "") and "***" in result.output


def options_of(function: Any) -> dict[str, tuple[object, object, object]]:
    """Name -> declaration on the command line, default, type."""
    found = {}
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        kind, option = get_args(parameter.annotation)
        found[name] = (option.param_decls, parameter.default, kind)
    return found


def test_the_options_are_those_of_run() -> None:
    """What `run` can be told about the job, `check` can be told in the same words."""
    run, check = options_of(run_command.run), options_of(command.check)
    beside_the_job = {"state", "until", "check", "plain", "apply", "conflict", "skip_ddl"}
    assert run.keys() - check.keys() <= beside_the_job
    shared = run.keys() & check.keys() - {"target_url"}
    assert {name: check[name] for name in shared} == {name: run[name] for name in shared}
