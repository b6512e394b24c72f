from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from weahouse.orchestration.spark_submit import spark_environment, spark_home, spark_submit_command
from weahouse.settings import ROOT, Settings, from_environment

GOLDEN = Path(__file__).parents[1] / "golden" / "spark_submit_stream_observations.txt"
SETTINGS = Settings(home=Path("/instance"), cache=Path("/cache"))


def rendered(settings: Settings) -> str:
    """The command, one option a line, with this machine's paths replaced."""
    text = "\n".join(spark_submit_command(settings, "stream_observations.py")) + "\n"
    text = text.replace(str(spark_home()), "<pyspark>").replace(str(ROOT), "<checkout>")
    for option in ("--conf", "--master", "--name", "--driver-memory", "--driver-class-path", "--jars"):
        text = text.replace(f"{option}\n", f"{option} ")
    return text


def test_the_command_of_the_stream_is_the_reviewed_one() -> None:
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(rendered(SETTINGS))
    assert rendered(SETTINGS) == GOLDEN.read_text()


def test_spark_submit_of_this_environment_exists_and_is_executable() -> None:
    assert os.access(spark_submit_command(SETTINGS, "stream_observations.py")[0], os.X_OK)


def test_arguments_come_after_the_application() -> None:
    command = spark_submit_command(SETTINGS, "app.py", "--hour", "2024-05-01T13")
    assert command[-3:] == [str(ROOT / "spark_apps" / "app.py"), "--hour", "2024-05-01T13"]


def test_executors_of_a_cluster_get_the_jars_one_by_one(tmp_path: Path) -> None:
    jars = tmp_path / "jars" / "spark"
    jars.mkdir(parents=True)
    for name in ("b.jar", "a.jar"):
        (jars / name).touch()
    command = spark_submit_command(Settings(cache=tmp_path), "app.py", master="spark://master:7077")
    assert command[command.index("--jars") + 1] == f"{jars}/a.jar,{jars}/b.jar"


def test_a_spark_application_reads_the_same_instance_from_its_environment() -> None:
    settings = Settings(home=Path("/instance"), port_offset=3000, spark_master="local[1]")
    assert from_environment(spark_environment(settings)) == settings


def test_rendering_a_command_imports_neither_pyspark_nor_airflow() -> None:
    code = (
        "import sys; from weahouse.orchestration import driver, spark_submit, status; "
        "from weahouse.settings import Settings; spark_submit.spark_submit_command(Settings(), 'app.py'); "
        "assert not {'pyspark', 'airflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
