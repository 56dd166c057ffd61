"""Fixtures for every test: real servers, started once a session and only when asked for."""

from __future__ import annotations

import os

from hypothesis import settings

# What decides whether a change may land must not depend on luck, nor on how busy the machine is; OPENDRS_EXAMPLES=100
# tries its luck.
settings.register_profile("opendrs", derandomize="OPENDRS_EXAMPLES" not in os.environ, deadline=None)
settings.load_profile("opendrs")

pytest_plugins = ["tests.harness.fixtures"]
