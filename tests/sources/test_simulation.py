from __future__ import annotations

from pathlib import Path

import pytest

from weahouse.sources.simulation import Simulation, SimulationError


@pytest.mark.parametrize(
    ("stations", "rate", "faults", "truth", "message"),
    [
        (50_000, 20_001.0, None, None, "--rate 20001 is not at most 20000"),
        (10, 11.0, None, None, "lower --rate or add --stations"),
        (10, 0.0, None, None, "lower --rate or add --stations"),
        (10, float("nan"), None, None, "--rate nan"),
        (10, 1.0, "gremlins", None, "choose one of duplicates, late"),
        (10, 1.0, None, Path("truth.ndjson"), "--truth needs --faults"),
    ],
)
def test_a_run_that_cannot_be_says_which_number_to_change(
    stations: int, rate: float, faults: str | None, truth: Path | None, message: str
) -> None:
    with pytest.raises(SimulationError, match=message):
        Simulation(stations, rate, 0, faults, 0.1, truth)
