"""From names to ids."""

from __future__ import annotations

import pytest

from opendrs.cli.job.resolving import resolve
from opendrs.errors import DrsError, Fault
from tests.unit.cli.job.fake import ID, Fake, job, jobs


def fake(*names: str) -> Fake:
    return Fake({"GET /jobs": jobs(*(job(name, number) for number, name in enumerate(names)))})


def test_an_id_is_taken_as_it_is() -> None:
    assert resolve(Fake({}).service(), ID).id == ID
    name = "a-name-of-just-as-many-characters-36"
    assert resolve(fake(name).service(), name).name == name


def test_a_name_is_found_in_whatever_case() -> None:
    service = fake("shop", "shop-2", "my-shop").service()
    assert resolve(service, "SHOP", whole=True).name == "shop"
    assert resolve(service, "my-").name == "my-shop"
    assert resolve(service, "2").id.startswith("00000001-")


def test_the_whole_name_is_found_behind_many_that_have_it_in_theirs() -> None:
    service = fake(*(f"shop-{number}" for number in range(30)), "shop").service()
    assert resolve(service, "shop").name == "shop"


@pytest.mark.parametrize(
    ("word", "whole", "fault", "words"),
    [
        ("shop", False, Fault.NAME_AMBIGUOUS, "shop-2 (00000001-89ab-cdef-0123-456789ajb20p), shop-1 (00000000-"),
        ("none", False, Fault.NAME_UNKNOWN, "There is no job 'none'"),
        ("p-1", True, Fault.NAME_UNKNOWN, "There is no job 'p-1'; there is shop-1 ("),
    ],
)
def test_what_is_not_found(word: str, whole: bool, fault: Fault, words: str) -> None:
    with pytest.raises(DrsError) as raised:
        resolve(fake("shop-1", "shop-2").service(), word, whole=whole)
    assert raised.value.fault is fault and words in raised.value.message


def test_many_candidates_are_not_all_listed() -> None:
    with pytest.raises(DrsError) as raised:
        resolve(fake(*(f"shop-{number}" for number in range(30))).service(), "shop")
    assert raised.value.message.count("shop-") == 10 and raised.value.message.endswith(", ...")
