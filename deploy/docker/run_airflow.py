"""Run a command of Airflow with the environment that settings render; what the container sets itself wins."""

from __future__ import annotations

import os
import sys

from weahouse.embedded.airflow import airflow_environment
from weahouse.settings import settings


def main() -> None:
    environment = {**airflow_environment(settings()), **os.environ}
    os.execvpe("airflow", ["airflow", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
