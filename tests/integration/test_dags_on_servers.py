"""Dags as a person triggers them: on Airflow's own processes, beside the running stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.integration.conftest import eventually
from tests.integration.control_plane import DagRun, ask
from tests.rows import event

from weahouse.batch.units import read_units
from weahouse.orchestration import rest
from weahouse.orchestration.ingest_hours import hour_of
from weahouse.schemas.datasets import CURATED_OBSERVATIONS

if TYPE_CHECKING:
    from tests.integration.conftest import Stream

    from weahouse.settings import Settings

CURATION, GOLD, REPLAY = "observation_curation", "gold_aggregation", "kafka_replay"


@pytest.fixture(scope="module")
def awake(control_plane: Settings) -> Settings:
    """Airflow with the Dags of this module switched on."""
    rest.unpause(control_plane, CURATION)
    return control_plane


def test_the_open_hour_is_curated_by_hand_and_published(awake: Settings, stream: Stream):
    hour = hour_of(datetime.now(UTC))
    stream.send(event(station_id="curated-by-hand", air_temperature_c=4.0), b"no JSON")
    run = DagRun.trigger(awake, CURATION, {"ingest_hour": hour})
    run.await_state("success")
    unit = read_units(awake)[hour]
    assert unit["parity_violations"] == 0
    assert unit["records"] >= unit["readings"] + unit["quarantined"] > 1
    published = ask(awake, "GET", f"assets/events?source_dag_id={CURATION}&order_by=-timestamp&limit=1")["asset_events"]
    assert [(each["name"], each["extra"]["ingest_hour"]) for each in published] == [(CURATED_OBSERVATIONS.name, hour)]
    assert published[0]["extra"]["curated_version"] == unit["curated_version"]


def test_a_published_hour_wakes_gold_which_makes_its_hours_and_days(awake: Settings, stream: Stream):
    rest.unpause(awake, GOLD)
    hour = hour_of(datetime.now(UTC))
    stream.send(event(station_id="for-gold", observed_at="2024-05-01T12:10:00Z", air_temperature_c=4.0))
    DagRun.trigger(awake, CURATION, {"ingest_hour": hour}).await_state("success")
    woken = eventually(lambda: DagRun.newest(awake, GOLD), "a run of Gold")
    woken.await_state("success")
    means = "SELECT air_temperature_c_mean AS mean FROM gold.hourly_summaries WHERE station_id = 'for-gold'"
    assert [row["mean"] for row in stream.lake(means)] == [4.0]


@pytest.mark.parametrize(
    ("conf", "reason"),
    [
        ({"ingest_hour": "2999-01-01T00"}, "2999-01-01T00 has not begun"),
        ({"hour": "2024-05-01T13"}, "unknown parameters hour: this Dag knows ingest_hour"),
    ],
)
def test_a_run_that_cannot_be_meant_fails_before_anything_is_done(
    awake: Settings, conf: dict[str, object], reason: str
):
    run = DagRun.trigger(awake, CURATION, conf)
    run.await_state("failed")
    assert reason in run.log("plan_unit")


def test_the_form_refuses_what_is_no_hour(awake: Settings):
    with pytest.raises(rest.AirflowError, match="400"):
        DagRun.trigger(awake, CURATION, {"ingest_hour": "yesterday"})


def test_a_replay_plans_as_a_dry_run_and_changes_what_a_person_has_approved(awake: Settings, stream: Stream):
    rest.unpause(awake, REPLAY)
    conf: dict[str, object] = {"start": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
    conf |= {"end": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "stations": ["curated-by-hand"], "reason": "a test"}
    planned = DagRun.trigger(awake, REPLAY, conf)
    planned.await_state("success")
    assert planned.states() == {
        "plan_replay": "success",
        "unless_dry_run": "success",
        "approve_plan": "skipped",
        "replay_observations": "skipped",
    }
    run = DagRun.trigger(awake, REPLAY, conf | {"dry_run": False})
    run.approve("approve_plan")
    run.await_state("success")
    (backfill,) = stream.lake("SELECT * FROM gold.backfill_runs WHERE reason = 'a test'")
    assert (backfill["backfill_state"], backfill["inserted"], backfill["updated"]) == ("done", 0, 0)
    assert backfill["unchanged"] > 0
