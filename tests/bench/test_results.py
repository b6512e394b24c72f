from __future__ import annotations

import pytest
from bench.results import Sample, is_met, is_whole, of_rate, percentile, results, target
from bench.sections import MEASURES, SINK, Measure

WHOLE, PARSE = "stream.whole", "stream.parse_only"


def test_a_percentile_is_a_value_that_was_seen():
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.50) == 3.0
    assert percentile([1.0, 2.0], 0.50) == 1.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([float(n) for n in range(1, 301)], 0.99) == 297.0


def test_a_percentile_does_not_slip_by_one_where_its_product_is_not_exact():
    assert percentile([float(n) for n in range(1, 101)], 0.07) == 7.0


def test_of_few_values_the_greatest_is_the_99th_percentile():
    assert percentile([1.0, 9.0, 2.0], 0.99) == 9.0
    assert percentile([4.0], 0.50) == 4.0


def test_no_values_have_no_percentile():
    with pytest.raises(ValueError, match="no value"):
        percentile([], 0.5)


def test_a_rate_is_of_the_measured_records_and_its_cpu_of_a_million():
    assert of_rate(500_000, 20.0, 30.0) == Sample(25_000.0, 60.0)


def test_a_run_without_records_says_what_to_ask_for():
    with pytest.raises(ValueError, match="more --records"):
        of_rate(0, 1.0, 1.0)


def test_a_result_has_the_keys_that_readers_of_the_json_expect():
    (parse, whole) = results(
        {
            WHOLE: [Sample(20.0, 3.0), Sample(30.0, 1.0), Sample(10.0, 2.0)],
            PARSE: [Sample(100.0, 1.0), Sample(100.0, 1.0), Sample(200.0, 1.0)],
        }
    )
    assert whole == {
        "name": WHOLE,
        "unit": "records/s",
        "median": 20.0,
        "runs": [20.0, 30.0, 10.0],
        "cpu_s_per_million": 2.0,
        "baseline": PARSE,
        "ratio": 0.2,
    }
    assert (parse["baseline"], parse["ratio"]) == (None, None)


def test_a_ratio_is_of_pairs_and_not_of_medians():
    # Both were slow in the first run: the medians, 30 and 100, would tell 0.3.
    samples = {WHOLE: [Sample(2.0), Sample(30.0), Sample(36.0)], PARSE: [Sample(10.0), Sample(150.0), Sample(100.0)]}
    assert results(samples)[1]["ratio"] == 0.2


def test_without_its_baseline_a_result_has_no_ratio_and_meets_nothing():
    (whole,) = results({WHOLE: [Sample(20.0)]})
    assert (whole["baseline"], whole["ratio"], whole["cpu_s_per_million"]) == (PARSE, None, None)
    assert is_met(_measure(WHOLE), whole) is None


def test_more_is_told_of_a_result_where_there_is_more():
    (alone,) = results({"sink.driver_alone": [Sample(1.0)]}, {"sink.driver_alone": {"driver": "acsylla"}})
    assert alone["driver"] == "acsylla"


@pytest.mark.parametrize(("median", "met"), [(24.9, True), (25.0, True), (25.1, False)])
def test_a_latency_meets_its_target_up_to_the_limit(median: float, met: bool):
    assert is_met(_measure("read.day.p99"), {"median": median, "ratio": None}) is met


@pytest.mark.parametrize(("ratio", "met"), [(0.6, True), (0.599, False)])
def test_a_rate_meets_its_target_from_the_ratio_on(ratio: float, met: bool):
    assert is_met(_measure("sink.cassandra"), {"median": 1.0, "ratio": ratio}) is met


def test_targets_read_as_sentences():
    assert target(_measure("recovery")) == "at most 45 s"
    assert target(_measure(WHOLE)) == "ratio at least 0.15; aim ratio 0.25"
    assert target(_measure(PARSE)) == ""


def test_every_baseline_is_a_measure_before_its_own():
    names = [measure.name for measure in MEASURES]
    for measure in MEASURES:
        assert measure.baseline is None or measure.baseline in names[: names.index(measure.name)]


def test_a_section_is_whole_with_all_runs_of_each_of_its_measures():
    runs = {name: [Sample(1.0)] * 3 for name in SINK.names}
    assert is_whole(SINK, runs, 3)
    assert not is_whole(SINK, runs | {"sink.cassandra": [Sample(1.0)] * 2}, 3)
    assert not is_whole(SINK, {"sink.cassandra": [Sample(1.0)] * 3}, 3)


def _measure(name: str) -> Measure:
    return next(measure for measure in MEASURES if measure.name == name)
