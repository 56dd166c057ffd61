"""A supervisor in a process of its own: `python -m tests.integration.worker.driver`, told by its standard input
what to supervise (the document of an order). Prints how the job ended."""

from __future__ import annotations

import json
import sys

from opendrs.store.database import open_store
from opendrs.worker.order import Order
from opendrs.worker.supervisor import Supervisor


def main() -> None:
    order, _ = Order.read(sys.stdin.buffer.read())
    store = open_store(order.state)
    supervisor = Supervisor(store)
    supervisor.ensure(order)
    outcome = supervisor.wait(order.job.id)
    assert outcome is not None
    print(json.dumps(outcome.to_json()), flush=True)


if __name__ == "__main__":
    main()
