"""The Cassandra edge for reads and the schema: one session a process, prepared statements, clear errors.

The stream writes its bulk through another, faster client; this module is for answers to people.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from weahouse.schemas.render import cql_additions, cql_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cassandra.cluster import ResponseFuture, Session
    from cassandra.query import PreparedStatement

    from weahouse.settings import Settings

Row = dict[str, Any]

# A node of ours answers in milliseconds; a person at a terminal should not wait longer than this for the bad news.
CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 20.0
# Requests in flight at once: enough to keep one node busy, too few to make it drop any. A reader holds as many pages.
CONCURRENCY = 64
# 50 stations are some 5 kB, where the node begins to warn of batches.
BATCH_ROWS = 50


class CassandraError(RuntimeError):
    """Cassandra could not be reached, or has no such keyspace or table; the message names the address."""


def connect(settings: Settings, keyspace: bool = True) -> Session:
    """A session in the instance's keyspace (or in none); rows come as dictionaries.

    Close it with `session.cluster.shutdown()`. Raises CassandraError.
    """
    from cassandra import DriverException, InvalidRequest, ProtocolVersion
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
    from cassandra.policies import ConstantReconnectionPolicy, DCAwareRoundRobinPolicy
    from cassandra.query import dict_factory

    profile = ExecutionProfile(
        # Without a name it takes the data centre of the contact point that answers.
        load_balancing_policy=DCAwareRoundRobinPolicy(),
        request_timeout=REQUEST_TIMEOUT_S,
        row_factory=dict_factory,
    )
    cluster = Cluster(
        settings.cassandra,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        # Named, so that the driver does not try newer ones first; the schema and the ring it would read at each
        # connect are of no use to prepared statements on a few partitions. Together: 0.13 s instead of 0.4 s.
        protocol_version=ProtocolVersion.V5,
        schema_metadata_enabled=False,
        token_metadata_enabled=False,
        monitor_reporting_enabled=False,
        connect_timeout=CONNECT_TIMEOUT_S,
        # A session that lives long (the UI's) finds a restarted node after a second, not after minutes.
        reconnection_policy=ConstantReconnectionPolicy(1.0, max_attempts=None),
    )
    try:
        session = cluster.connect()
        if keyspace:
            session.set_keyspace(settings.cassandra_keyspace)
    except InvalidRequest:
        cluster.shutdown()
        name = settings.cassandra_keyspace
        raise CassandraError(
            f"Cassandra at {_address(settings)} has no keyspace {name}: `weahouse up` creates it"
        ) from None
    except (NoHostAvailable, DriverException, OSError):
        cluster.shutdown()
        raise CassandraError(
            f"Cassandra at {_address(settings)} does not answer: see `weahouse status`, start it with `weahouse up`"
        ) from None
    return session


_connecting = Lock()
# A process that is forked while another thread connects must not inherit a lock that nobody will release.
os.register_at_fork(before=_connecting.acquire, after_in_parent=_connecting.release, after_in_child=_connecting.release)


def shared_session(settings: Settings) -> Session:
    """One session per process and instance, which the driver closes at exit.

    The driver reconnects by itself when the node comes back. A forked process gets a session of its own: it has
    inherited the sockets of its parent's, and none of the threads. Raises CassandraError.
    """
    # A cache alone would let two threads of a web server that ask first connect twice.
    with _connecting:
        return _session(settings, os.getpid())


@cache
def _session(settings: Settings, process: int) -> Session:
    del process
    return connect(settings)


def create_schema(settings: Settings) -> None:
    """Create the keyspace and every type, serving table and column that is missing; what exists stays as it is.

    No table has a default TTL: whoever writes a row counts its TTL from `ingested_at`.
    """
    session = connect(settings, keyspace=False)
    try:
        session.execute(
            f"CREATE KEYSPACE IF NOT EXISTS {settings.cassandra_keyspace} WITH replication = "
            f"{{'class': 'SimpleStrategy', 'replication_factor': {settings.cassandra_replication_factor}}}"
        )
        session.set_keyspace(settings.cassandra_keyspace)
        for statement in (*cql_schema(), *cql_additions()):
            session.execute(statement)
    finally:
        session.cluster.shutdown()


def rows(settings: Settings, cql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
    """The rows of one prepared query, page by page. Raises CassandraError."""
    yield from rows_of_each(settings, cql, [parameters])


def rows_of_each(
    settings: Settings, cql: str, parameters: Iterable[Sequence[object]], ahead: int = CONCURRENCY
) -> Iterator[Row]:
    """The rows of one prepared query for each tuple of parameters, page by page, in the order of the tuples.

    At most `ahead` queries are asked before their rows are wanted, so that no more than their first pages are held.
    """
    session = shared_session(settings)
    with _reaching(settings):
        statement = _prepared(session, cql)
        asked: deque[ResponseFuture] = deque()
        for each in parameters:
            if len(asked) == ahead:
                yield from asked.popleft().result()
            asked.append(session.execute_async(statement, each))
        while asked:
            yield from asked.popleft().result()


def write_partitions(settings: Settings, cql: str, partitions: Iterable[Sequence[Sequence[object]]]) -> None:
    """Run one prepared write for each tuple of parameters, given by partition; raises CassandraError if one fails."""
    from cassandra.concurrent import execute_concurrent
    from cassandra.query import BatchStatement, BatchType

    session = shared_session(settings)
    with _reaching(settings):
        statement = _prepared(session, cql)
        batches = []
        for partition in partitions:
            for start in range(0, len(partition), BATCH_ROWS):
                # Unlogged and of one partition: one mutation on the node, four times the rows of single writes.
                batch = BatchStatement(BatchType.UNLOGGED)
                for parameters in partition[start : start + BATCH_ROWS]:
                    batch.add(statement, parameters)
                batches.append((batch, ()))
        execute_concurrent(session, batches, concurrency=CONCURRENCY)


@cache
def _prepared(session: Session, cql: str) -> PreparedStatement:
    return session.prepare(cql)


@contextmanager
def _reaching(settings: Settings) -> Iterator[None]:
    """Turns the driver's many ways to say "not there" into one CassandraError with the address in it."""
    from cassandra import DriverException, InvalidRequest
    from cassandra.cluster import NoHostAvailable

    try:
        yield
    except InvalidRequest as error:
        raise CassandraError(f"Cassandra at {_address(settings)} refused the query: {error}") from None
    except (NoHostAvailable, DriverException) as error:
        name = type(error).__name__
        raise CassandraError(
            f"Cassandra at {_address(settings)} did not answer ({name}): see `weahouse status`"
        ) from None


def _address(settings: Settings) -> str:
    return ",".join(f"{host}:{port}" for host, port in settings.cassandra)
