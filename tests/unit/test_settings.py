"""What the environment says of who may call the API."""

from __future__ import annotations

import pytest

from opendrs import settings
from opendrs.errors import DrsError, Fault
from opendrs.model.caller import Wanted
from opendrs.model.endpoint import Secret

ALL = {
    "OPENDRS_PROJECT_ID": "054ba152d480d55b2f5dc0069e7ddef0",
    "OPENDRS_USER": "Anna Ä",
    "OPENDRS_PASSWORD": "pass w0rd, ünd mehr",
    "OPENDRS_ACCESS_KEY": "AK_1-2",
    "OPENDRS_SECRET_KEY": "s3cret/key+",
}


def test_all_of_it_is_read() -> None:
    wanted = settings.identity(ALL)
    assert wanted == Wanted(
        project_id=ALL["OPENDRS_PROJECT_ID"],
        user_name=ALL["OPENDRS_USER"],
        password=Secret(ALL["OPENDRS_PASSWORD"]),
        access_key=ALL["OPENDRS_ACCESS_KEY"],
        secret_key=Secret(ALL["OPENDRS_SECRET_KEY"]),
    )
    assert not [ALL[name] for name in settings.SECRET_VARIABLES if name in ALL and ALL[name] in repr(wanted)]


def test_an_empty_variable_says_nothing() -> None:
    assert settings.identity({}) == settings.identity(dict.fromkeys(ALL, "")) == Wanted()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENDRS_ACCESS_KEY", None),
        ("OPENDRS_ACCESS_KEY", ""),
        ("OPENDRS_SECRET_KEY", None),
        ("OPENDRS_SECRET_KEY", ""),
        ("OPENDRS_ACCESS_KEY", "A, Signature=1"),
        ("OPENDRS_ACCESS_KEY", "A" * 129),
        ("OPENDRS_SECRET_KEY", "s3cret/key\n"),
        ("OPENDRS_SECRET_KEY", "short"),
        ("OPENDRS_SECRET_KEY", "x" * 300),
        ("OPENDRS_PASSWORD", "pass\x00w0rd"),
        ("OPENDRS_PASSWORD", "pass\udcffw0rd"),
        ("OPENDRS_PASSWORD", "x"),
        ("OPENDRS_USER", "an\tna"),
        ("OPENDRS_USER", "x" * 65),
        ("OPENDRS_PROJECT_ID", "a/b"),
        ("OPENDRS_PROJECT_ID", "a b"),
        ("OPENDRS_PROJECT_ID", "auth"),
        ("OPENDRS_PROJECT_ID", "projects"),
        ("OPENDRS_PROJECT_ID", "x" * 65),
        ("OPENDRS_PROJECT_ID", "abc\n"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: str | None) -> None:
    environ = {key: old for key, old in ALL.items() if key != name} | ({} if value is None else {name: value})
    with pytest.raises(DrsError) as raised:
        settings.identity(environ)
    assert raised.value.fault is Fault.SETTING_INVALID
    assert name in raised.value.message
    if value and name in settings.SECRET_VARIABLES:
        assert value not in str(raised.value).replace("must have 8 to 256 characters", "")
