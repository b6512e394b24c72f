from __future__ import annotations

from typing import Any

import pytest

from weahouse.batch.proofs import FAULTS, MEANINGS, is_faulty, lacks

FOUND: dict[str, Any] = {
    **dict.fromkeys(MEANINGS, 0),
    "offsets": 9,
    "curated": 9,
    "compared_cassandra": 6,
    "compared_windows": 3,
    "compared_gold": 6,
    "examples": [],
}


def test_what_agrees_is_no_fault():
    assert not is_faulty(FOUND)


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_differs_is_a_fault(name: str):
    assert is_faulty({**FOUND, name: 1})


@pytest.mark.parametrize("name", ["offsets", "compared_cassandra", "compared_gold"])
def test_a_proof_that_has_compared_nothing_of_a_kind_is_no_success(name: str):
    found = {**FOUND, name: 0}
    assert lacks(found) == [name]
    assert is_faulty(found)


def test_gold_that_nobody_has_made_yet_is_no_fault_but_told():
    found = {**FOUND, "compared_windows": 0, "compared_gold": 0, "pending_units": 2}
    assert not is_faulty(found)
    assert "no fault" in MEANINGS["pending_units"]
