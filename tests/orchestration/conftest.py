from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from weahouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets an application end with these lines, and with an error or not, where Airflow would have submitted it."""
    # Here and not above: tests of what knows no Airflow do without it.
    from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
    from airflow.sdk.exceptions import AirflowException

    from weahouse.orchestration import spark_app

    monkeypatch.setattr(spark_app, "settings", lambda: Settings(home=tmp_path, cache=tmp_path))

    def let(*lines: str, error: bool = False) -> None:
        def execute(self: Any, context: object) -> None:
            self._hook = SimpleNamespace(_last_submit_log_lines=list(lines))
            if error:
                raise AirflowException("exit code")

        monkeypatch.setattr(SparkSubmitOperator, "execute", execute)

    return let
