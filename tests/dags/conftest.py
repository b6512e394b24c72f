from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

# Before the first import of Airflow, which reads its configuration once.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="weahouse-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="session")
def dag_bag():  # type: ignore[no-untyped-def]
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(DAGS)
