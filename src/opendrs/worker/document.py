"""What the processes of the service are told when they start: one line of JSON on their standard input.

It holds the key of all secrets, so it is never an argument, an environment variable or a line of a log. Whoever
started them keeps the pipe open: when it ends, they are alone.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

from opendrs.store.database import open_store
from opendrs.store.sealing import Seal
from opendrs.telemetry import Mask
from opendrs.worker.assembly import Place
from opendrs.worker.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """state: URL of the store; key: of the seal; folder: of the service; runners: processes that do errands."""

    state: str = field(repr=False)
    key: bytes = field(repr=False)
    folder: Path
    timing: Timing = field(default_factory=Timing)
    runners: int = 2

    def line(self) -> bytes:
        data: dict[str, Any] = {
            "version": 1,
            "state": self.state,
            "key": base64.b64encode(self.key).decode(),
            "folder": str(self.folder),
            "timing": self.timing.to_json(),
            "runners": self.runners,
        }
        return json.dumps(data).encode() + b"\n"

    @classmethod
    def read(cls, source: BinaryIO) -> Self | None:
        """The document; None: whoever started us is gone. Raises ValueError if it is of another version."""
        line = source.readline()
        if not line.endswith(b"\n"):
            return None
        data = json.loads(line)
        if data["version"] != 1:
            raise ValueError(f"a document of version {data['version']} is not understood")
        return cls(
            state=data["state"],
            key=base64.b64decode(data["key"]),
            folder=Path(data["folder"]),
            timing=Timing.from_json(data["timing"]),
            runners=data["runners"],
        )

    def place(self) -> Place:
        """Opens the store. Raises SETTING_INVALID."""
        return Place(store=open_store(self.state), seal=Seal(self.key), folder=self.folder, timing=self.timing)

    def mask(self) -> Mask:
        """Hides what must not be seen anywhere."""
        password = urlsplit(self.state).password or ""
        secrets = (password, unquote(password), base64.b64encode(self.key).decode())
        return Mask(secret for secret in secrets if secret)
