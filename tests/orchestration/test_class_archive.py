from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.instance import TEST_SETTINGS

from weahouse.orchestration import class_archive
from weahouse.orchestration.spark_submit import shared_classes, spark_conf
from weahouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def java_options(settings: Settings) -> list[str]:
    return spark_conf(settings, "app")["spark.driver.extraJavaOptions"].split()


def test_applications_begin_with_the_archive_where_there_is_one(tmp_path: Path):
    settings = Settings(cache=tmp_path)
    assert not any(option.startswith("-XX:SharedArchiveFile") for option in java_options(settings))
    shared_classes(settings).touch()
    assert f"-XX:SharedArchiveFile={shared_classes(settings)}" in java_options(settings)


def test_the_session_of_the_tests_has_its_classes_from_the_archive(spark: SparkSession):
    flags = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
    assert f"-XX:SharedArchiveFile={shared_classes(TEST_SETTINGS)}" in list(flags)
    before = shared_classes(TEST_SETTINGS).stat()
    said: list[str] = []
    class_archive.ensure(TEST_SETTINGS, said.append)
    assert (said, shared_classes(TEST_SETTINGS).stat().st_mtime) == ([], before.st_mtime)


def test_one_that_java_does_not_map_is_made_anew_and_a_failure_is_reported(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = replace(TEST_SETTINGS, cache=tmp_path, home=tmp_path)
    shared_classes(settings).write_bytes(b"no archive")
    monkeypatch.setattr(class_archive, "APP", "no_such_application.py")
    said: list[str] = []
    class_archive.ensure(settings, said.append)
    assert len(said) == 2
    assert "applications start slower" in said[1]
    assert "no_such_application.py" in said[1]
    assert not shared_classes(settings).exists()
