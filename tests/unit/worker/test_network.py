"""What a tested connection says of its server."""

from __future__ import annotations

import pytest

from opendrs.engines.kafka import connect
from opendrs.model.endpoint import Endpoint
from opendrs.worker.errands.network import version


def test_brokers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no version that a client is told."""

    class Client:
        def __init__(self, endpoint: Endpoint) -> None:
            assert endpoint.host == "h"

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def brokers(self) -> list[str]:
            return ["h:9092", "i:9092"]

    monkeypatch.setattr(connect, "Client", Client)
    assert version(Endpoint.parse("kafka://h")) == "Kafka, 2 brokers"
