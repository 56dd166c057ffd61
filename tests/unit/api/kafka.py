"""A flow to Kafka, and key stores as a user sends them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from opendrs.model.links import Link

FLOW: Final = Link(
    engine_type="mysql-to-kafka",
    code="0k",
    description="MySQL to Kafka",
    source="mysql",
    target="kafka",
    job_types=("sync",),
    tasks=("full", "full+incremental", "incremental"),
    source_types=("mysql",),
    target_types=("kafka",),
)
PASSWORD: Final = "store-secret-1"


def certificate(key: ec.EllipticCurvePrivateKey, name: str = "me") -> x509.Certificate:
    who, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    return x509.CertificateBuilder(who, who, key.public_key(), 7, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )


KEY: Final = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE: Final = certificate(KEY)
PEM: Final = CERTIFICATE.public_bytes(Encoding.PEM).decode()


def key_store(password: str = PASSWORD) -> str:
    """PKCS#12 with a private key, base64."""
    encryption = BestAvailableEncryption(password.encode())
    return base64.b64encode(pkcs12.serialize_key_and_certificates(b"me", KEY, CERTIFICATE, None, encryption)).decode()


def trust_store(*certificates: x509.Certificate, password: str = PASSWORD) -> str:
    """PKCS#12 with certificates only, base64."""
    held = [pkcs12.PKCS12Certificate(one, str(n).encode()) for n, one in enumerate(certificates or (CERTIFICATE,))]
    encryption = BestAvailableEncryption(password.encode())
    return base64.b64encode(pkcs12.serialize_java_truststore(held, encryption)).decode()
