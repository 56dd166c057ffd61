"""The looks at a Kafka target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from opendrs.engines.kafka import prechecks as kafka
from opendrs.engines.kafka.connect import Client
from opendrs.engines.mysql.prechecks import Suspect
from opendrs.errors import DrsError
from opendrs.model.catalog import Catalog, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Policy
from opendrs.model.precheck import Precheck
from opendrs.model.selection import Selection
from opendrs.worker.checking import Asked, Seen
from opendrs.worker.looking import Looking


class Checks:
    """A worker.checking.TargetChecks. Every value of a source has a text, so that nothing is lost on the way."""

    stands_in = False

    @property
    def arrival_rows(self) -> tuple[Precheck[Any], ...]:
        return ()

    @property
    def catalog_rows(self) -> tuple[Precheck[Any], ...]:
        return tuple(kafka.OBJECTS)

    @property
    def rows(self) -> tuple[Precheck[Any], ...]:
        return (*kafka.SERVER, *kafka.OBJECTS)

    def policy_of(self, policy: Policy) -> Policy:
        """The load always shows one moment."""
        return replace(policy, consistent=True)

    def suspects(self, catalog: Catalog, policy: Policy, selection: Selection) -> Mapping[TableName, Sequence[Suspect]]:
        del catalog, policy, selection
        return {}

    def arrival(self, asked: Asked, catalog: Catalog, looking: Looking) -> Iterator[Finding]:
        del asked, catalog, looking
        yield from ()

    def target(self, target: Endpoint, asked: Asked, seen: Seen, looking: Looking) -> Iterator[Finding]:
        try:
            client = Client(target)
            client.brokers()
        except DrsError as error:
            yield looking.unreachable(kafka.CONNECTION, error, self.rows)
            return
        with client:
            server = kafka.Server(client=client, policy=asked.policy, selection=asked.selection, job=asked.options.job)
            yield from looking.at(kafka.SERVER, server)
            if seen.catalog is not None:  # else the source's finding names what was not looked at
                yield from looking.at(kafka.OBJECTS, kafka.Objects(server=server, catalog=seen.catalog))
