# SPDX-License-Identifier: BSD-2-Clause
"""Queries put together octet by octet, so that they may be as odd as a test wants."""
import contextlib
import socket
import struct

import dns.message
import dns.name

COOKIE, KEEPALIVE, PADDING = 10, 11, 12


def opt(options=(), size=1232, version=0, flags=0, owner=b"\0"):
    data = b"".join(struct.pack("!HH", code, len(octets)) + octets for code, octets in options)
    return owner + struct.pack("!HHBBHH", 41, size, 0, version, flags, len(data)) + data


def query(name=None, rdtype=1, flags=0x0100, additional=(), answer=(), ident=0x1234):
    """Without a name there is no question."""
    question = b""
    if name is not None:
        question = dns.name.from_text(name).to_wire() + struct.pack("!HH", rdtype, 1)
    return (struct.pack("!HHHHHH", ident, flags, 1 if question else 0, len(answer), 0,
                        len(additional)) + question + b"".join(answer) + b"".join(additional))


def ask(server, octets, timeout_s=3):
    """The answer over UDP, as octets; None if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect(("127.0.0.1", server.port))
        sock.send(octets)
        with contextlib.suppress(TimeoutError):
            return sock.recv(65535)
    return None


class Connection:
    """One over TCP."""

    def __init__(self, server):
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *messages):
        self.sock.sendall(b"".join(struct.pack("!H", len(m)) + m for m in messages))

    def take(self, count):
        octets = b""
        while len(octets) < count:
            more = self.sock.recv(count - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    def receive(self):
        return self.take(*struct.unpack("!H", self.take(2)))

    def is_closed(self):
        with contextlib.suppress(ConnectionResetError):
            return self.sock.recv(1) == b""
        return True


def ask_tcp(server, octets):
    with Connection(server) as connection:
        connection.send(octets)
        return connection.receive()


def flags_of(octets):
    return struct.unpack("!H", octets[2:4])[0]


def rcode_of(octets):
    """All twelve bits."""
    reply = parse(octets)
    return reply.rcode()


def parse(octets):
    return dns.message.from_wire(octets, raise_on_truncation=False)


def options_of(octets):
    """{code: octets} of the OPT record, None without one."""
    reply = parse(octets)
    if reply.edns < 0:
        return None
    return {int(option.otype): option.to_wire() for option in reply.options}
