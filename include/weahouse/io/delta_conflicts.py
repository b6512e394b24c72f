"""How Delta refuses a commit that met another one. PySpark learns these names when they are imported."""

from __future__ import annotations

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
)

# Somebody has added, or rewritten, files that a MERGE or an OPTIMIZE had read. They have no common class of their own.
CONFLICTS = (ConcurrentAppendException, ConcurrentDeleteReadException, ConcurrentDeleteDeleteException)
