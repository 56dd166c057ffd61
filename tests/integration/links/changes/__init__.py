"""Changes of a schema, as people make them."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.columns import COLUMNS
from tests.integration.links.changes.dumps import DUMPS
from tests.integration.links.changes.keys import KEYS
from tests.integration.links.changes.partitions import PARTITIONS
from tests.integration.links.changes.scenario import Scenario
from tests.integration.links.changes.tables import TABLES
from tests.integration.links.changes.words import WORDS

_GROUPS: Final = {
    "tables": TABLES, "columns": COLUMNS, "keys": KEYS, "partitions": PARTITIONS, "words": WORDS, "dumps": DUMPS,
}  # fmt: skip
SCENARIOS: Final[dict[str, Scenario]] = {
    f"{group}: {name}": scenario for group, scenarios in _GROUPS.items() for name, scenario in scenarios.items()
}
