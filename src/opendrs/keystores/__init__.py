"""Key stores of Java, as clients of Kafka have them, read as PEM: what every other client wants.

JKS is read here, by the facts of its format; PKCS#12 by `cryptography`. Nothing here knows where a store comes from.
"""

from opendrs.keystores.reading import Identity, certificates, identity
from opendrs.keystores.unreadable import Unreadable

__all__ = ["Identity", "Unreadable", "certificates", "identity"]
