"""Stores that Java has written are read as Java reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from opendrs.keystores import Unreadable, certificates, identity
from tests.harness import keystores
from tests.harness.keystores import KINDS, LEGACY, Kind
from tests.unit.keystores.conftest import KEY_PASSWORD, PASSWORD, Stores

each_kind = pytest.mark.parametrize("kind", KINDS)


def subjects(pem: str) -> list[str]:
    return [one.subject.rfc4514_string() for one in load_pem_x509_certificates(pem.encode())]


@each_kind
@pytest.mark.parametrize("count", [1, 3])
def test_trusted_certificates(stores: Stores, kind: Kind, count: int) -> None:
    found = certificates(stores.trusting(kind, count), PASSWORD)
    wanted = [path.read_text() for path in (stores.files.ca, *stores.others)[:count]]
    assert sorted(load(found)) == sorted(load("".join(wanted)))


def load(pem: str) -> list[str]:
    return [repr(one.serial_number) for one in load_pem_x509_certificates(pem.encode())]


@each_kind
def test_a_private_key_with_its_chain(stores: Stores, kind: Kind) -> None:
    found = identity(stores.client(kind), PASSWORD)
    assert subjects(found.certificates) == ["CN=opendrs", "CN=opendrs test authority"]
    assert same_key(found.key, stores.files.client_key)
    assert "PRIVATE" not in repr(found) and "PRIVATE KEY" in found.key


def same_key(pem: str, file: Path) -> bool:
    ours, theirs = (load_pem_private_key(one, None) for one in (pem.encode(), file.read_bytes()))
    return ours.private_numbers() == theirs.private_numbers()  # type: ignore[union-attr]


@each_kind
def test_a_key_store_that_is_trusted(stores: Stores, kind: Kind) -> None:
    """As Java has it: the certificate of the key, and not who has issued it."""
    assert subjects(certificates(stores.client(kind), PASSWORD)) == ["CN=opendrs"]


@each_kind
def test_a_store_of_both(stores: Stores, kind: Kind, tmp_path: Path) -> None:
    store = tmp_path / "both"
    store.write_bytes(stores.client(kind))
    keystores.trusting(store, kind, PASSWORD, stores.files.ca, stores.others[0])
    both = store.read_bytes()
    trusted = certificates(both, PASSWORD)
    assert sorted(subjects(trusted)) == ["CN=opendrs", *["CN=opendrs test authority"] * 2]
    assert set(load("".join(path.read_text() for path in (stores.files.ca, stores.others[0])))) < set(load(trusted))
    assert same_key(identity(both, PASSWORD).key, stores.files.client_key)


def test_a_key_with_a_password_of_its_own(stores: Stores, tmp_path: Path) -> None:
    store = keystores.client(tmp_path / "own", "JKS", PASSWORD, stores.files, key_password=KEY_PASSWORD).read_bytes()
    assert same_key(identity(store, PASSWORD, KEY_PASSWORD).key, stores.files.client_key)
    for wrong in ("", PASSWORD, "nonsense"):
        with pytest.raises(Unreadable, match="the password of the private key is wrong"):
            identity(store, PASSWORD, wrong)


def test_pkcs12_of_older_java(stores: Stores, tmp_path: Path) -> None:
    store = keystores.client(tmp_path / "old", "PKCS12", PASSWORD, stores.files, more=(LEGACY,)).read_bytes()
    assert same_key(identity(store, PASSWORD).key, stores.files.client_key)
    trust = keystores.trusting(tmp_path / "trust", "PKCS12", PASSWORD, stores.files.ca, more=(LEGACY,)).read_bytes()
    assert load(certificates(trust, PASSWORD)) == load(stores.files.ca.read_text())


@each_kind
def test_other_kinds_of_keys(kind: Kind, stores: Stores, tmp_path: Path) -> None:
    for words in (("-keyalg", "RSA", "-keysize", "2048"), ("-keyalg", "Ed25519")):
        store = keystores.generated(tmp_path / words[1], kind, PASSWORD, "mine", *words).read_bytes()
        found = identity(store, PASSWORD)
        assert subjects(found.certificates) == ["CN=mine"] and load_pem_private_key(found.key.encode(), None)


@each_kind
def test_several_private_keys(kind: Kind, stores: Stores, tmp_path: Path) -> None:
    for alias in ("first", "second"):
        keystores.generated(tmp_path / "two", kind, PASSWORD, alias)
    store = (tmp_path / "two").read_bytes()
    with pytest.raises(Unreadable, match="it holds 2 private keys") as raised:
        identity(store, PASSWORD)
    assert kind == "PKCS12" or "'first'" in str(raised.value)
    assert sorted(subjects(certificates(store, PASSWORD))) == ["CN=first", "CN=second"]


def test_passwords_of_any_script(stores: Stores, tmp_path: Path) -> None:
    """In PKCS#12, Java takes ASCII only."""
    password = "pässwörd-€-密码"
    store = keystores.client(tmp_path / "any", "JKS", password, stores.files).read_bytes()
    assert same_key(identity(store, password).key, stores.files.client_key)
    with pytest.raises(Unreadable, match="the password is wrong"):
        identity(store, "passwort")


@each_kind
@pytest.mark.parametrize("wrong", ["nonsense", "STORE-SECRET-1", "store-secret-1 ", "\0", "x" * 1000])
def test_a_wrong_password(stores: Stores, kind: Kind, wrong: str) -> None:
    for read in (certificates, identity):
        with pytest.raises(Unreadable, match="the password is wrong") as raised:
            read(stores.client(kind), wrong)
        assert wrong not in str(raised.value)


def test_without_a_password(stores: Stores) -> None:
    """Java looks into a JKS store without one; PKCS#12 is encrypted."""
    assert load(certificates(stores.trusting("JKS"), "")) == load(stores.files.ca.read_text())
    with pytest.raises(Unreadable, match="needs a password"):
        certificates(stores.trusting("PKCS12"), "")


def test_what_is_not_there(stores: Stores) -> None:
    for kind in KINDS:
        with pytest.raises(Unreadable, match="no private key"):
            identity(stores.trusting(kind), PASSWORD)


def test_other_stores(stores: Stores, tmp_path: Path) -> None:
    keystores.keytool(
        "-importcert", "-noprompt", "-alias", "a", "-file", stores.files.ca, "-keystore", tmp_path / "jceks",
        "-storetype", "JCEKS", "-storepass", PASSWORD,
    )  # fmt: skip
    with pytest.raises(Unreadable, match="JCEKS"):
        certificates((tmp_path / "jceks").read_bytes(), PASSWORD)
