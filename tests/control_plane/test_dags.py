"""Dags as a person triggers them: on Airflow's own processes, beside the running stream."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.control_plane.conftest import CURATION, GOLD, ByHand
from tests.control_plane.dag_runs import DagRun, ask
from tests.integration.conftest import eventually
from tests.ml.world import STATIONS, hourly, places, world
from tests.qc.readings import rules_with
from tests.rows import event
from weahouse.batch.backfills import read_backfills
from weahouse.batch.units import read_units
from weahouse.cli import app
from weahouse.cli.errors import UserError
from weahouse.io import cassandra, lake
from weahouse.io.delta import ensure_table, table_path
from weahouse.io.proof_pages import kept
from weahouse.ml.features import station_features
from weahouse.orchestration import rest
from weahouse.orchestration.failures import failures_log
from weahouse.orchestration.page_links import PROOFS_URL
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_HOURLY_SUMMARIES, GOLD_STATION_FEATURES

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.integration.conftest import Stream
    from weahouse.settings import Settings

REPLAY = "kafka_replay"
COMPACTION, RECOMPUTE, RECONCILIATION = "lake_compaction", "raw_recompute", "reconciliation"
TRAINING, INFERENCE, VERIFICATION = "model_training", "batch_inference", "forecast_verification"


@pytest.fixture(scope="module")
def awake(control_plane: Settings) -> Settings:
    """Airflow with the Dags of this module switched on."""
    rest.unpause(control_plane, CURATION)
    return control_plane


def test_the_open_hour_is_curated_by_hand_and_published(awake: Settings, curated_by_hand: ByHand):
    unit = read_units(awake)[curated_by_hand.hour]
    assert unit["parity_violations"] == 0
    assert unit["records"] >= unit["readings"] + unit["quarantined"] > 1
    (published,) = ask(awake, "GET", f"assets/events?source_dag_id={CURATION}&order_by=-timestamp&limit=1")[
        "asset_events"
    ]
    assert (published["name"], published["extra"]["ingest_hour"]) == (CURATED_OBSERVATIONS.name, curated_by_hand.hour)
    assert published["extra"]["curated_version"] == unit["curated_version"]


def test_a_published_hour_wakes_gold_which_makes_its_hours_and_days_and_they_are_proved(
    awake: Settings, stream: Stream, curated_by_hand: ByHand
):
    eventually(lambda: DagRun.newest(awake, GOLD), "a run of Gold").await_state("success")
    means = "SELECT air_temperature_c_mean AS mean FROM gold.hourly_summaries WHERE station_id = 'for-gold'"
    assert [row["mean"] for row in stream.lake(means)] == [4.0]

    rest.unpause(awake, RECONCILIATION)
    proof = DagRun.trigger(
        awake, RECONCILIATION, {"from": curated_by_hand.since.isoformat(), "to": datetime.now(UTC).isoformat()}
    )
    proof.await_state("success")
    (row,) = stream.lake("SELECT * FROM gold.reconciliation ORDER BY reconciled_at DESC LIMIT 1")
    assert row["compared_gold"] >= row["compared_windows"] > 1
    assert (row["differing_gold"], row["pending_units"]) == (0, 0)
    links = ask(awake, "GET", f"{proof.path}/taskInstances/reconcile_offsets/links")["extra_links"]
    assert links["Proof"] == f"{PROOFS_URL}{kept(awake)[0]['page']}"


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
    file = failures_log(awake)
    told = eventually(lambda: [line for line in _lines(file) if reason in line], "a line of the failure")
    assert f"{CURATION}.plan_unit failed" in told[-1]


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_the_form_refuses_what_is_no_hour(awake: Settings):
    with pytest.raises(rest.AirflowError, match="400"):
        DagRun.trigger(awake, CURATION, {"ingest_hour": "yesterday"})


def test_a_day_on_which_nothing_was_appended_has_nothing_to_prove(awake: Settings):
    rest.unpause(awake, RECONCILIATION)
    run = DagRun.trigger(awake, RECONCILIATION, {})
    run.await_state("success")
    assert run.states() == dict.fromkeys(
        ("choose_range", "await_commits", "count_served", "reconcile_offsets"), "skipped"
    )


def test_a_compaction_publishes_the_files_of_before_and_after(awake: Settings, stream: Stream):
    stream.send(event(station_id="compacted"))
    stream.settle()
    rest.unpause(awake, COMPACTION)
    DagRun.trigger(awake, COMPACTION, {"dataset": RAW_OBSERVATIONS.name}).await_state("success")
    (published,) = ask(awake, "GET", f"assets/events?source_dag_id={COMPACTION}")["asset_events"]
    told = published["extra"]
    assert told["compaction"]["dry_run"]
    before, after = (told[when][RAW_OBSERVATIONS.name] for when in ("before", "after"))
    # The stream adds files meanwhile, and a dry run takes none away.
    assert 0 < before["data_files"] <= after["data_files"]


def weahouse(*words: str, answer: str | None = None) -> Result:
    """A command, run in this process under the tests' settings, with a person's answer."""
    return CliRunner().invoke(app, list(words), input=answer)


def test_a_replay_changes_only_what_a_person_has_approved_at_the_terminal(
    awake: Settings, stream: Stream, curated_by_hand: ByHand
):
    now = datetime.now(UTC)
    span = ("--start", f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "--end", f"{now:%Y-%m-%dT%H:%M:%SZ}")
    words = ("backfill", "run", REPLAY, *span, "--stations", "curated-by-hand", "--reason", "a test")
    rejected = weahouse(*words, answer="n\n")
    assert "kafka_replay was rejected: nothing was changed" in str(rejected.exception)
    assert "from offset" in rejected.stdout
    assert "a test" not in [row["reason"] for row in read_backfills(awake)]

    done = weahouse(*words, "--yes", "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout)
    counts = {name: told[name] for name in ("backfill_state", "inserted", "updated", "approved_by")}
    assert counts == {"backfill_state": "done", "inserted": 0, "updated": 0, "approved_by": "admin"}
    assert told["unchanged"] > 0
    assert told["replayed"] == told["planned"] > 0
    # Nothing was changed: there is nothing to prove.
    last = DagRun.newest(awake, REPLAY)
    assert last is not None
    assert last.states()["prove"] == "skipped"
    assert told["run_id"] in weahouse("backfill", "status").stdout


def test_rules_are_tried_and_nothing_is_changed_by_it(
    awake: Settings, stream: Stream, curated_by_hand: ByHand, tmp_path: Path
):
    rules_with(tmp_path, '  stations:\n    "curated-by-hand": {range: {air_temperature_c: {suspect: [-51.1, 3.0]}}}\n')
    span = ("--start", "2024-05-01T12:00:00Z", "--end", "2024-05-01T13:00:00Z", "--stations", "curated-by-hand")
    done = weahouse("backfill", "plan", RECOMPUTE, *span, "--rules-file", str(tmp_path / "rules.yaml"), "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout)
    (change,) = told["preview"]["changes"]
    assert (change["variable"], change["flag_now"], change["flag_then"]) == ("air_temperature_c", 1, 3)
    assert told["plan"]["hours"] == 1
    run = DagRun.newest(awake, RECOMPUTE)
    assert run is not None
    assert run.states() == {
        "plan_recompute": "success",
        "preview_recompute": "success",
        "unless_dry_run": "success",
        "approve_plan": "skipped",
        "recompute_observations": "skipped",
        "prove": "skipped",
    }
    flags = "SELECT air_temperature_c_flag AS flag FROM curated.observations WHERE station_id = 'curated-by-hand'"
    assert stream.lake(flags) == [{"flag": 1}]


def test_a_plan_that_fails_says_why_at_the_terminal(awake: Settings):
    done = weahouse("backfill", "plan", REPLAY, "--start-offsets", '{"99": 0}', "--end-offsets", "{}")
    assert isinstance(done.exception, UserError)
    assert "kafka_replay.plan_replay failed: start names partition 99" in str(done.exception)


def test_a_recompute_that_cannot_be_meant_fails_before_anything_is_done(awake: Settings):
    rest.unpause(awake, RECOMPUTE)
    run = DagRun.trigger(awake, RECOMPUTE, {"start": "2024-05-02T00:00:00Z", "end": "2024-05-01T00:00:00Z"})
    run.await_state("failed")
    assert "end 2024-05-01T00:00:00Z must lie after start" in run.log("plan_recompute")


def write_world(spark: SparkSession, settings: Settings, end: datetime) -> None:
    """A month of Gold's hours up to a full hour, and features of them alone."""
    hours = hourly(spark, world(days=30, begin=end - timedelta(days=30))).persist()
    features = station_features(hours, places(spark, a=(40.0, 0.0)))
    # Other tests have made features of other years, over which the trained time would span.
    for made, dataset, mode in (
        (hours, GOLD_HOURLY_SUMMARIES, "append"),
        (features, GOLD_STATION_FEATURES, "overwrite"),
    ):
        ensure_table(spark, settings, dataset)
        made.coalesce(1).write.format("delta").mode(mode).save(table_path(settings, dataset))
    hours.unpersist()


def asked(settings: Settings, sql: str) -> list[dict[str, Any]]:
    return lake.rows(lake.query(settings, sql))


def test_models_are_trained_and_approved_forecast_for_cassandra_and_are_verified(awake: Settings, spark: SparkSession):
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    write_world(spark, awake, end)
    for dag_id in (TRAINING, INFERENCE, VERIFICATION):
        rest.unpause(awake, dag_id)
    # One of each kind of predictand: a training of all five takes as long as the rest of this file.
    targets = ["air_temperature_c_6h", "rain_within_3h_3h"]
    training = DagRun.trigger(awake, TRAINING, {"kinds": ["linear"], "targets": targets})
    training.approve("approve_models")
    training.await_state("success")
    champions = "SELECT predictand, lead_time_h FROM gold.models WHERE model_state = 'champion' ORDER BY predictand"
    assert [f"{row['predictand']}_{row['lead_time_h']}h" for row in asked(awake, champions)] == targets

    woken = eventually(lambda: DagRun.newest(awake, INFERENCE), "a run of inference")
    (inferred,) = json.loads(weahouse("dags", "run-once", "--only", INFERENCE, "--json").stdout)["runs"]
    assert (inferred["run_id"], inferred["state"]) == (woken.run_id, "success"), inferred
    for station in STATIONS:
        served = list(cassandra.rows(awake, "SELECT * FROM forecasts_by_station WHERE station_id = ?", (station,)))
        assert {row["issued_at"].replace(tzinfo=UTC) for row in served} == {end}
        assert len(served) == len(targets)

    verified = {"from": (end - timedelta(hours=3)).isoformat(), "to": end.isoformat()}
    DagRun.trigger(awake, VERIFICATION, verified).await_state("success")
    names = "SELECT DISTINCT model_name FROM gold.forecast_verification"
    assert {row["model_name"] for row in asked(awake, names)} >= {"persistence", "climatology"}


def test_an_hour_that_nobody_can_forecast_fails_before_anything_is_done(awake: Settings):
    rest.unpause(awake, INFERENCE)
    run = DagRun.trigger(awake, INFERENCE, {"issued_at": "2024-05-01T12:30:00Z"})
    run.await_state("failed")
    assert "is no full hour" in run.log("choose_hours")
