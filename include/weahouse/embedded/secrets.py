"""Generated secrets of an instance: one 0600 file each, never printed and never in an argument."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from weahouse.settings import Settings

# 48 random bytes are 64 characters of text, which is also what Airflow's token signature asks for.
SECRET_BYTES = 48


def secret_file(settings: Settings, name: str) -> Path:
    return settings.home / "secrets" / name


def secret(settings: Settings, name: str) -> str:
    """The secret of that name, generated on first use."""
    path = secret_file(settings, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text()
