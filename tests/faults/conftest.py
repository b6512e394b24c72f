"""The short form of the suite: one seed, sent to the tests' own stream and to one that is struck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.faults.bed import Bed, bed, send_all
from tests.faults.checker import content
from tests.faults.load import load
from tests.faults.schedule import Schedule, Step
from tests.faults.suite import Result, run_seed
from tests.integration.conftest import PATIENCE_S
from tests.integration.conftest import running as running

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.integration.conftest import Stream

SEED = 0
# A kill between the two stores, a server away, and two drivers at once; `make test-faults` strikes all there are.
PLAN = Schedule(SEED, (Step("cassandra_killed", 1.0), Step("killed_at_curated_written", 0.0), Step("two_drivers", 0.0)))


@dataclass(frozen=True)
class Struck:
    """The stream after its faults, and what became of the seed."""

    bed: Bed
    result: Result


@pytest.fixture(scope="package")
def struck(spark: SparkSession, running: Stream) -> Iterator[Struck]:
    running.start()
    send_all(running.settings, load(SEED), 0.0)
    # Other tests share the cores: that it takes two minutes at most is for the suite to say, which has them for itself.
    with bed(running.settings, "struck", settled_within_s=PATIENCE_S) as on:
        running.settle()
        yield Struck(on, run_seed(spark, on, PLAN, content(running, SEED)))
