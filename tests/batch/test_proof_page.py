from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.batch.test_proofs import FOUND

from weahouse.batch.proof_page import RUNBOOK, proof_page
from weahouse.settings import ROOT

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
EXAMPLES = [
    {"partition": 3, "offset": 17, "disposition": "unaccounted"},
    {"table": "gold.hourly_summaries", "station_id": "<b>", "window_start": "2024-05-01T12", "difference": "changed"},
]


def page(**members: Any) -> str:
    return proof_page({**FOUND, **members}, NOON, NOON.replace(hour=13), NOON.replace(day=2))


def test_a_page_tells_what_was_compared_and_that_nothing_differs():
    told = page(pending_units=2)
    for text in ("Proof of 2024-05-01 12:00 to 2024-05-01 13:00", "Nothing differs", "100.00 %", "(no fault): 2"):
        assert text in told
    assert RUNBOOK not in told


def test_what_differs_is_named_with_the_way_out():
    told = page(differing_gold=1, unaccounted=1, examples=EXAMPLES)
    for text in ("1 unaccounted, 1 differing gold", "gold.hourly_summaries", "2024-05-01T12", RUNBOOK):
        assert text in told
    assert (ROOT / RUNBOOK).exists()


def test_what_came_from_outside_is_written_as_text():
    told = page(examples=EXAMPLES)
    assert "&lt;b&gt;" in told
    assert "<b>" not in told


@pytest.mark.parametrize("curated", [0, 9, 10**9])
def test_each_disposition_that_occurs_is_seen_in_the_bar(curated: int):
    told = page(offsets=curated + 2, curated=curated, duplicate=1, quarantined=1)
    drawing = ElementTree.fromstring(told[told.index("<svg") : told.index("</svg>") + len("</svg>")])
    widths = [float(part.attrib["width"]) for part in drawing]
    assert len(widths) == 2 + bool(curated)
    assert min(widths) > 0.5
    assert sum(widths) == pytest.approx(100, abs=0.01)
