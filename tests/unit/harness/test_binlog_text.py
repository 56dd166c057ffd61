"""What the source's own tool prints of its log, read line by line."""

from __future__ import annotations

from tests.harness.binlog_text import LoggedChange, parse

PRINTED = """\
# at 4
#230101 10:00:00 server id 1  end_log_pos 126 CRC32 0x0 	Start: binlog v 4
BEGIN
/*!*/;
# at 300
#230101 10:00:00 server id 1  end_log_pos 350 CRC32 0x0 	Write_rows: table id 99 flags: STMT_END_F
### INSERT INTO `shop`.`orders`
### SET
###   @1=1 /* INT meta=0 nullable=0 is_null=0 */
###   @2='a /* not the end' /* VARSTRING(80) meta=80 nullable=1 is_null=0 */
### INSERT INTO `shop`.`orders`
### SET
###   @1=-2 (4294967294) /* INT meta=0 nullable=0 is_null=0 */
###   @2=NULL /* VARSTRING(80) meta=80 nullable=1 is_null=1 */
# at 400
#230101 10:00:00 server id 1  end_log_pos 450 CRC32 0x0 	Update_rows: table id 99 flags: STMT_END_F
### UPDATE `shop`.`or``ders`
### WHERE
###   @1=1
###   @2='x'
### SET
###   @1=1
###   @2='y'
# at 500
### DELETE FROM `a``b`.`c`
### WHERE
###   @1=7 /* LONGINT meta=0 nullable=0 is_null=0 */
COMMIT/*!*/;
### Row event for unknown table
"""


def test_changes_are_read_with_their_images() -> None:
    assert list(parse(iter(PRINTED.splitlines(keepends=True)))) == [
        LoggedChange(("shop", "orders"), "insert", {}, {1: "1", 2: "'a /* not the end'"}),
        LoggedChange(("shop", "orders"), "insert", {}, {1: "-2 (4294967294)", 2: "NULL"}),
        LoggedChange(("shop", "or`ders"), "update", {1: "1", 2: "'x'"}, {1: "1", 2: "'y'"}),
        LoggedChange(("a`b", "c"), "delete", {1: "7"}, {}),
    ]


def test_the_last_change_may_end_the_text() -> None:
    lines = ["### INSERT INTO `a`.`b`\n", "### SET\n", "###   @1=1\n"]
    assert list(parse(iter(lines))) == [LoggedChange(("a", "b"), "insert", {}, {1: "1"})]


def test_nothing_is_read_of_nothing() -> None:
    assert list(parse(iter(["BEGIN\n", "### SET\n", "###   @1=1\n"]))) == []
