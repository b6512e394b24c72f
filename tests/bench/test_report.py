from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench import report
from bench.context import Sizes
from bench.report import KEPT, PAGE, README, in_readme, page, short
from bench.sections import LIVE, SINK

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_HOW = {"cores": 2, "memory_gb": 8, "minutes": 3, "runs": 3, "records": 1_000_000, "warm_up": 250_000}
SINK_RESULTS: list[dict[str, Any]] = [
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
]
LIVE_RESULTS: list[dict[str, Any]] = [
    {
        "name": "recovery",
        "unit": "s",
        "median": 30.25,
        "runs": [30.25, 29.0, 31.5],
        "cpu_s_per_million": None,
        "baseline": None,
        "ratio": None,
    },
]
KEPT_RESULTS: dict[str, dict[str, Any]] = {
    "sink": {"measured_on": "2026-11-25", **_HOW, "results": SINK_RESULTS},
    "live": {"measured_on": "2026-11-26", **_HOW, "results": LIVE_RESULTS},
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


def test_a_section_that_is_less_than_a_full_one_says_so():
    noted = KEPT_RESULTS | {"sink": KEPT_RESULTS["sink"] | {"note": "Only the sink."}}
    assert "\n**Only the sink.**\n" in page(noted)
    assert "**" not in page(KEPT_RESULTS)


def test_each_section_says_when_it_was_measured_and_others_are_not_there():
    text = page(KEPT_RESULTS)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        f"## {title}" for title in (SINK.title, LIVE.title, "Rates")
    ]
    assert text.index(SINK.title) < text.index("Measured on 2026-11-25") < text.index(LIVE.title)
    assert text.index(LIVE.title) < text.index("Measured on 2026-11-26")


def test_what_is_published_replaces_its_own_section_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, text in (("PAGE", ""), ("README", README.read_text()), ("KEPT", json.dumps(KEPT_RESULTS))):
        monkeypatch.setattr(report, name, tmp_path / name)
        (tmp_path / name).write_text(text)
    faster = LIVE_RESULTS[0] | {"median": 10.0}
    report.publish(LIVE, [*SINK_RESULTS, faster], Sizes(), minutes=1.2)
    kept = json.loads((tmp_path / "KEPT").read_text())
    assert kept["sink"] == KEPT_RESULTS["sink"]
    assert (kept["live"]["results"], kept["live"]["minutes"]) == ([faster], 1)
    assert "| `recovery` | 10.00 | s |" in (tmp_path / "PAGE").read_text()
    assert "| 10.00 s | at most 45 s | yes |" in (tmp_path / "README").read_text()


def test_what_a_trigger_waits_for_is_told_part_by_part():
    trigger = LIVE_RESULTS[0] | {"name": "dag.trigger_to_work", "parts_s": {"Airflow": 4.0, "the session": 6.5}}
    lines = page({"dag": {"measured_on": "2026-11-26", **_HOW, "results": [trigger]}}).splitlines()
    assert "| the session | 6.50 |" in lines
