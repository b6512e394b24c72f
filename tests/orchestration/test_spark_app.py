from __future__ import annotations

import os
from pathlib import Path

import pytest

from weahouse.orchestration import spark_app
from weahouse.orchestration.spark_app import SparkAppOperator, last_answer
from weahouse.settings import ROOT, Settings

GOLDEN = Path(__file__).parents[1] / "golden" / "spark_submit_curate_observations.txt"


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
    for option in ("--conf", "--master", "--name", "--driver-memory", "--driver-class-path", "--ingest-hour"):
        text = text.replace(f"{option}\n", f"{option} ")
    return text


def test_the_command_of_an_application_is_the_reviewed_one(instance: Settings):
    app = SparkAppOperator(
        task_id="curate", app="curate_observations", arguments={"ingest-hour": "2024-05-01T13", "rules": ""}
    )
    found = rendered(command(app), instance)
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


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
