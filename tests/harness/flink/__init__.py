"""Apache Flink as an independent reader of messages.

read("canal-json", {"id": "INT", "name": "STRING"}, [b'{"data": ...}'])  # [("+I", (1, "one"))]
"""

from tests.harness.flink.reader import RELEASES, Change, Refused, Verdict, judge, read

__all__ = ["RELEASES", "Change", "Refused", "Verdict", "judge", "read"]
