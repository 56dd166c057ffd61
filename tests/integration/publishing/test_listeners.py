"""Every way to a broker: a job runs, or says why it is not let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.errors import Fault
from tests.harness import certificates
from tests.harness.kafka import Kafka, Listener
from tests.harness.mysql_family import FamilyServer
from tests.harness.ports import free_port
from tests.harness.server import ADMIN_PASSWORD, USER
from tests.integration.publishing.conftest import NewTale, grant_all
from tests.integration.publishing.told import differing

ADMIN = "admin"  # may do everything; over TLS alone nobody has a name, and may too
# Listener and options.
WAYS = {
    "TLS": (Listener.SSL, "tls=verify-full&tls_ca={ca}"),
    "TLS, unverified": (Listener.SSL, "tls=require"),
    "TLS, both sides": (Listener.MTLS, "tls=verify-full&tls_ca={ca}&tls_cert={cert}&tls_key={key}"),
    "PLAIN": (Listener.SASL_PLAINTEXT, ""),
    "SCRAM-SHA-256": (Listener.SASL_PLAINTEXT, "sasl=SCRAM-SHA-256"),
    "PLAIN over TLS": (Listener.SASL_SSL, "sasl=PLAIN&tls=verify-full&tls_ca={ca}"),
    "SCRAM-SHA-512 over TLS": (Listener.SASL_SSL, "sasl=SCRAM-SHA-512&tls=verify-full&tls_ca={ca}"),
}
# And the fault, and words of the reason.
REFUSED = {
    "a wrong password, PLAIN": (Listener.SASL_PLAINTEXT, "", Fault.ACCESS_DENIED, "Authentication failed"),
    "a wrong password, SCRAM": (Listener.SASL_SSL, "sasl=SCRAM-SHA-512&tls=require", Fault.ACCESS_DENIED,
                                "Authentication failed"),
    "a mechanism that is not enabled": (Listener.SASL_SSL, "sasl=SCRAM-SHA-256&tls=require", Fault.ACCESS_DENIED,
                                        "SCRAM-SHA-256"),
    "another authority": (Listener.SSL, "tls=verify-ca&tls_ca={other}", Fault.ENDPOINT_INVALID, "verify failed"),
    "a file that is not there": (Listener.SSL, "tls=verify-ca&tls_ca={other}.not", Fault.ENDPOINT_INVALID, "ssl.ca"),
    "no certificate of ours": (Listener.MTLS, "tls=verify-full&tls_ca={ca}", Fault.ENDPOINT_INVALID, "certificate"),
    "TLS where there is none": (Listener.PLAINTEXT, "tls=require", Fault.TARGET_UNREACHABLE, "SSL"),
    "no TLS where there is": (Listener.SSL, "", Fault.TARGET_UNREACHABLE, "may want TLS"),
    "no login where there must be one": (Listener.SASL_PLAINTEXT, "nobody", Fault.TARGET_UNREACHABLE, "a login"),
}  # fmt: skip


def way(
    house: Kafka, listener: Listener, options: str, *, timeout_s: int = 5, password: str | None = None, **files: Path
) -> str:
    assert house.tls is not None
    ours = {"ca": house.tls.ca, "cert": house.tls.client_certificate, "key": house.tls.client_key, **files}
    filled = options.format(**ours)
    return f"{house.url(listener, user=ADMIN, password=password)}?connect_timeout={timeout_s}&{filled}".rstrip("&")


@pytest.mark.parametrize("name", WAYS)
def test_a_job_runs(mysql: FamilyServer, house: Kafka, tell: NewTale, name: str) -> None:
    tale = tell(mysql, house)
    tale.target = way(house, *WAYS[name])
    tale.at_source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1), (2, 2)")
    if name == "TLS, both sides":  # where he has a name, and no more than this
        grant_all(house, USER, tale.name)
    try:
        tale.play({"load.loaded": "UPDATE t SET v = 3 WHERE id = 1;\nDELETE FROM t WHERE id = 2"})
    finally:
        house.revoke(USER)
    assert differing(tale) == []


@pytest.mark.parametrize("name", REFUSED)
def test_who_is_not_let_in(mysql: FamilyServer, house: Kafka, tell: NewTale, tmp_path: Path, name: str) -> None:
    tale = tell(mysql, house)
    listener, options, fault, words = REFUSED[name]
    other = certificates.make(tmp_path / "other").ca
    wrong = "not-this-1" if "password" in name else None
    tale.target = way(house, listener, options, timeout_s=1, password=wrong, other=other)
    if options == "nobody":
        tale.target = f"kafka://{house.address(listener)}?connect_timeout=1"
    error = tale.fails(fault, words)
    assert "not-this-1" not in str(error) and ADMIN_PASSWORD not in str(error)


def test_a_name_that_the_certificate_does_not_have(mysql: FamilyServer, house: Kafka, tell: NewTale) -> None:
    """It is looked at if that is asked for, and only then."""
    tale = tell(mysql, house)
    tale.at_source("CREATE TABLE t (id INT PRIMARY KEY)")
    port = house.address(Listener.SSL).rpartition(":")[2]
    assert house.tls is not None
    tale.target = f"kafka://127.1:{port}?connect_timeout=1&tls=verify-full&tls_ca={house.tls.ca}"
    tale.fails(Fault.ENDPOINT_INVALID, "127.1", "verify failed")
    tale.target = tale.target.replace("verify-full", "verify-ca")
    tale.play()


def test_nobody_listens(mysql: FamilyServer, house: Kafka, tell: NewTale) -> None:
    tale = tell(mysql, house)
    tale.target = f"kafka://127.0.0.1:{free_port()}?connect_timeout=1"
    tale.fails(Fault.TARGET_UNREACHABLE, "Connection refused", "Check that the server runs")
