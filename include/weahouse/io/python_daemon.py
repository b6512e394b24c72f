"""The process from which Spark forks its Python workers, with what ours need imported: a worker begins at once.

Spark's own daemon leaves that to each worker, and ends one that has had nothing to do for a minute: after a quiet
minute both that write a batch into Cassandra took three seconds of CPU for their imports.
"""

from __future__ import annotations

from importlib import import_module

from pyspark import daemon

# Imports alone: a connection is a worker's own, and made after the fork. Arrow imports pandas with the first array that
# it makes of Python's objects.
NEEDED = (
    "acsylla",
    "cassandra.cluster",
    "pandas",
    "pyarrow.compute",
    "weahouse.io.cassandra_reader",
    "weahouse.io.cassandra_writer",
)

if __name__ == "__main__":
    for name in NEEDED:
        import_module(name)
    daemon.manager()
