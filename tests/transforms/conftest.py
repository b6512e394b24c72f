from __future__ import annotations

from tests.modes import mode

__all__ = ["mode"]
