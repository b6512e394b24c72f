"""Bring empty servers to what `weahouse up` leaves: secrets, topic, keyspace, zones, stations, Airflow's database.

Each step finds done what is done.
"""

from __future__ import annotations

import os
import subprocess

from weahouse.cli.bring_up import prepare_stores
from weahouse.embedded.airflow import SETUP_COMMANDS, airflow_environment, remember_first_hour, write_secrets
from weahouse.settings import settings


def main() -> None:
    instance = settings()
    write_secrets(instance)
    remember_first_hour(instance)
    prepare_stores(instance, print)
    for command in SETUP_COMMANDS:
        subprocess.run(("airflow", *command), env={**airflow_environment(instance), **os.environ}, check=True)


if __name__ == "__main__":
    main()
