"""Fixtures of the Kafka engine without brokers."""

from __future__ import annotations

from tests.unit.engines.kafka.fakes import here

__all__ = ("here",)
