from __future__ import annotations

import json
from typing import Any

from bench.report import KEPT, PAGE, README, in_readme, page, short

KEPT_RESULTS: dict[str, Any] = {
    "measured_on": "2026-11-25",
    "cores": 2,
    "memory_gb": 8,
    "minutes": 33,
    "runs": 3,
    "records": 1_000_000,
    "warm_up": 250_000,
    "results": [
        {
            "name": "sink.driver_alone",
            "unit": "rows/s",
            "median": 90_000.0,
            "runs": [90_000.0, 80_000.0, 95_000.0],
            "cpu_s_per_million": 12.5,
            "baseline": None,
            "ratio": None,
            "driver": "acsylla",
            "drivers": {"acsylla": 90_000.0, "cassandra-driver": 50_000.0},
        },
        {
            "name": "sink.cassandra",
            "unit": "rows/s",
            "median": 45_000.0,
            "runs": [45_000.0, 44_000.0, 46_000.0],
            "cpu_s_per_million": 30.0,
            "baseline": "sink.driver_alone",
            "ratio": 0.5,
        },
        {
            "name": "recovery",
            "unit": "s",
            "median": 30.25,
            "runs": [30.25, 29.0, 31.5],
            "cpu_s_per_million": None,
            "baseline": None,
            "ratio": None,
        },
    ],
}


def test_the_page_is_what_the_kept_results_say():
    assert PAGE.read_text() == page(json.loads(KEPT.read_text())), "the page is stale: run `python -m bench.report`"


def test_the_table_in_readme_is_what_the_kept_results_say():
    readme = README.read_text()
    assert readme == in_readme(readme, json.loads(KEPT.read_text())), "README is stale: run `python -m bench.report`"


def test_readme_tells_of_each_measure_in_one_line():
    lines = short(KEPT_RESULTS).splitlines()
    assert lines[2].endswith("| 90,000 rows/s |  |  |")
    assert lines[3].endswith(
        "| 45,000 rows/s | ratio at least 0.6; aim 50,000 rows/s; it is 0.50 of `sink.driver_alone` | no |"
    )
    assert lines[4].endswith("| 30.25 s | at most 45 s | yes |")


def test_a_line_tells_the_median_its_runs_the_target_and_whether_it_is_met():
    lines = page(KEPT_RESULTS).splitlines()
    assert (
        "| `sink.cassandra` | 45,000 | rows/s | 45,000 44,000 46,000 | 30.0 | 0.500 of sink.driver_alone "
        "| ratio at least 0.6; aim 50,000 rows/s | no |"
    ) in lines
    assert "| `recovery` | 30.25 | s | 30.25 29.00 31.50 |  |  | at most 45 s | yes |" in lines


def test_the_page_names_every_driver_that_was_tried():
    assert "Drivers alone: acsylla 90,000 rows/s, cassandra-driver 50,000 rows/s (" in page(KEPT_RESULTS)


def test_bars_are_of_rates_alone():
    lines = page(KEPT_RESULTS).splitlines()
    assert '    x-axis ["sink.driver_alone", "sink.cassandra"]' in lines
    assert "    bar [90.0, 45.0]" in lines


def test_a_bench_that_is_less_than_a_full_one_says_so():
    assert "\n**Only the sink.**\n" in page(KEPT_RESULTS | {"note": "Only the sink."})
    assert "**" not in page(KEPT_RESULTS)
