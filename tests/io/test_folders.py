from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from weahouse.io.folders import new_folder, write_text


def test_a_folder_appears_when_it_is_whole(spark: SparkSession, tmp_path: Path):
    place = tmp_path / "models" / "v1"
    with new_folder(spark, f"file:{place}") as aside:
        write_text(spark, f"{aside}/card.html", "5 °C")
        assert not place.exists()
    assert (place / "card.html").read_text() == "5 °C"
    assert [path.name for path in place.parent.iterdir()] == ["v1"]


def test_of_a_folder_that_was_broken_off_nothing_is_left(spark: SparkSession, tmp_path: Path):
    def break_off() -> None:
        with new_folder(spark, f"file:{tmp_path}/v1") as aside:
            write_text(spark, f"{aside}/card.html", "half")
            raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_stands_is_never_written_over(spark: SparkSession, tmp_path: Path):
    (tmp_path / "v1").mkdir()
    with pytest.raises(FileExistsError), new_folder(spark, f"file:{tmp_path}/v1"):
        pass
    assert list((tmp_path / "v1").iterdir()) == []
