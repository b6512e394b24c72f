"""Running one of `spark_apps/` that answers with one JSON object on its last line."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from weahouse.cli.errors import UserError

if TYPE_CHECKING:
    from weahouse.settings import Settings


def run_app(settings: Settings, app: str, *arguments: str, log_name: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the answer of an application; its log is `<home>/logs/<log_name>.log`.

    Raises UserError where it ended without an answer.
    """
    from weahouse.orchestration.spark_submit import scratch_folder, spark_environment, spark_submit_command

    scratch_folder(settings, app.removesuffix(".py")).mkdir(parents=True, exist_ok=True)
    log = settings.home / "logs" / f"{log_name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stderr:
        done = subprocess.run(
            spark_submit_command(settings, app, *arguments),
            env={**os.environ, **spark_environment(settings)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            check=False,
        )
    lines = done.stdout.decode().strip().splitlines()
    try:
        return done.returncode, json.loads(lines[-1])
    except (IndexError, ValueError):
        raise UserError(f"{app} did not end well (exit code {done.returncode}): see {log}") from None
