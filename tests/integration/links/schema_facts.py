"""What a schema in the target is, said so that two of them can be compared: lines of text, in no order."""

from __future__ import annotations

from tests.integration.links.story import Story

COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
 coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity::text, a.attgenerated::text,
 coalesce(col_description(c.oid, a.attnum), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'v') AND c.relnamespace = '"{schema}"'::regnamespace
"""
INDEXES = """
SELECT pg_get_indexdef(i.indexrelid), coalesce(obj_description(i.indexrelid), '') FROM pg_index i
 JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = '"{schema}"'::regnamespace
"""
CONSTRAINTS = """
SELECT c.relname::text, o.conname::text, pg_get_constraintdef(o.oid), o.convalidated FROM pg_constraint o
 JOIN pg_class c ON c.oid = o.conrelid WHERE c.relnamespace = '"{schema}"'::regnamespace AND o.contype <> 'n'
"""
COMMENTS = """
SELECT c.relname::text, obj_description(c.oid) FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = '"{schema}"'::regnamespace AND obj_description(c.oid) IS NOT NULL
"""
TRIGGERS = """
SELECT c.relname::text, g.tgname::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE NOT g.tgisinternal AND c.relnamespace = '"{schema}"'::regnamespace
"""


def facts(story: Story) -> set[str]:
    """Columns, indexes, constraints, comments and triggers of the job's own schema."""
    asked = {"column": COLUMNS, "index": INDEXES, "constraint": CONSTRAINTS, "comment": COMMENTS, "trigger": TRIGGERS}
    found = set()
    for kind, sql in asked.items():
        for row in story.in_target(sql.replace("{schema}", story.name)):
            found.add(f"{row[0]}: {kind} {' '.join(str(value) for value in row[1:])}")
    return found
