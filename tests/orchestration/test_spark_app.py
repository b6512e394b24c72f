from __future__ import annotations

import os
from pathlib import Path

import pytest

from weahouse.orchestration import spark_app
from weahouse.orchestration.spark_app import SparkAppOperator, last_answer
from weahouse.settings import ROOT, Settings

GOLDEN = Path(__file__).parents[1] / "golden"
# What Dags give each application; an option without a value is left out.
GIVEN = {
    "curate_observations": {"ingest-hour": "2024-05-01T13", "until": {"0": 120, "1": 7}, "rules": ""},
    "aggregate_gold": {"ingest-hours": "2024-05-01T12,2024-05-01T13"},
    "train_models": {
        "step": "train",
        "version": "20240501T053000Z-1",
        "kinds": "linear",
        "targets": "rain_within_3h_3h",
        "without-champion": "false",
    },
    "infer_forecasts": {"from": "2024-05-01T07:00:00Z", "to": "2024-05-01T12:00:00Z"},
    "recompute_observations": {"plan": '{"run_id": "a1", "stations": []}', "preview": "true", "approved-by": ""},
    "verify_forecasts": {"from": "2024-04-29T00:00:00+00:00", "to": "2024-05-01T00:00:00+00:00"},
}


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = Settings(home=tmp_path, cache=Path("/cache"))
    monkeypatch.setattr(spark_app, "settings", lambda: found)
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", '{"conn_type": "spark", "host": "local[4]"}')
    return found


def command(app: SparkAppOperator) -> list[str]:
    app.render()
    return app._get_hook()._build_spark_submit_command(app.application)


def rendered(words: list[str], instance: Settings) -> str:
    """One option a line, with this machine's paths replaced."""
    text = "\n".join(words).replace(str(instance.home), "/instance").replace(str(ROOT), "<checkout>") + "\n"
    options = {name for arguments in GIVEN.values() for name in arguments}
    for option in ("conf", "master", "name", "driver-memory", "driver-class-path", *options):
        text = text.replace(f"--{option}\n", f"--{option} ")
    return text


@pytest.mark.parametrize("name", GIVEN)
def test_the_command_of_an_application_is_the_reviewed_one(instance: Settings, name: str):
    golden = GOLDEN / f"spark_submit_{name}.txt"
    found = rendered(command(SparkAppOperator(task_id="work", app=name, arguments=GIVEN[name])), instance)
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_it_takes_the_one_slot_of_all_applications_and_may_take_an_hour(instance: Settings):
    app = SparkAppOperator(task_id="curate", app="curate_observations", default_args={"execution_timeout": None})
    assert (app.pool, app.execution_timeout) == ("spark", spark_app.LONGEST)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (['{"a": 1}', '{"a": 2}', "WARN a word of Spark's"], {"a": 2}),
        (['{"a": 1}', "{ no JSON }"], {"a": 1}),
        (["nothing"], None),
        ([], None),
    ],
)
def test_the_answer_is_the_last_json_object_that_was_printed(lines, answer):
    assert last_answer(lines) == answer
