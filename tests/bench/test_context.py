from __future__ import annotations

from bench.__main__ import STEPS
from bench.context import Bench, Sizes
from bench.results import Sample
from bench.sections import MEASURES

from weahouse.settings import Settings


def test_without_a_choice_everything_is_measured():
    assert all(Bench(Settings(), Sizes()).wants(measure.name) for measure in MEASURES)


def test_a_choice_is_a_prefix():
    bench = Bench(Settings(), Sizes(), only=("read.day", "sink"))
    assert [measure.name for measure in MEASURES if bench.wants(measure.name)] == [
        "sink.driver_alone",
        "sink.cassandra",
        "read.day.p50",
        "read.day.p99",
        "read.day.loaded.p99",
    ]


def test_what_was_not_chosen_is_not_told_even_if_it_was_measured_on_the_way():
    bench = Bench(Settings(), Sizes(), only=("e2e.cassandra",))
    bench.add("e2e.curated.p50", Sample(1.0))
    bench.add("e2e.cassandra.p50", Sample(1.0))
    assert list(bench.samples) == ["e2e.cassandra.p50"]


def test_each_measure_belongs_to_one_step():
    names = [name for step in STEPS for name in step.section.names]
    assert sorted(names) == sorted(measure.name for measure in MEASURES)
