"""Runs seeds: each is sent twice, once to a stream that nothing strikes, once to one that its schedule strikes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.faults.bed import Bed, bed, send_all
from tests.faults.checker import Content, Expected, Report, Violation, check, content
from tests.faults.faults import FaultError, rebuild, ruin, strike
from tests.faults.load import chunks, load
from tests.faults.schedule import KILLED_AT, Schedule, schedule
from tests.integration.apart import apart
from weahouse.embedded.process import EmbeddedError
from weahouse.io.gaps import read_gaps
from weahouse.orchestration import driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings


@dataclass(frozen=True)
class Result:
    """What became of one seed."""

    plan: Schedule
    expected: Expected
    report: Report
    # From the first record to the checker's answer, and of that from the last fault's end to a lag of 0.
    took_s: float
    settled_s: float | None

    def __str__(self) -> str:
        compared = ", ".join(f"{count} {what}" for what, count in self.report.compared.items())
        settled = "did not settle" if self.settled_s is None else f"settled in {self.settled_s:.0f} s"
        return f"seed {self.plan.seed}: {self.took_s:.0f} s, {settled}; compared {compared or 'nothing'}"


def calm_contents(platform: Settings, seeds: Sequence[int]) -> dict[int, Content]:
    """What the seeds' loads leave where nothing strikes: one driver, which is stopped in the end."""
    stream = apart(platform, "calm")
    stream.start()
    for seed in seeds:
        send_all(stream.settings, load(seed), 0.0)
    stream.settle()
    driver.stop(stream.settings)
    return {seed: content(stream, seed) for seed in seeds}


def run_seeds(
    spark: SparkSession, platform: Settings, seeds: Sequence[int], tell: Callable[[str], None]
) -> Iterator[Result]:
    """Run seeds one after the other on one stream, on a fresh one after a seed with a violation."""
    calm = calm_contents(platform, seeds)
    tell(f"without faults: {sum(len(each.observations) for each in calm.values())} rows of Curated")
    beds = _Beds(platform)
    with beds:
        for seed in seeds:
            result = run_seed(spark, beds.current(), schedule(seed), calm[seed], tell)
            yield result
            if result.report.violations:
                beds.renew()


def run_seed(
    spark: SparkSession, on: Bed, plan: Schedule, calm: Content, tell: Callable[[str], None] = lambda _: None
) -> Result:
    """Send a seed's load, strike its faults, wait until all is done, and compare."""
    began, since, gaps = time.monotonic(), datetime.now(UTC), len(read_gaps(on.settings))
    on.acknowledged.clear()
    on.lost.clear()
    try:
        _strike_all(on, plan, tell)
        settled_s = _settle(on)
    except FaultError as error:
        settled_s, report = None, Report(violations=[Violation(error.name, error.detail)])
    except (AssertionError, EmbeddedError) as error:
        settled_s, report = None, Report(violations=[Violation("fault_not_over", str(error))])
    expected = Expected(plan.seed, since, [*on.acknowledged], [*on.lost], plan.refusing, gaps, calm)
    # Of a stream that is not at rest nothing can be said.
    if settled_s is not None:
        tell(f"settled in {settled_s:.0f} s")
        report = check(spark, on.stream, expected)
    return Result(plan, expected, report, time.monotonic() - began, settled_s)


def _strike_all(on: Bed, plan: Schedule, tell: Callable[[str], None]) -> None:
    *of_steps, last = chunks(plan.seed, len(plan.steps) + 1)
    for step, records in zip(plan.steps, of_steps, strict=True):
        on.await_running()
        tell(f"{step} with {len(records)} records")
        if step.fault in KILLED_AT:
            on.arm(KILLED_AT[step.fault])
        with on.sending(records):
            strike(on, step.fault, step.after_s)
    if plan.refusing is None:
        with on.sending(last):
            pass
        return
    on.await_running()
    tell(f"{plan.refusing} with {len(last)} records")
    ruin(on, plan.refusing, last)
    tell("rebuilding")
    rebuild(on)


def _settle(on: Bed) -> float:
    try:
        return on.settle()
    except AssertionError as error:
        raise FaultError("not_caught_up", str(error)) from None


class _Beds:
    """The stream that is struck, made when it is first wanted and made anew after a violation."""

    def __init__(self, platform: Settings) -> None:
        self._platform = platform
        self._held = ExitStack()
        self._current: Bed | None = None
        self._count = 0

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def current(self) -> Bed:
        if self._current is None:
            self._count += 1
            self._current = self._held.enter_context(bed(self._platform, f"struck{self._count}"))
        return self._current

    def renew(self) -> None:
        self._held.close()
        self._current = None
