"""A service that is asked to end while it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A signal at a moment when nobody listens to signals yet but ourselves.
EARLY = """
import os, signal, sys
from pathlib import Path
from opendrs.cli import serving
from opendrs.settings import ServiceState
greet = serving._greet
def and_end(*words):
    greet(*words)
    os.kill(os.getpid(), signal.SIGTERM)
serving._greet = and_end
sys.exit(serving.execute(ServiceState.read(Path(sys.argv[1]), None), "127.0.0.1:0", runners=1))
"""


def test_a_service_that_is_asked_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    words = [sys.executable, "-c", EARLY, str(tmp_path / "data")]
    found = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr
    assert "OpenDRS serves" in found.stdout
