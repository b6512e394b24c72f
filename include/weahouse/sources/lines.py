"""Lines of a plain, .gz or .zst file, as bytes and with bounded memory."""

from __future__ import annotations

import gzip
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SourceError(Exception):
    """A file that cannot be read at all; the message names it and says why."""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        if path.suffix == ".gz":
            # A buffer of its own: GzipFile's readline goes through Python for each line.
            with gzip.open(file) as packed, io.BufferedReader(cast("io.RawIOBase", packed), 1 << 20) as plain:
                yield plain
        elif path.suffix == ".zst":
            import zstandard

            with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as stream:
                yield cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", stream), 1 << 20))
        else:
            yield file


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line without its end) of a file; raises SourceError when it cannot be read or unpacked."""
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip(b"\r\n")
    except FileNotFoundError:
        raise SourceError(f"{path} does not exist") from None
    except (OSError, EOFError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from None
    except Exception as error:
        # zlib.error and zstandard.ZstdError share no base class with OSError.
        if type(error).__module__.split(".")[0] in ("zlib", "zstd", "zstandard", "backend_c"):
            raise SourceError(f"{path} is damaged: {error}") from None
        raise
