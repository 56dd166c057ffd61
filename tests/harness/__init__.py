"""Real database servers for tests, the demo and benchmarks: the only code that starts them.

    with create("mariadb", Options(tls=True)) as server:
        server.execute("CREATE DATABASE shop")
        print(server.url("shop"))

In a test, the fixtures of `tests.harness.fixtures` do it. See `catalogue.NAMES` for the names,
`server.Server` for what can be asked of a server, and `proxy.Proxy` for broken networks.
"""

from tests.harness.catalogue import NAMES, create
from tests.harness.proxy import Proxy
from tests.harness.server import Options, Server, ServerFailed, ServerUnavailable

__all__ = ["NAMES", "Options", "Proxy", "Server", "ServerFailed", "ServerUnavailable", "create"]
