"""Small JSON documents on HDFS: progress, control, leases. Tables go through Delta."""

from __future__ import annotations

import json
import os
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.settings import Settings

Document = dict[str, Any]


@contextmanager
def _as_os_error() -> Iterator[None]:
    """The client raises RuntimeError where a server refuses in its own words, such as that a quota is exceeded."""
    try:
        yield
    except RuntimeError as error:
        # What follows the first, escaped, line end is the server's stack.
        raise OSError(str(error).split("\\n", 1)[0]) from None


class Entry(NamedTuple):
    """One entry of a folder; modified_at in epoch seconds."""

    name: str
    is_folder: bool
    size_bytes: int
    modified_at: float


class Hdfs:
    """Documents by absolute path. Errors of the servers surface as OSError."""

    def __init__(self, settings: Settings) -> None:
        from hdfs_native import Client

        os.environ.setdefault("HADOOP_USER_NAME", "weahouse")
        # Where the servers are gone, a caller that watches them must hear so within its own deadline.
        # By default the client retries for three minutes.
        retries = {"dfs.client.failover.max.attempts": "2", "dfs.client.failover.sleep.max.millis": "100"}
        self._client = Client(settings.hdfs, retries)

    @_as_os_error()
    def read_json(self, path: str) -> Document | None:
        """The document at path, or None where there is none."""
        text = self.read_text(path)
        return json.loads(text) if text else None

    @_as_os_error()
    def read_text(self, path: str) -> str | None:
        """The UTF-8 text at path, or None where there is none."""
        content = self.read_bytes(path)
        return None if content is None else content.decode()

    def read_bytes(self, path: str) -> bytes | None:
        """What the file at path holds, or None where there is none."""
        try:
            return self._read(path)
        except FileNotFoundError:
            return None
        except RuntimeError:
            # The blocks of a document that was replaced since it was opened may be gone.
            return self._read(path)

    @_as_os_error()
    def write_json(self, path: str, document: Document) -> None:
        """Replace the document at path at once: a reader sees the old one or the new one."""
        draft = f"{path}.{uuid.uuid4().hex}"
        self._write(draft, document)
        self._client.rename(draft, path, overwrite=True)

    @_as_os_error()
    def create_exclusive(self, path: str, document: Document) -> bool:
        """Create the document; False, and nothing changed, where the path exists already."""
        draft = f"{path}.{uuid.uuid4().hex}"
        self._write(draft, document)
        if self.claim(draft, path):
            return True
        self.delete(draft)
        return False

    @_as_os_error()
    def claim(self, source: str, path: str) -> bool:
        """Move a document to a path that must not exist, dated now; False, and nothing moved, where it does."""
        now_ms = int(time.time() * 1000)
        self._client.set_times(source, now_ms, now_ms)
        try:
            # HDFS refuses to rename onto an existing file, so of several claims one succeeds.
            self._client.rename(source, path, overwrite=False)
        except OSError:
            if self.exists(path):
                return False
            raise
        return True

    @_as_os_error()
    def modified_at(self, path: str) -> float:
        """When the document was last written or claimed, in epoch seconds; 0 where there is none."""
        try:
            return float(self._client.get_file_info(path).modification_time) / 1000
        except FileNotFoundError:
            return 0.0

    @_as_os_error()
    def move(self, source: str, path: str) -> None:
        """Move a file or a folder to a path that must not exist yet."""
        self._client.mkdirs(path.rpartition("/")[0], permission=0o755, create_parent=True)
        self._client.rename(source, path, overwrite=False)

    @_as_os_error()
    def delete(self, path: str) -> None:
        """Remove a file or a folder with all it holds; nothing happens where there is none."""
        self._client.delete(path, True)

    @_as_os_error()
    def exists(self, path: str) -> bool:
        try:
            self._client.get_file_info(path)
        except FileNotFoundError:
            return False
        return True

    @_as_os_error()
    def list(self, path: str) -> list[str]:
        """The names in a folder; empty where there is none."""
        try:
            return [status.path.rpartition("/")[2] for status in self._client.list_status(path)]
        except FileNotFoundError:
            return []

    @_as_os_error()
    def entries(self, path: str) -> tuple[Entry, ...]:
        """What a folder holds; empty where there is none."""
        try:
            found = tuple(self._client.list_status(path))
        except FileNotFoundError:
            return ()
        return tuple(Entry(e.path.rpartition("/")[2], e.isdir, e.length, e.modification_time / 1000) for e in found)

    @_as_os_error()
    def count(self, path: str) -> tuple[int, int]:
        """How many files a folder holds with all below it, and their bytes."""
        summary = self._client.get_content_summary(path)
        return summary.file_count, summary.length

    @_as_os_error()
    def mkdirs(self, path: str) -> None:
        self._client.mkdirs(path, permission=0o755, create_parent=True)

    def _read(self, path: str) -> bytes:
        with self._client.read(path) as reader:
            return bytes(reader.read())

    @_as_os_error()
    def _write(self, path: str, document: Document) -> None:
        from hdfs_native import WriteOptions

        with self._client.create(path, WriteOptions(overwrite=True, create_parent=True)) as writer:
            writer.write(json.dumps(document, sort_keys=True).encode())
