"""What the steps of one bench share: the instance, a long-lived Spark session, sizes, and where samples go."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.session import local_session
from weahouse.orchestration.spark_submit import DRIVER_MEMORY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from bench.results import Sample
    from weahouse.settings import Settings


@dataclass(frozen=True)
class Sizes:
    """How much is measured; the defaults are meant to make a full bench of less than 40 minutes on two cores.

    records: of the even load, measured after the warm-up: two full batches, long beside a trigger's 2 s.
    warm_up: records before them, two full batches. The first costs three times as much CPU as the fifth; the JVM
        compiles meanwhile, and for some time still.
    window_s: of load for each run of a latency. Three of them, one after the other, see half of a 10-minute pane fill.
    """

    records: int = 500_000
    warm_up: int = 500_000
    runs: int = 3
    window_s: float = 80.0


@dataclass
class Bench:
    """One run of the bench; `only` are prefixes of the names that are measured, all where there is none."""

    settings: Settings
    sizes: Sizes
    only: tuple[str, ...] = ()
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def wants(self, *names: str) -> bool:
        """Whether any of the names is to be measured."""
        return not self.only or any(name.startswith(self.only) for name in names)

    def add(self, name: str, sample: Sample) -> None:
        if self.wants(name):
            self.samples[name].append(sample)
            self.step(f"  {name}: {sample.value:,.6g}")

    def step(self, text: str) -> None:
        """One line of progress with the minutes since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        print(f"{minutes:3}:{seconds:02}  {text}", flush=True)

    def at(self, **changes: Any) -> Settings:
        """The instance's settings with another topic, root or keyspace."""
        return replace(self.settings, **changes)

    @cached_property
    def spark(self) -> SparkSession:
        """A session with the stream's configuration that stays warm: starting one for each check costs 20 s."""
        memory = {"spark.driver.memory": DRIVER_MEMORY}
        return local_session(self.settings, "bench", self.settings.spark_master, **memory)
