from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.modes import Runner, as_batch, as_stream


@pytest.fixture(params=["batch", "stream"])
def mode(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    return as_batch if request.param == "batch" else partial(as_stream, folder=tmp_path)
