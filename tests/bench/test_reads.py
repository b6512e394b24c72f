from __future__ import annotations

import pytest
from bench.reads import READS, of_latencies, timed


def test_every_read_is_timed_but_those_that_warm_up():
    values = timed(lambda: [None] * 3, rows=3)
    assert len(values) == READS
    assert min(values) > 0.0


def test_a_read_that_gives_other_rows_is_no_measurement():
    with pytest.raises(RuntimeError, match="gave 2 rows and not 3"):
        timed(lambda: [None] * 2, rows=3)


def test_a_run_is_told_by_its_median_and_its_99th_percentile():
    told = of_latencies([float(n) for n in range(1, 301)])
    assert {share: sample.value for share, sample in told.items()} == {"p50": 150.0, "p99": 297.0}
