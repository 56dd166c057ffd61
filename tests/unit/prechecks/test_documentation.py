"""The tables of prechecks: complete, published, and printed in docs/reference/prechecks.md."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from opendrs.model.precheck import GROUPS, Precheck
from tools.prechecks import PAGE, SECTIONS, document

ROWS = [row for _, rows in SECTIONS for row in rows]

# Names of the published service that we use (semantics of its precheck), spelt as there.
PUBLISHED = {
    "srcDbConnection", "dstDbConnection", "srcDbVersionSupport", "dstDbVersionSupport", "srcDbPrivilegesIsEnough",
    "srcDbPrivilegesIsEnoughForIncre", "dstDbPrivilegesIsEnough", "srcDbBinlogIsOff", "srcBinlogFormatCheck",
    "srcBinlogRowImageCheck", "srcDbBinlogExpireLogsDays", "srcDbServerIdCheck", "srclogSlaveUpdatesCheck",
    "srcGtidStatusCheck", "dbCharacterSetConsistency", "dbTimeZoneConsistency", "dbClockConsistency",
    "srcDstTableNameCaseSensitiveCheck", "userSelectObjectsCheck", "hasForeignKeyOnUnselectedTable",
    "srcDbExistUnsupportEngineTable", "srcTableNameContainsNonAscii", "srcViewNameContainsNonAscii",
    "srcDbNameContainsUnsupportedSymbols", "srcTriggerAndEventCheck", "srcDbIndexKeyLength",
    "srcIdentifierWithBreakCheck", "mappedNameCheck", "MysqlForeignKeyReferentialActionCheck",
    "MysqlSourceMaxAllowedPacketActionChecker", "dstStatusCheck", "dstDbDiskSize", "checkEmptyDstDb",
    "checkIncreSrcDbExistedInDstDb",
}  # fmt: skip


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == document(), "run python -m tools.prechecks"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.item)
def test_a_row_says_everything(row: Precheck[object]) -> None:
    assert re.fullmatch(r"(src|dst|db|check|user|has|mapped|Mysql)\w+", row.item)
    assert row.group in GROUPS
    assert row.looks_at and row.why and row.tasks
    assert row.unseen != "PASSED"


def test_items_are_unique_and_the_published_ones_are_there() -> None:
    """Within a check: it has one target."""
    assert {row.item for row in ROWS} >= PUBLISHED
    source = [row.item for row in SECTIONS[0][1]]
    for rows in ((*SECTIONS[1][1], *SECTIONS[2][1]), SECTIONS[3][1]):
        items = Counter([*source, *(row.item for row in rows)])
        assert [item for item, count in items.items() if count > 1] == []


def test_sides() -> None:
    assert {row.side for _, rows in SECTIONS[:1] for row in rows} == {"source"}
    assert {row.side for _, rows in SECTIONS[1:] for row in rows} == {"target"}
