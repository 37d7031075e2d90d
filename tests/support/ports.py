"""Ports for programs that take a number and cannot be handed a socket."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A port of this machine on which nobody listens.

    It lies below those that systems give to outgoing connections, so that none of these takes it in the seconds until
    the program is there.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("100 ports of this machine were tried, and all are taken")
