"""Folders of files that Spark writes outside of tables: written aside, and moved to their place when they are whole."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@contextmanager
def new_folder(spark: SparkSession, uri: str) -> Iterator[str]:
    """A folder to write into that becomes `uri` at the end; after an error nothing of it is left.

    Raises FileExistsError where there is something at `uri`. For one writer at a time.
    """
    files, place = _file_system(spark, uri), _path(spark, uri)
    if files.exists(place):
        raise FileExistsError(uri)
    # Beside its place, since a move is one step within a file system only.
    aside = f"{uri}.{uuid.uuid4().hex}"
    try:
        yield aside
        if not files.rename(_path(spark, aside), place):
            raise OSError(f"{aside} could not be moved to {uri}")
    finally:
        files.delete(_path(spark, aside), True)


def write_text(spark: SparkSession, uri: str, text: str) -> None:
    """Write a UTF-8 file."""
    stream = _file_system(spark, uri).create(_path(spark, uri))
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def _path(spark: SparkSession, uri: str) -> Any:
    return spark.sparkContext._jvm.org.apache.hadoop.fs.Path(uri)  # type: ignore[union-attr]


def _file_system(spark: SparkSession, uri: str) -> Any:
    return _path(spark, uri).getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
