"""A pool of connections that gives up a server which says "100 Continue" without end.

`http.client` reads interim responses until another comes (RFC 9110, 15.2), and each that arrives begins the
timeout anew: a hostile server could hold a request for ever. Imported with urllib3 only, which takes 110 ms.
"""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

# A request without a body is answered by none; caches on the way may add one.
MOST_INTERIM = 8


class _Response(HTTPResponse):
    _statuses = 0

    def _read_status(self) -> tuple[str, int, str]:
        self._statuses += 1
        if self._statuses > MOST_INTERIM:
            raise HTTPException("it says '100 Continue' without end")
        return super()._read_status()  # type: ignore[misc,no-any-return]  # not in typeshed; 3.5 to 3.14 have it


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def bounded(manager: PoolManager) -> PoolManager:
    """Return a manager whose connections give up after some interim responses."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager
