"""What must work for its living: a package that is required, and that nothing imports, is a decoration."""

from __future__ import annotations

import ast
from functools import cache
from itertools import chain

import pytest

from weahouse.settings import ROOT

# By what requirements.txt names: what Python imports of it.
REQUIRED = {
    "apache-airflow": "airflow",
    "apache-airflow-providers-apache-cassandra": "airflow.providers.apache.cassandra",
    "apache-airflow-providers-apache-hdfs": "airflow.providers.apache.hdfs",
    "apache-airflow-providers-apache-kafka": "airflow.providers.apache.kafka",
    "apache-airflow-providers-apache-spark": "airflow.providers.apache.spark",
    "great-expectations": "great_expectations",
    "pyspark": "pyspark",
}


@cache
def imported() -> frozenset[str]:
    """Every module that a file of dags/, include/ or plugins/ imports, at its top or inside."""
    files = chain.from_iterable((ROOT / room).rglob("*.py") for room in ("dags", "include", "plugins"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return frozenset(plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)})


@pytest.mark.parametrize(("package", "module"), REQUIRED.items(), ids=REQUIRED)
def test_a_required_package_is_imported_by_the_platform(package: str, module: str) -> None:
    assert f"\n{package}==" in (ROOT / "requirements.txt").read_text()
    assert any(name == module or name.startswith(f"{module}.") for name in imported())
