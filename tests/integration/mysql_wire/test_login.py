"""Authentication plugins and encryption, on real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from opendrs import _core
from tests.harness import certificates
from tests.harness.catalogue import create
from tests.harness.fixtures import StartServer, not_exercised
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import PASSWORD, USER, Options, ServerUnavailable
from tests.integration.mysql_wire.sources import connect, options

PLUGINS = [
    ("mariadb", "mysql_native_password"),
    ("mariadb", "ed25519"),
    ("mariadb11", "mysql_native_password"),
    ("mariadb11", "ed25519"),
    ("mariadb11", "parsec"),
    ("mariadb11", "caching_sha2_password"),
    ("mysql", "caching_sha2_password"),
    ("mysql", "sha256_password"),
    ("mysql", "mysql_native_password"),
]

PASSWORDS = {"plain": "opendrs-Pass-1", "long": "0123456789" * 9 + "Aa-", "letters": "pä߀'\\\"🦊-1A"}


@pytest.fixture(scope="module", params=["mariadb", "mariadb11", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[FamilyServer]:
    """A server with TLS, which it does not insist on."""
    try:
        made = create(request.param, Options(tls=True))
        made.start()
    except ServerUnavailable as error:
        not_exercised(request.param, str(error))
    assert isinstance(made, FamilyServer)
    yield made
    made.close()


def verified(server: FamilyServer, **changes: Any) -> dict[str, Any]:
    assert server.tls is not None
    return {"mode": "verify_full", "ca_file": str(server.tls.ca), **changes}


def make_user(server: FamilyServer, plugin: str, password: str) -> str:
    name = f"u_{plugin}"[:30]
    try:
        server.create_user(name, password, auth=plugin)
    except ServerUnavailable as error:
        not_exercised(f"{plugin} on {server.name}", str(error))
    return name


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("way", ["plain", "tls", "socket"])
@pytest.mark.parametrize(
    "plugin", ["mysql_native_password", "caching_sha2_password", "sha256_password", "ed25519", "parsec"]
)
def test_every_plugin_logs_in(server: FamilyServer, plugin: str, way: str, password: str) -> None:
    short = {"mariadb-10": "mariadb", "mariadb-11": "mariadb11"}.get(server.name, server.name)
    if (short, plugin) not in PLUGINS:
        pytest.skip(f"{server.name} does not have {plugin}")
    secret = PASSWORDS[password]
    user = make_user(server, plugin, secret)
    login = {"user": user, "password": secret}
    if way == "socket":
        # The user is one of '%', and the socket's is localhost: both match him.
        login["unix_socket"] = str(server.socket)
    tls = verified(server) if way == "tls" else {"mode": "disable"}
    for _ in range(2):  # the second time the server remembers
        with connect(server, tls=tls, **login) as connection:
            assert connection.query("SELECT CURRENT_USER() AS u") == [{"u": f"{user}@%"}]
            assert (connection.cipher is not None) == (way == "tls")
            assert connection.auth_plugin.removeprefix("client_") == plugin
    with pytest.raises(_core.MysqlError) as raised:
        connect(server, tls=tls, **{**login, "password": secret + "x"})
    assert raised.value.kind == "access_denied"
    assert raised.value.code == 1045
    assert secret not in f"{raised.value} {raised.value.message}"


def test_an_empty_password_logs_in(server: FamilyServer) -> None:
    plugin = "caching_sha2_password" if server.name == "mysql" else "mysql_native_password"
    make_user(server, plugin, "")
    with connect(server, user=f"u_{plugin}", password="") as connection:
        connection.ping()


def test_a_user_who_is_not_there(server: FamilyServer) -> None:
    with pytest.raises(_core.MysqlError) as raised:
        connect(server, user="nobody-of-that-name")
    assert raised.value.kind == "access_denied"


def test_prefer_encrypts_and_disable_does_not(server: FamilyServer) -> None:
    for mode, encrypted in (("disable", False), ("prefer", True), ("require", True)):
        with connect(server, tls={"mode": mode}) as connection:
            assert (connection.cipher is not None) == encrypted
            status = connection.query("SHOW SESSION STATUS LIKE 'Ssl_version'")
            assert status[0]["Value"] == ("TLSv1.3" if encrypted else "")


def test_the_certificate_is_verified(server: FamilyServer, tmp_path: Any) -> None:
    assert server.tls is not None
    other = certificates.make(tmp_path / "other")
    good = str(server.tls.ca)
    # (mode, authority, host) -> whether it may succeed
    cases = [
        ("verify_full", good, "127.0.0.1", True),
        ("verify_full", good, "localhost", True),
        ("verify_ca", good, "127.0.0.1", True),
        ("verify_full", str(other.ca), "127.0.0.1", False),
        ("verify_ca", str(other.ca), "127.0.0.1", False),
        ("verify_full", None, "127.0.0.1", False),
        ("require", str(other.ca), "127.0.0.1", True),
    ]
    for mode, authority, host, allowed in cases:
        tls = {"mode": mode, "ca_file": authority}
        if allowed:
            connect(server, tls=tls, host=host).close()
            continue
        with pytest.raises(_core.MysqlError) as raised:
            connect(server, tls=tls, host=host)
        assert raised.value.kind == "tls", (mode, authority, host)


def test_the_name_in_the_certificate_counts(server: FamilyServer) -> None:
    with pytest.raises(_core.MysqlError) as raised:
        connect(server, tls=verified(server, server_name="db.example"))
    assert raised.value.kind == "tls"
    connect(server, tls=verified(server, mode="verify_ca", server_name="db.example")).close()


def test_a_client_certificate_proves_who_we_are(server: FamilyServer) -> None:
    assert server.tls is not None
    server.create_user("u_x509", "opendrs-Pass-1")
    server.execute("ALTER USER u_x509@'%' REQUIRE X509")
    login = {"user": "u_x509", "password": "opendrs-Pass-1"}
    ours = {"cert_file": str(server.tls.client_certificate), "key_file": str(server.tls.client_key)}
    connect(server, tls=verified(server, **ours), **login).close()
    for tls in (verified(server), {"mode": "disable"}):
        with pytest.raises(_core.MysqlError) as raised:
            connect(server, tls=tls, **login)
        assert raised.value.kind == "access_denied"
    half = {"cert_file": ours["cert_file"]}
    with pytest.raises(_core.MysqlError, match="key_file"):
        connect(server, tls=verified(server, **half), **login)


def test_tls_is_not_had_from_a_server_without_it(source: FamilyServer) -> None:
    with pytest.raises(_core.MysqlError) as raised:
        connect(source, tls={"mode": "require"})
    assert raised.value.kind == "tls"
    with connect(source, tls={"mode": "prefer"}) as connection:
        assert connection.cipher is None


def test_the_server_sees_who_we_are(start_server: StartServer) -> None:
    server = start_server("mysql", Options(settings={"performance_schema": "ON"}))
    assert isinstance(server, FamilyServer)
    with connect(server, attributes={"job": "j1"}) as connection:
        rows = connection.query(
            "SELECT attr_name, attr_value FROM performance_schema.session_connect_attrs "
            "WHERE processlist_id = CONNECTION_ID()"
        )
    shown = {row["attr_name"]: row["attr_value"] for row in rows}
    assert shown["program_name"] == "opendrs"
    assert shown["job"] == "j1"


def test_nobody_there_and_nonsense_options(source: FamilyServer) -> None:
    def kind(**changes: Any) -> str:
        with pytest.raises(_core.MysqlError) as raised:
            _core.MysqlConnection(json.dumps(options(source, **changes)))
        assert PASSWORD not in str(raised.value)
        return raised.value.kind

    assert kind(port=1) == "net.refused"
    assert kind(unix_socket="/nonexistent/socket") == "net.refused"
    assert kind(host="no-such-host.invalid") == "net.dns"
    assert kind(nonsense=PASSWORD) == "misuse"
    assert kind(port=PASSWORD) == "misuse"
    assert kind(user=USER, database="no_such_database") in ("server", "access_denied")
