"""Files of objects, as far as the API goes: which are taken and which are not, in which order, and what is left of them.
What is in them is looked at by a worker, which these tests play."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import huaweicloudsdkdrs.v5 as v5
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from opendrs.api.uploading import FRAME_MAX, PARTS_MAX, Uploads
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import ALLOWED, State, Verb
from opendrs.signature import Call, sign
from opendrs.store import actions
from opendrs.templates.files import FILE_MAX, MB
from tests.harness.service import ACCESS_KEY, PROJECT, SECRET_KEY, Sdk, eventually
from tests.integration.api import workbooks
from tests.integration.api.jobs import chosen, creation
from tests.integration.api.raw import BOUNDARY, MULTIPART, Raw, listening, multipart
from tests.integration.api.test_orders import brought_to
from tests.integration.api.world import RUNNER, World

ZIP, OLE = b"PK\3\4", bytes.fromhex("d0cf11e0a1b11ae1")
NO_FILE, WRONG, STATE, UNSUPPORTED, EMPTY, REQUEST = (
    "DRS.10030008", "DRS.M00202", "DRS.M00304", "DRS.10050044", "DRS.M00201", "DRS.M00300",
)  # fmt: skip
NOBODYS = "00000000-0000-0000-0000-0000000jb201"
RESULTS = ("detail", "synchronized", "change", "compare", "compare_key_detail")


@pytest.fixture
def sdk(world: World) -> Sdk:
    return world.sdk()


@pytest.fixture
def job(world: World, sdk: Sdk) -> str:
    return brought_to(world, sdk, State.CONFIGURATION)


@pytest.fixture
def kafka(world: World, sdk: Sdk) -> str:
    body = creation("to-kafka", engine_type="mysql-to-kafka").to_dict()
    inner = {"endpoint_name": "kafka", "ip": "127.0.0.1:1", "db_user": "", "db_password": ""}
    body["job"]["target_endpoint"] = [
        {"db_type": "kafka", "endpoint_type": "offline", "endpoint_role": "ta", "endpoint": inner}
    ]
    made = str(sdk.call("create_job", body=body).id)
    world.step()
    return made


@pytest.fixture
def raw(world: World) -> Any:
    with listening() as log:
        raw = Raw(world.url, log)
        yield raw
        raw.end(())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One that looks like a workbook, and need not be one here."""
    path = tmp_path / "objects.xlsx"
    path.write_bytes(ZIP + b"whatever")
    return path


def progress(sdk: Sdk, job: str, kind: str | None = None) -> tuple[bool, str | None, str]:
    found = sdk.call("show_db_object_template_progress", job_id=job, type=kind)
    return found.send_success, found.process_status, found.parsed_success_number


def result(sdk: Sdk, job: str, kind: str, **more: Any) -> str:
    return sdk.refused("show_db_object_template_result", job_id=job, type=kind, **more)


def errand(world: World) -> Action:
    found = world.take()
    assert found is not None
    return found


def ended(
    world: World, action: Action, *, rows: int = 0, saving: str | None = None, failure: Failure | None = None
) -> None:
    """A runner's word on an import."""
    with world.store.write() as connection:
        actions.keep_result(connection, action.id, {"rows": rows})
        facts = {"rows": rows, **({"saving": saving} if saving else {})}
        actions.finish(connection, action.id, RUNNER, result=None if failure else facts, failure=failure)


def folder(world: World, job: str) -> Path:
    return world.attendant.place.folder_of(job) / "imports"


def uploads(world: World) -> list[Path]:
    return list((world.attendant.place.folder / "uploads").glob("*"))


# orders


def test_before_any_file(sdk: Sdk, job: str) -> None:
    assert progress(sdk, job) == (False, None, "0")
    for kind in RESULTS:
        assert result(sdk, job, kind) == NO_FILE
    assert result(sdk, job, "detail", file_export_object_level="column") == NO_FILE
    assert result(sdk, job, "nonsense") == WRONG
    assert sdk.refused("show_db_object_template_progress", job_id=job, type="nonsense") == WRONG


def test_jobs_that_there_are_not(sdk: Sdk, file: Path) -> None:
    assert sdk.refusal(lambda: sdk.upload(NOBODYS, file)) == "DRS.10000010"
    for name, more in {
        "download_db_object_template": {}, "show_db_object_template_progress": {}, "show_support_object_type": {},
        "show_db_object_template_result": {"type": "detail"}, "show_object_mapping": {"body": {}},
    }.items():  # fmt: skip
        assert sdk.refused(name, job_id=NOBODYS, **more) == "DRS.10000010", name


@pytest.mark.parametrize("level", ["database", "table", "column", "compare_key"])
def test_templates(sdk: Sdk, job: str, level: str) -> None:
    for again in (False, True):
        files = workbooks.unpacked(sdk.download("download_db_object_template", job_id=job, file_import_db_level=level))
        assert set(files) == {f"import-{level}.xlsx", f"import-{level}.xls"}, again
        assert sdk.seen[0].headers["Content-Disposition"] == f'attachment; filename="import-{level}.zip"'


def test_levels_and_names_that_a_flow_does_not_have(sdk: Sdk, job: str, kafka: str, file: Path) -> None:
    for one in (job, kafka):
        partition = {"job_id": one, "file_import_db_level": "partition"}
        assert sdk.refused("download_db_object_template", **partition) == UNSUPPORTED
        assert sdk.refusal(lambda one=one: sdk.upload(one, file, file_import_db_level="partition")) == UNSUPPORTED
        assert "partitions cannot be chosen one by one" in sdk.seen[0].json()["error_msg"]
    assert sdk.refused("download_db_object_template", job_id=kafka, file_import_db_level="compare_key") == UNSUPPORTED
    assert sdk.refusal(lambda: sdk.upload(job, file, file_import_mapping_type="topic_mapping")) == WRONG
    assert sdk.refusal(lambda: sdk.upload(job, file, file_import_db_level="nonsense")) == WRONG
    assert sdk.refusal(lambda: sdk.upload(job, file, file_import_mapping_type="nonsense")) == WRONG
    for level in ("database", "table", "column"):
        archive = sdk.download("download_db_object_template", job_id=kafka, file_import_db_level=level)
        name, content = workbooks.only(archive)
        assert name == f"import-{level}.json" and json.loads(content)["job"]["type"] == "db_object"


@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_states(world: World, sdk: Sdk, file: Path, state: State) -> None:
    job = brought_to(world, sdk, state)
    if state in ALLOWED[Verb.OBJECTS]:
        sdk.upload(job, file)
        assert len(list(folder(world, job).iterdir())) == 1
    else:
        assert sdk.refusal(lambda: sdk.upload(job, file)) == STATE
        assert not folder(world, job).exists() or not list(folder(world, job).iterdir())
    assert not uploads(world)


def test_keys_for_comparison_may_come_while_a_job_runs(world: World, sdk: Sdk, file: Path) -> None:
    job = brought_to(world, sdk, State.INCREMENTAL)
    sdk.upload(job, file, file_import_db_level="compare_key")
    assert progress(sdk, job) == progress(sdk, job, "compare_key") == (True, "pending", "0")
    assert sdk.refusal(lambda: sdk.upload(job, file, file_import_db_level="compare_key")) == STATE
    ended(world, errand(world), rows=3)
    assert progress(sdk, job) == (True, "success", "3")
    sdk.upload(job, file, file_import_db_level="compare_key")


def test_an_import_from_the_upload_to_the_saving(world: World, sdk: Sdk, job: str, file: Path) -> None:
    told = sdk.upload(job, file)
    assert (told.send_success, told.process_status, told.parsed_success_number) == (True, "pending", "0")
    assert result(sdk, job, "detail") == NO_FILE and "still being read" in sdk.seen[0].json()["error_msg"]
    action = errand(world)
    assert action.kind is Kind.IMPORT
    assert action.params == {"level": "table", "mapping": None, "file": "objects.xlsx", "kind": "xlsx"}
    (place,) = folder(world, job).iterdir()
    assert place.name == f"import_db_object-{action.id}" and (place / "upload.xlsx").read_bytes() == file.read_bytes()
    with world.store.write() as connection:
        actions.keep_result(connection, action.id, {"rows": 700})
    assert progress(sdk, job) == (True, "pending", "700")
    with world.store.write() as connection:
        saving = actions.ask(
            connection,
            job,
            Kind.OBJECTS,
            "tester",
            revision=0,
            status="waiting",
            params={"db_object": {}, "selection": {}},
        )
    (place / "result.zip").write_bytes(b"an archive")
    ended(world, action, rows=900, saving=saving)
    assert progress(sdk, job) == (True, "pending", "900")  # it is over when it is saved
    assert result(sdk, job, "detail") == NO_FILE
    with world.store.write() as connection:
        failure = Failure.of(DrsError(Fault.OBJECTS_MISSING, reason="it has just gone"))
        actions.close(connection, saving, "failed", failure)
    assert progress(sdk, job) == (True, "failed", "900")
    assert sdk.seen[0].json()["error_code"] == "DRS.10030015"
    assert sdk.download("show_db_object_template_result", job_id=job, type="detail") == b"an archive"
    assert sdk.seen[0].headers["Content-Disposition"] == 'attachment; filename="objects.zip"'
    with world.store.write() as connection:
        actions.close(connection, saving)
    assert progress(sdk, job) == (True, "success", "900")


def test_one_that_fails_keeps_what_it_has_read(world: World, sdk: Sdk, job: str, file: Path) -> None:
    sdk.upload(job, file)
    failure = Failure.of(DrsError(Fault.FILE_REFUSED, file="objects.xlsx", reason="it is no ZIP"))
    ended(world, errand(world), rows=12, failure=failure)
    assert progress(sdk, job) == (True, "failed", "12")
    assert sdk.seen[0].json()["error_msg"].startswith("The file objects.xlsx cannot be taken: it is no ZIP. ")
    assert result(sdk, job, "detail") == NO_FILE
    assert "it is no ZIP" in sdk.seen[0].json()["error_msg"]


def test_nothing_else_is_chosen_while_a_file_is_read(world: World, sdk: Sdk, job: str, file: Path) -> None:
    sdk.upload(job, file)
    for act in (
        lambda: sdk.upload(job, file),
        lambda: sdk.upload(job, file, file_import_db_level="column"),
        lambda: sdk.update(job, "db_object", db_object=chosen("shop", "orders")),
    ):
        assert sdk.refusal(act) == STATE
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"  # what was checked is about to change
    words = sdk.call("show_actions", job_id=job).job_action
    assert "start" not in [word.lower() for word in words.available_actions]
    world.run_errands(well=False)
    sdk.update(job, "db_object", db_object=chosen("shop", "orders"))
    assert sdk.refusal(lambda: sdk.upload(job, file)) == STATE
    assert "another saving is not over yet" in sdk.seen[0].json()["error_msg"]
    world.run_errands()
    sdk.upload(job, file)


def test_a_file_takes_the_place_of_the_one_before(world: World, sdk: Sdk, job: str, file: Path) -> None:
    for level in ("table", "column", "compare_key", "database", "column"):
        sdk.upload(job, file, file_import_db_level=level)
        world.run_errands(well=False)
    names = sorted(path.name.partition("-")[0] for path in folder(world, job).iterdir())
    assert names == ["import_column", "import_compare_key", "import_db_object"]
    assert not uploads(world)


def test_files_go_with_their_job(world: World, sdk: Sdk, job: str, file: Path) -> None:
    sdk.upload(job, file)
    world.run_errands(well=False)
    sdk.act(job, "terminate")
    assert sdk.refusal(lambda: sdk.upload(job, file)) == STATE
    # What the errand of a termination does with the folder is its own; nothing has come to it meanwhile.
    assert len(list(folder(world, job).iterdir())) == 1


def test_two_at_the_same_time(world: World, sdk: Sdk, job: str, file: Path) -> None:
    clients, together = [world.sdk() for _ in range(6)], threading.Barrier(6)

    def send(client: Sdk) -> str:
        together.wait()
        try:
            client.upload(job, file)
        except ClientRequestException as error:
            return str(error.error_code)
        return "taken"

    with ThreadPoolExecutor(6) as threads:
        found = sorted(threads.map(send, clients))
    assert found == [STATE] * 5 + ["taken"]
    assert len(list(folder(world, job).iterdir())) == 1 and not uploads(world)


# which files


def big(path: Path, size: int, head: bytes = ZIP) -> Path:
    path.write_bytes(head + b"\0" * (size - len(head)))
    return path


def test_sizes(world: World, sdk: Sdk, job: str, kafka: str, tmp_path: Path) -> None:
    too_large = big(tmp_path / "a.xlsx", FILE_MAX + 1)
    assert sdk.refusal(lambda: sdk.upload(job, too_large)) == WRONG
    assert f"it has {FILE_MAX + 1} bytes, and a .xlsx may have {FILE_MAX}" in sdk.seen[0].json()["error_msg"]
    far_too_large = big(tmp_path / "b.xlsx", FILE_MAX + FRAME_MAX + 1)
    assert sdk.refusal(lambda: sdk.upload(job, far_too_large)) == WRONG
    assert f"it has more than {FILE_MAX} bytes" in sdk.seen[0].json()["error_msg"]
    assert sdk.refusal(lambda: sdk.upload(job, big(tmp_path / "c.xlsx", 13 * MB))) == "APIGW.0201"
    assert sdk.refusal(lambda: sdk.upload(kafka, big(tmp_path / "d.zip", MB + 1))) == WRONG
    assert sdk.refusal(lambda: sdk.upload(kafka, big(tmp_path / "e.json", 0, b""))) == WRONG
    assert not uploads(world) and not folder(world, job).exists()
    sdk.upload(job, big(tmp_path / "f.xlsx", FILE_MAX))
    sdk.upload(kafka, big(tmp_path / "g.zip", MB))


@pytest.mark.parametrize(
    ("name", "head", "why"),
    [
        ("a.xlsm", ZIP, "may hold macros"),
        ("a.xlsb", ZIP, "may hold macros"),
        ("a.csv", b"a,b", "this job takes .xlsx, .xls"),
        ("a.json", b"{}", "this job takes .xlsx, .xls"),
        ("a.xls", ZIP, "it is named .xls, and is a ZIP or a newer workbook"),
        ("a.xlsx", OLE, "it is named .xlsx, and is an older or a protected workbook"),
        ("a.xlsx", b"text", "it is named .xlsx, and is something else"),
        ("a;b.xlsx", ZIP, "its name must be"),
        (" a.xlsx", ZIP, "its name must be"),
    ],
)
def test_files_that_are_not_taken(
    world: World, sdk: Sdk, job: str, tmp_path: Path, name: str, head: bytes, why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(head)
    assert sdk.refusal(lambda: sdk.upload(job, path)) == WRONG
    assert why in sdk.seen[0].json()["error_msg"]
    assert not uploads(world) and not folder(world, job).exists()


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x.xlsx", "..\\..\\x.xlsx", "/etc/x.xlsx", "C:\\x.xlsx", "x.xlsx"]
)
def test_names_that_lead_elsewhere_are_names_without_folders(world: World, raw: Raw, job: str, name: str) -> None:
    raw.good("POST", place(job), content=multipart(name, ZIP), headers={"Content-Type": MULTIPART})
    assert errand(world).params["file"] == "x.xlsx"
    (found,) = folder(world, job).iterdir()
    assert [path.name for path in found.iterdir()] == ["upload.xlsx"]


def place(job: str) -> str:
    return f"jobs/{job}/db-object/template"


# how they are sent


def _part(name: str, content: bytes = b"x") -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"


def test_bodies_as_clients_make_them(world: World, raw: Raw, job: str) -> None:
    typed = f"--{BOUNDARY}\r\nContent-Type: x/y\r\ncontent-disposition: FORM-DATA; filename*=UTF-8''%E8%A1%A8.xlsx; name=file\r\n\r\n"
    bodies = {
        "a.xlsx": multipart("a.xlsx", ZIP + b"\r\n--\r\n--a-bound\r\n", more=_part("other") + _part("file_name")),
        "表.xlsx": typed.encode() + ZIP + f"\r\n--{BOUNDARY}--".encode(),
        "ü.xlsx": b"a preamble\r\n" + multipart("ü.xlsx", ZIP) + b"an epilogue",
    }
    for name, body in bodies.items():
        for kind in (MULTIPART, f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"'):
            raw.good("POST", place(job), content=body, headers={"Content-Type": kind})
            action = errand(world)
            assert action.params["file"] == name
            (found,) = folder(world, job).iterdir()
            content = ZIP + b"\r\n--\r\n--a-bound\r\n" if name == "a.xlsx" else ZIP
            assert (found / "upload.xlsx").read_bytes() == content
            world.finish(action, well=False)


def test_a_body_in_chunks(world: World, raw: Raw, job: str) -> None:
    body = multipart("a.xlsx", ZIP + b"\0" * 100_000)
    chunks = (body[at : at + 1000] for at in range(0, len(body), 1000))
    answer = raw.client.post(
        f"/v5/{PROJECT}/{place(job)}", content=chunks, headers={"Content-Type": MULTIPART, "X-Auth-Token": raw.token}
    )
    assert answer.status_code == 200
    (found,) = folder(world, job).iterdir()
    assert (found / "upload.xlsx").stat().st_size == 100_004


GOOD = multipart("a.xlsx", ZIP)


@pytest.mark.parametrize(
    ("content", "kind", "code", "status"),
    [
        (b"", MULTIPART, EMPTY, 400),
        (GOOD, "application/json", REQUEST, 415),
        (GOOD, "", REQUEST, 415),
        (GOOD, "multipart/form-data", REQUEST, 400),
        (GOOD, "multipart/form-data; boundary=another", REQUEST, 400),
        (GOOD, f"multipart/form-data; boundary={'x' * 71}", REQUEST, 400),
        (GOOD[:-30], MULTIPART, REQUEST, 400),
        (GOOD.replace(b"\r\n\r\n", b"\r\n"), MULTIPART, REQUEST, 400),
        (b"nothing of the kind", MULTIPART, REQUEST, 400),
        (f"--{BOUNDARY}".encode(), MULTIPART, REQUEST, 400),
        (f"--{BOUNDARY}--".encode(), MULTIPART, EMPTY, 400),
        (multipart("a.xlsx", ZIP, part="document"), MULTIPART, EMPTY, 400),
        (multipart("", ZIP), MULTIPART, WRONG, 400),
        (multipart("a.xlsx", ZIP, more=_part("file")), MULTIPART, REQUEST, 400),
        (multipart("a.xlsx", ZIP, more=_part("x") * PARTS_MAX), MULTIPART, REQUEST, 400),
        (multipart("a.xlsx", b""), MULTIPART, WRONG, 400),
        (b"\r\n" * 10_000, MULTIPART, REQUEST, 400),
        (multipart("a\0.xlsx", ZIP), MULTIPART, WRONG, 400),
        (GOOD.replace(b"a.xlsx", b"\xff\xfe.xlsx"), MULTIPART, None, 0),
    ],
)  # fmt: skip
def test_bodies_that_hold_no_file(
    world: World, raw: Raw, job: str, content: bytes, kind: str, code: str | None, status: int
) -> None:
    answer = raw.ask("POST", place(job), content=content, headers={"Content-Type": kind} if kind else {})
    if code is not None:
        assert (answer.json()["error_code"], answer.status_code) == (code, status), answer.text
        assert not folder(world, job).exists()
    assert not uploads(world)


def test_whoever_leaves_in_the_middle_leaves_nothing(world: World, raw: Raw, job: str) -> None:
    import socket

    head = (
        f"POST /v5/{PROJECT}/{place(job)} HTTP/1.1\r\nHost: here\r\nX-Auth-Token: {raw.token}\r\n"
        f"Content-Type: {MULTIPART}\r\nContent-Length: 1000000\r\n\r\n"
    )
    for size in (0, 1, 300_000, 999_999):
        with socket.create_connection(("127.0.0.1", raw.port)) as connection:
            connection.sendall(head.encode() + GOOD + b"\0" * max(0, size - len(GOOD)))
            eventually(lambda size=size: (found := uploads(world)) and (not size or found[0].stat().st_size) and found)
        eventually(lambda: not uploads(world))
    assert not folder(world, job).exists()
    raw.good("POST", place(job), content=GOOD, headers={"Content-Type": MULTIPART})


def test_what_a_killed_service_has_left_goes_when_it_starts(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    uploads.clear()  # there is nothing
    arriving = uploads.begin()
    arriving.write(b"some of it")
    arriving.close()
    Uploads(tmp_path).clear()
    assert list((tmp_path / "uploads").iterdir()) == []
    arriving.discard()


def test_a_disk_without_room(world: World, raw: Raw, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.attendant.place.folder / "uploads").write_text("in the way of the folder")
    answer = raw.ask("POST", place(job), content=GOOD, headers={"Content-Type": MULTIPART})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "DRS.M00004")
    (world.attendant.place.folder / "uploads").unlink()
    raw.good("POST", place(job), content=GOOD, headers={"Content-Type": MULTIPART})


# who sends them


def signed(
    world: World, job: str, change: Callable[[dict[str, str]], None] = lambda headers: None, body: bytes = GOOD
) -> httpx.Response:
    path = f"/v5/{PROJECT}/{place(job)}"
    headers = {"Host": world.url.removeprefix("http://"), "Content-Type": MULTIPART}
    change(headers)
    call = Call(method="POST", path=path, headers=tuple(headers.items()), body=body)
    headers |= sign(call, ACCESS_KEY, SECRET_KEY, datetime.now(UTC))
    return httpx.post(world.url + path, content=GOOD, headers=headers)


def test_signatures(world: World, job: str) -> None:
    """The SDK leaves the body of an upload out of what it signs; others sign it."""
    digest = hashlib.sha256(GOOD).hexdigest()

    def good(change: Callable[[dict[str, str]], None] = lambda headers: None) -> None:
        answer = signed(world, job, change)
        assert answer.status_code == 200, answer.text
        world.run_errands(well=False)

    good()
    good(lambda headers: headers.update({"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}))
    good(lambda headers: headers.update({"X-Sdk-Content-Sha256": digest}))
    for answer in (
        signed(world, job, body=b"another body was signed"),
        signed(world, job, lambda headers: headers.update({"X-Sdk-Content-Sha256": digest[::-1]})),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")
    assert not uploads(world)


def test_nobody_leaves_anything(world: World, raw: Raw, job: str) -> None:
    for token, code, status in ((None, "APIGW.0301", 401), ("nonsense", "DRS.M00100", 403)):
        answer = raw.ask("POST", place(job), content=GOOD, headers={"Content-Type": MULTIPART}, token=token)
        assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert not uploads(world) and not folder(world, job).exists()


def test_chinese(sdk: Sdk, job: str) -> None:
    sdk.refused("show_db_object_template_result", job_id=job, type="detail", x_language="zh-cn")
    assert sdk.seen[0].json()["error_msg"].startswith("文件下载失败")


# what is told of a job


def test_how_objects_can_be_chosen(world: World, sdk: Sdk, job: str, kafka: str) -> None:
    facts = sdk.call("show_support_object_type", job_id=job)
    assert facts.is_full_trans_support_object and facts.is_incre_trans_support_object
    assert facts.is_full_incre_trans_support_object and facts.is_database_support_search
    assert (facts.file_size, facts.import_mapping_type, facts.previous_select) == ("5MB", "table_mapping", None)
    assert "mysql-to-pgl" in facts.support_object_import_engine
    assert not (facts.is_import_cloumn or facts.is_import_unique_key or facts.is_schema_support_search)
    assert sdk.call("show_support_object_type", job_id=kafka).import_mapping_type == "topic_mapping"


def test_pages_of_mappings(world: World, sdk: Sdk, job: str) -> None:
    tree = v5.DbObject(object_scope="table", object_info={
        "shop": v5.DatabaseObject(name="store", all=False, tables={
            name: v5.TableObject(name=name, type="table") for name in ("orders", "Old_Orders", "lines")
        }),
        "log": v5.DatabaseObject(name="log", all=True),
    })  # fmt: skip
    sdk.update(job, "db_object", db_object=tree)
    world.run_errands()

    def page(**body: Any) -> tuple[int, list[tuple[str, str, str | None]]]:
        found = sdk.call("show_object_mapping", job_id=job, body=v5.QueryUserSelectedObjectInfoReq(**body))
        rows = found.object_mapping_list
        return found.count, [(row.source_db_name, row.object_name, row.target_schema_name) for row in rows]

    everything = [
        ("log", "log", "log"), ("shop", "Old_Orders", "store"), ("shop", "lines", "store"), ("shop", "orders", "store"),
    ]  # fmt: skip
    assert page() == (4, everything)
    assert page(limit=2, offset=1) == (4, everything[1:3]) and page(limit=1, offset=9) == (4, [])
    assert page(table_name="order") == (2, [everything[1], everything[3]])
    assert page(db_name="LOG") == (1, everything[:1]) and page(schema_name="x") == (0, [])
    assert page(has_column_info=True) == (0, []) and page(has_column_info=False)[0] == 4
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        assert sdk.refused("show_object_mapping", job_id=job, body=bad) == WRONG
