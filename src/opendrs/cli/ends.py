"""The two ends of a job as a command line names them."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl, urlencode

from opendrs.cli.passwords import with_password
from opendrs.model.endpoint import SCHEMES, Endpoint
from opendrs.model.publishing import URL_OPTIONS, Publishing, from_texts


def endpoint(url: str, side: Literal["SOURCE", "TARGET"]) -> Endpoint:
    """One side, with its password wherever that comes from. Raises ENDPOINT_INVALID."""
    return with_password(Endpoint.parse(url), f"OPENDRS_{side}_PASSWORD")


def target(url: str) -> tuple[Endpoint, Publishing]:
    """The target, and what a Kafka URL says of how changes are published. Raises ENDPOINT_INVALID,
    SETTING_INVALID."""
    place, _, query = url.partition("#")[0].partition("?")
    if SCHEMES.get(place.partition("://")[0].lower()) != "kafka":
        return endpoint(url, "TARGET"), Publishing()
    options = parse_qsl(query, keep_blank_values=True)
    connection = urlencode([one for one in options if one[0] not in URL_OPTIONS])
    end = endpoint(f"{place}?{connection}", "TARGET")
    return end, from_texts({name: value for name, value in options if name in URL_OPTIONS}, topic=end.database)
