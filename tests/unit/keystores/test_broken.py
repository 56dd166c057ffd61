"""Whatever a store is like, it is read or refused in words; JKS also of a hand that is not Java's."""

from __future__ import annotations

import hashlib
import random
import struct
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12
from hypothesis import given
from hypothesis import strategies as st

from opendrs.keystores import Unreadable, certificates, identity
from opendrs.keystores.der import Malformed, elements
from opendrs.keystores.pkcs12 import ROUNDS_MAX
from tests.harness import keystores
from tests.harness.keystores import KINDS, Kind
from tests.unit.keystores.conftest import PASSWORD, Stores


def outcome(store: bytes, password: str = PASSWORD) -> list[str]:
    """How both ways of reading end: empty if well. Nothing but Unreadable is raised, and it tells no secret."""
    found = []
    for read in (certificates, identity):
        try:
            read(store, password)
            found.append("")
        except Unreadable as error:
            assert str(error) and password not in str(error)
            found.append(str(error))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_every_length(stores: Stores, kind: Kind) -> None:
    for store in (stores.client(kind), stores.trusting(kind, 3)):
        for size in range(len(store)):
            assert all(outcome(store[:size])), size
    store = stores.client(kind)
    assert "cut off" in outcome(store[:-1])[0] and "empty" in outcome(b"")[0]
    assert outcome(store + b"behind it") == ["", ""]  # as in Java


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")
@pytest.mark.parametrize("kind", KINDS)
def test_changed_anywhere(stores: Stores, kind: Kind) -> None:
    store, chance = stores.client(kind), random.Random(1)
    for _ in range(400):
        broken = bytearray(store)
        for _ in range(chance.choice((1, 1, 8))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        outcome(bytes(broken))


def test_a_change_is_seen_by_the_password(stores: Stores) -> None:
    store = bytearray(stores.trusting("JKS"))
    store[-30] ^= 1
    assert "damaged" in outcome(bytes(store))[0]


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")
@given(
    st.binary(max_size=300), st.sampled_from([b"", bytes.fromhex("feedfeed00000002"), b"\x30\x82\x01\x2c", b"\x30\x80"])
)
def test_noise(noise: bytes, before: bytes) -> None:
    assert all(outcome(before + noise))


@pytest.mark.parametrize(
    "text, words",
    [
        (b"-----BEGIN CERTIFICATE-----", "PEM"),
        (b"\xce\xce\xce\xce\0\0\0\2", "JCEKS"),
        (b"bcfks", "neither"),
        (bytes.fromhex("feedfeed00000003"), "version 3"),
        (bytes.fromhex("feedfeed0000000200000001000000070000") + bytes(8), "kind 7"),
        (bytes.fromhex("feedfeed00000002ffffffff"), "cut off"),
    ],
)
def test_what_is_no_store_is_told_apart(text: bytes, words: str) -> None:
    assert words in outcome(text)[0]


# JKS, written here


def own(name: str = "me") -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    who, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    builder = x509.CertificateBuilder(who, who, key.public_key(), 7, now, now + timedelta(days=1))
    return key, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def jks(version: int, password: str, *entries: bytes) -> bytes:
    body = struct.pack(">III", 0xFEEDFEED, version, len(entries)) + b"".join(entries)
    return body + hashlib.sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def trusted(version: int, alias: str, der: bytes) -> bytes:
    return struct.pack(">I", 2) + word(alias) + bytes(8) + certificate(version, der)


def word(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def certificate(version: int, der: bytes, kind: str = "X.509") -> bytes:
    return (word(kind) if version > 1 else b"") + struct.pack(">I", len(der)) + der


def private(alias: str, protected: bytes, *chain: bytes) -> bytes:
    head = struct.pack(">I", 1) + word(alias) + bytes(8) + struct.pack(">I", len(protected)) + protected
    return head + struct.pack(">I", len(chain)) + b"".join(certificate(2, one) for one in chain)


KEY, DER = own()


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions(version: int, tmp_path: Path) -> None:
    store = jks(version, PASSWORD, trusted(version, "a", DER), trusted(version, "b", own("other")[1]))
    assert certificates(store, PASSWORD).count("BEGIN CERTIFICATE") == 2
    try:
        program = keystores.find()
    except keystores.ServerUnavailable:
        return
    (tmp_path / "store").write_bytes(store)  # Java agrees that this is one
    words = [program, "-list", "-keystore", tmp_path / "store", "-storepass", PASSWORD]
    assert "contains 2 entries" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


@given(
    st.lists(st.text(max_size=30), max_size=5),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_any_alias_and_password(aliases: list[str], password: str) -> None:
    store = jks(2, password, *(trusted(2, alias, DER) for alias in aliases))
    if aliases:
        assert certificates(store, password).count("BEGIN CERTIFICATE") == 1  # the same ones are one
    else:
        with pytest.raises(Unreadable, match="no certificate"):
            certificates(store, password)
    with pytest.raises(Unreadable, match="the password is wrong"):
        certificates(store, password + "x")


@pytest.mark.parametrize(
    "entry, words",
    [
        (private("a", b""), "no certificate"),
        (private("a", b"", DER), "private key is damaged"),
        (private("a", b"\x30\x03\x02\x01\x00", DER), "private key is damaged"),
        (private("a", bytes.fromhex("300c3005060304050604030102ff"), DER), "private key is damaged"),
        (private("a", bytes.fromhex("3032" "3006" "060429010203" "0428") + bytes(40), DER), "not known"),
        (private("a", bytes.fromhex("3038" "300c" "060a2b060104012a02110101" "0428") + bytes(40), DER), "wrong"),
    ],
)  # fmt: skip
def test_private_keys_that_cannot_be_had(entry: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        identity(jks(2, PASSWORD, entry), PASSWORD)


def protected(plain: bytes, password: str = PASSWORD) -> bytes:
    secret, salt = password.encode("utf-16-be"), bytes(range(20))
    stream, last = b"", salt
    while len(stream) < len(plain):
        last = hashlib.sha1(secret + last).digest()
        stream += last
    block = salt + bytes(one ^ other for one, other in zip(plain, stream, strict=False))
    octets = block + hashlib.sha1(secret + plain).digest()
    algorithm = bytes.fromhex("300e060a2b060104012a021101010500")
    return nested(0x30, algorithm + nested(0x04, octets))


def nested(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + struct.pack(">H", len(content)) + content


def test_a_key_beside_the_certificate_of_another() -> None:
    plain = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, pkcs12.serialization.NoEncryption())
    good = jks(2, PASSWORD, private("a", protected(plain), DER))
    assert identity(good, PASSWORD).key
    with pytest.raises(Unreadable, match="do not belong together"):
        identity(jks(2, PASSWORD, private("a", protected(plain), own()[1])), PASSWORD)
    with pytest.raises(Unreadable, match="damaged"):
        identity(jks(2, PASSWORD, private("a", protected(b"no key"), DER)), PASSWORD)
    with pytest.raises(Unreadable, match="certificate in it is damaged"):
        identity(jks(2, PASSWORD, private("a", protected(plain), DER[:-5])), PASSWORD)


def test_other_certificates() -> None:
    entry = struct.pack(">I", 2) + word("a") + bytes(8) + certificate(2, DER, "PGP")
    with pytest.raises(Unreadable, match=r"none of X\.509"):
        certificates(jks(2, PASSWORD, entry), PASSWORD)


# PKCS#12


def test_rounds_that_would_take_for_ever() -> None:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS_MAX + 1)
    store = pkcs12.serialize_key_and_certificates(b"me", KEY, None, None, builder.build(PASSWORD.encode()))
    assert "are hashed more than" in outcome(store)[0]
    # What is behind something that is no ASN.1 is not looked at by us, but what is before it is.
    assert "are hashed more than" in outcome(nested(0x30, nested(0x04, store + b"\x1f")))[0]
    assert "are hashed more than" in outcome(nested(0x30, nested(0x04, nested(0x24, nested(0x04, store)))))[0]


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")
def test_in_pieces_of_unknown_length(stores: Stores) -> None:
    """BER, which some programs write: lengths are not told, and texts come in pieces."""
    ((tag, content),) = elements(stores.client("PKCS12"))
    assert outcome(bytes([tag, 0x80]) + content + bytes(2)) == ["", ""]
    assert list(elements(bytes.fromhex("3080020101 2480 0402 abcd 0401 ef 0000 0000 0201 05"))) == [
        (0x30, bytes.fromhex("020101 2480 0402abcd 0401ef 0000")),
        (0x02, b"\x05"),
    ]
    for bad in ("3080", "308002", "1f8101", "30850000000001", "30" + "80" * 3, "3080" * 40 + "0000" * 40):
        with pytest.raises(Malformed):
            list(elements(bytes.fromhex(bad)))
