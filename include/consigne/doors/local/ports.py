"""Free ports of loopback, held for a state folder as long as its supervisor lives."""

from __future__ import annotations

import socket


def is_free(port: int) -> bool:
    """Whether nobody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def hold(wanted: int) -> tuple[int, socket.socket]:
    """The first free port from the wanted one on, and what holds it against other supervisors: a name in
    Linux's abstract namespace, which is gone when we are."""
    for port in range(wanted, 65536):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0consigne-port-{port}")
        except OSError:
            claim.close()
            continue
        if is_free(port):
            return port, claim
        claim.close()
    raise OSError("no free port")
