"""The group `opendrs job`: every command is registered here, in the order of the help."""

from __future__ import annotations

import typer

from opendrs.cli.exits import MEANINGS
from opendrs.cli.job import create, errands, files, listing, logs, show, verbs, watch

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."

app = typer.Typer(
    help="Create jobs in a service, look at them, and steer them. `opendrs login` first.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("create", epilog=EPILOG)(create.create)
app.command("list", epilog=EPILOG)(listing.list_jobs)
app.command("show", epilog=EPILOG)(show.show)
app.command("watch", epilog=EPILOG)(watch.watch)
app.command("logs", epilog=EPILOG)(logs.logs)
app.command("network", epilog=EPILOG)(errands.network)
app.command("select", epilog=EPILOG)(errands.select)
app.command("template", epilog=EPILOG)(files.template)
app.command("import", epilog=EPILOG)(files.import_file)
app.command("precheck", epilog=EPILOG)(errands.precheck)
app.command("start", epilog=EPILOG)(verbs.start)
app.command("stop", epilog=EPILOG)(verbs.stop)
app.command("restart", epilog=EPILOG)(verbs.restart)
app.command("edit", epilog=EPILOG)(verbs.edit)
app.command("reset", epilog=EPILOG)(verbs.reset)
app.command("end", epilog=EPILOG)(verbs.end)
app.command("terminate", epilog=EPILOG, hidden=True)(verbs.end)  # the API's word
app.command("delete", epilog=EPILOG)(verbs.delete)
