"""Every record ends in one place, whatever strikes; `make test-faults` strikes with everything, by seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.load import load
from weahouse.streaming.fault_points import CURATED_WRITTEN

if TYPE_CHECKING:
    from tests.faults.conftest import Struck


def test_after_a_kill_an_outage_and_a_second_driver_nothing_is_lost_or_doubled(struck: Struck):
    assert struck.result.report.violations == []
    compared = struck.result.report.compared
    assert compared["acknowledged records"] == compared["offsets"] == len(load(struck.result.plan.seed))
    assert min(compared.values()) > 0


def test_the_log_proves_that_a_driver_was_killed_between_the_two_stores(struck: Struck):
    assert len(struck.bed.hits(CURATED_WRITTEN)) == 1
