"""Whether the account may write in the target what a job writes. It needs to be no superuser."""

from __future__ import annotations

import json

from opendrs.engines.postgres.control import SCHEMA
from opendrs.engines.postgres.names import quote
from opendrs.engines.postgres.prechecks_server import Objects
from opendrs.model.precheck import Verdict, failed, for_each, named, passed, steps

SCHEMAS = """
    SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
      FROM pg_namespace n WHERE n.nspname IN (SELECT json_array_elements_text($1::json))"""


def write(objects: Objects) -> Verdict:
    """CREATE on the database if a schema is missing; USAGE and CREATE on the schemas that are there."""
    server = objects.server
    wanted = sorted({*objects.arrival.schemas, SCHEMA})
    rows = server.session.query(SCHEMAS, json.dumps(wanted))
    missing = [schema for schema in wanted if schema not in {name for name, _ in rows}]
    closed = [name or "" for name, open_to_us in rows if open_to_us != "t"]
    creates = server.value("SELECT has_database_privilege(current_database(), 'CREATE')") == "t"
    if closed or (missing and not creates):
        lacking = [f"CREATE in the database {server.database}"] if missing and not creates else []
        lacking += [f"USAGE and CREATE in the schema {schema}" for schema in closed]
        return failed(
            f"The account {server.account} lacks {named(lacking)}",
            steps(
                server.grant("CREATE", f"DATABASE {quote(server.database)}") if missing and not creates else "",
                for_each(server.grant("USAGE, CREATE", f"SCHEMA {quote(schema)}") for schema in closed),
            ),
        )
    return passed(f"The account {server.account} may create schemas and tables; it needs to be no superuser")
