"""Real servers for tests, the demo and benchmarks: the only code that starts them.

    with create("mariadb", Options(tls=True)) as server:
        server.execute("CREATE DATABASE shop")
        print(server.url("shop"))

    with create_broker("kafka", KafkaOptions(listeners=[Listener.SASL_SSL])) as broker:
        broker.create_topic("orders")
        print(broker.consume("orders"))

In a test, the fixtures of `tests.harness.fixtures` do it. See `catalogue` for the names,
`server.Server` for what can be asked of a database server, `kafka.Kafka` for a broker, and
`proxy.Proxy` for broken networks.
"""

from tests.harness.catalogue import BROKERS, NAMES, create, create_broker
from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.proxy import Proxy
from tests.harness.server import Options, Server, ServerFailed, ServerUnavailable

__all__ = [
    "BROKERS",
    "NAMES",
    "Kafka",
    "KafkaOptions",
    "Listener",
    "Options",
    "Proxy",
    "Server",
    "ServerFailed",
    "ServerUnavailable",
    "create",
    "create_broker",
]
