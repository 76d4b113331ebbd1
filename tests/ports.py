# SPDX-License-Identifier: BSD-2-Clause
"""Ports for servers that a test starts."""
import contextlib
import random
import socket

GIVEN = set()
CHANCE = random.SystemRandom()  # not the one that a test may have seeded


def free_port():
    """A port of 127.0.0.1 free for UDP and TCP, below those that the kernel gives to clients; drawn
    by lot, since other tests of ours may run beside this one."""
    for port in CHANCE.sample(range(20000, 32000), 12000):
        with contextlib.ExitStack() as stack:
            try:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in GIVEN:
                GIVEN.add(port)
                return port
    raise RuntimeError("no free port")
