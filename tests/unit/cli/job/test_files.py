"""Files of objects from the shell: what is asked of the service, and what is saved where."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from opendrs.api.uploading import Uploads
from opendrs.signature import Call, parse_authorization, verify
from tests.unit.cli.job.conftest import Run, Serve
from tests.unit.cli.job.fake import BY_KEY, PROJECT, Fake, job, jobs

SHOP = job("shop")
TEMPLATE = f"/jobs/{SHOP['id']}/db-object/template"
PENDING = {"send_success": True, "process_status": "pending", "parsed_success_number": "7"}
GOOD = {"send_success": True, "process_status": "success", "parsed_success_number": "9"}
BAD = {**GOOD, "process_status": "failed", "error_code": "DRS.10030015", "error_msg": "2 of 9 rows are wrong"}
REFUSED = (400, {"error_code": "DRS.10030008", "error_msg": "there is none"})


def archive(**files: bytes) -> httpx.Response:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return httpx.Response(200, content=content.getvalue(), headers={"Content-Type": "application/octet-stream"})


def importing(progress: Any, result: Any = REFUSED, status: str = "CONFIGURATION") -> dict[str, Any]:
    return {
        "GET /jobs": jobs(SHOP),
        f"GET /jobs/{SHOP['id']}": {"job": {"status": status}},
        f"POST {TEMPLATE}": PENDING,
        f"GET {TEMPLATE}/progress": progress,
        f"GET {TEMPLATE}/result": result,
    }


def test_a_template_is_unpacked(serve: Serve, run: Run, tmp_path: Path) -> None:
    fake = serve({"GET /jobs": jobs(SHOP), f"GET {TEMPLATE}": (200, archive(**{"a.xlsx": b"x", "../b.xls": b"y"}))})
    for _ in range(2):
        ran = run("job", "template", "shop", "--level", "column", "-o", str(tmp_path))
        assert ran.exit_code == 0, ran.output
    assert {path.name for path in tmp_path.glob("*.xl*")} == {"a.xlsx", "b.xls", "a (1).xlsx", "b (1).xls"}
    assert ran.stdout.splitlines() == [str(tmp_path / "a (1).xlsx"), str(tmp_path / "b (1).xls")]
    assert fake.requests[-1].url.params["file_import_db_level"] == "column"
    serve({"GET /jobs": jobs(SHOP), f"GET {TEMPLATE}": (200, httpx.Response(200, content=b"no archive"))})
    assert run("job", "template", "shop", "-o", str(tmp_path)).exit_code == 1
    serve({"GET /jobs": jobs(SHOP), f"GET {TEMPLATE}": (200, archive(a=b""))})
    assert run("job", "template", "shop", "-o", str(tmp_path / "nowhere")).exit_code == 2


def test_a_file_that_is_good(serve: Serve, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "my tables.xlsx"
    file.write_bytes(b"PK what it holds")
    fake = serve(importing([PENDING, GOOD]))
    ran = run("job", "import", "shop", str(file), "--level", "database", "--mapping", "table_mapping")
    assert ran.exit_code == 0, ran.output
    assert ran.stdout == "shop replicates what is in my tables.xlsx: 9 rows. Next: opendrs job precheck shop\n"
    serve(importing(GOOD, status="INCRE_TRANSFER_STARTED"))
    ran = run("job", "import", "shop", str(file))
    assert ran.stdout == (
        "shop is to replicate what is in my tables.xlsx: 9 rows."
        " Next: opendrs job precheck shop, then opendrs job edit shop\n"
    )
    sent = next(one for one in fake.requests if one.method == "POST")
    assert dict(sent.url.params) == {"file_import_db_level": "database", "file_import_mapping_type": "table_mapping"}
    arriving = Uploads(tmp_path).begin()
    arriving.write(sent.content)
    with arriving.file(sent.headers["content-type"]) as found:  # as the service reads it
        assert (found.name, found.path.read_bytes()) == ("my tables.xlsx", b"PK what it holds")
    arriving.discard()


@pytest.mark.parametrize(
    ("level", "asked", "result"),
    [
        ("table", {}, {"type": "detail"}),
        ("column", {"type": "column"}, {"type": "detail", "file_export_object_level": "column"}),
        ("compare_key", {"type": "compare_key"}, {"type": "compare_key_detail"}),
    ],
)
def test_a_file_that_comes_back(
    serve: Serve, run: Run, tmp_path: Path, level: str, asked: dict[str, str], result: dict[str, str]
) -> None:
    file = tmp_path / "a.xls"
    file.write_bytes(b"x")
    fake = serve(importing(BAD, (200, archive(**{"a.xls": b"with reasons"}))))
    ran = run("job", "import", "shop", str(file), "--level", level)
    assert ran.exit_code == 1 and "2 of 9 rows are wrong [DRS.10030015]" in ran.stderr
    assert (tmp_path / "a.errors.xls").read_bytes() == b"with reasons" and file.read_bytes() == b"x"
    assert f"What is wrong stands in {tmp_path / 'a.errors.xls'}" in ran.stderr
    queries = {one.url.path.rpartition("/")[2]: dict(one.url.params) for one in fake.requests}
    assert queries["progress"] == asked and queries["result"] == result


def test_files_that_come_to_nothing(serve: Serve, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"x")
    serve(importing(BAD))  # it could not be read at all, and nothing comes back
    assert run("job", "import", "shop", str(file)).exit_code == 1
    assert [path.name for path in tmp_path.glob("a*")] == ["a.xlsx"]
    serve(importing(GOOD) | {f"POST {TEMPLATE}": (400, {"error_code": "DRS.M00202", "error_msg": "too large"})})
    ran = run("job", "import", "shop", str(file))
    assert ran.exit_code == 1 and "too large [DRS.M00202]" in ran.stderr
    assert run("job", "import", "shop", str(tmp_path / "nowhere.xlsx")).exit_code == 2
    assert run("job", "import", "sho", str(file)).exit_code == 1  # what changes a job wants its whole name


def test_a_signed_file_is_signed_whole() -> None:
    fake = Fake({f"POST {TEMPLATE}": PENDING})
    with fake.client(BY_KEY) as client:
        client.send(f"/v5/{PROJECT}{TEMPLATE}", {"a": None, "b": "c"}, "ü.xlsx", b"content")
    (request,) = fake.requests
    path, _, query = request.url.raw_path.decode().partition("?")
    headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    call = Call(method="POST", path=path, query=query, headers=headers, body=request.content)
    verify(call, parse_authorization(request.headers["authorization"]), "a-secret-key", datetime.now(UTC))
    assert query == "b=c" and "content-type" in parse_authorization(request.headers["authorization"]).signed
