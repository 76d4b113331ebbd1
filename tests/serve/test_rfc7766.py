# SPDX-License-Identifier: BSD-2-Clause
"""RFC 7766 and 9210, DNS over TCP; RFC 7828, how long a connection may be idle."""
import struct
import subprocess
import time

import dns.rcode
import pytest

from serving import assert_answered
from octets import KEEPALIVE, Connection, ask, opt, options_of, parse, query


def test_length_and_message_in_pieces(serve, config):
    """The two octets of length may come alone, and so may each octet behind them."""
    server = serve(config)
    message = query("listed.example")
    frame = struct.pack("!H", len(message)) + message
    with Connection(server) as connection:
        for i in range(len(frame)):
            connection.sock.sendall(frame[i:i + 1])
            time.sleep(0.002)
        assert parse(connection.receive()).rcode() == dns.rcode.NXDOMAIN
        connection.sock.sendall(frame + frame[:1])
        connection.receive()
        connection.sock.sendall(frame[1:])
        connection.receive()


def test_length_and_answer_come_together(serve, config):
    """RFC 7766 section 8: in one segment, for clients that read once."""
    server = serve(config)
    with Connection(server) as connection:
        connection.send(query("listed.example"))
        octets = connection.sock.recv(65535)
        assert len(octets) == 2 + struct.unpack("!H", octets[:2])[0]


def test_many_queries_on_one_connection(serve, config, upstream):
    """RFC 7766 section 6.2.1: a connection stays open; section 7: pipelined, answered in any
    order, each with its own id."""
    server = serve(config)
    with Connection(server) as connection:
        count = 60
        connection.send(*(query(f"late-{i}.example" if i % 3 == 0 else "listed.example", ident=i)
                          for i in range(count)))
        order = [struct.unpack("!H", connection.receive()[:2])[0] for _ in range(count)]
        assert sorted(order) == list(range(count))
        assert all(i % 3 for i in order[:count // 2]), "those that wait held up the others"
        connection.send(query("open.example"))
        assert_answered(parse(connection.receive()))


def test_more_than_may_wait_are_answered_all_the_same(serve, config):
    config["tcp"] = {"in-flight-max": 4}
    server = serve(config)
    with Connection(server) as connection:
        connection.send(*(query(f"late-{i}.example", ident=i) for i in range(20)))
        assert sorted(struct.unpack("!H", connection.receive()[:2])[0]
                      for _ in range(20)) == list(range(20))


def test_half_closed(serve, config):
    """A client that has said all it wants still hears the answers."""
    server = serve(config)
    with Connection(server) as connection:
        connection.send(query("late-half.example"))
        connection.sock.shutdown(1)
        assert_answered(parse(connection.receive()))
        assert connection.is_closed()


@pytest.mark.parametrize("frame", [b"\0\0", b"\0\1x", b"\0\x0b" + b"x" * 11],
                         ids=["empty", "one octet", "less than a header"])
def test_what_is_no_message_gets_no_answer(serve, config, frame):
    server = serve(config)
    with Connection(server) as connection:
        connection.sock.sendall(frame)
        connection.send(query("listed.example"))
        try:
            assert parse(connection.receive()).rcode() == dns.rcode.NXDOMAIN
        except EOFError:
            pass  # the server may close it, too
    assert_answered(server.query("open.example", tcp=True))


def test_idle_connection_is_closed(serve, config):
    config["tcp"] = {"idle-ms": 500}
    server = serve(config)
    with Connection(server) as connection, Connection(server) as half:
        half.sock.sendall(b"\0")  # half a length is nothing
        connection.send(query("listed.example"))
        connection.receive()
        start = time.monotonic()
        assert connection.is_closed() and half.is_closed()
        assert 0.3 < time.monotonic() - start < 2


@pytest.mark.parametrize("idle_ms,units", [(10000, 100), (500, 5), (600000, 6000)])
def test_rfc7828_keepalive(serve, config, idle_ms, units):
    config["tcp"] = {"idle-ms": idle_ms}
    server = serve(config)
    asked = query("open.example", additional=[opt(options=[(KEEPALIVE, b"")])])
    with Connection(server) as connection:
        for _ in range(2):  # from upstream, from the cache
            connection.send(asked)
            reply = connection.receive()
            assert_answered(parse(reply))
            assert options_of(reply)[KEEPALIVE] == struct.pack("!H", units)
        connection.send(query("listed.example", additional=[opt(options=[(KEEPALIVE, b"")])]))
        assert options_of(connection.receive())[KEEPALIVE] == struct.pack("!H", units)
        # Only if asked for.
        connection.send(query("open.example", additional=[opt()]))
        assert KEEPALIVE not in options_of(connection.receive())
        # A client that says how long mistakes itself for a server.
        connection.send(query("open.example", additional=[opt(options=[(KEEPALIVE, b"\0\1")])]))
        reply = connection.receive()
        assert parse(reply).rcode() == dns.rcode.FORMERR
        assert KEEPALIVE not in options_of(reply)


@pytest.mark.parametrize("value", [b"", b"\0\1"])
def test_rfc7828_never_over_udp(serve, config, value):
    server = serve(config)
    reply = ask(server, query("open.example", additional=[opt(options=[(KEEPALIVE, value)])]))
    assert_answered(parse(reply))
    assert KEEPALIVE not in options_of(reply)


def test_dig_and_kdig_keep_a_connection(serve, config):
    server = serve(config)
    for program in (["dig", "+keepopen", "+keepalive"], ["kdig", "+keepopen"]):
        done = subprocess.run([*program, "+tcp", "+short", "-p", str(server.port), "@127.0.0.1",
                               "open.example", "A", "open.example", "A"],
                              capture_output=True, text=True, timeout=20, check=True)
        assert done.stdout.split() == ["192.0.2.53"] * 2, done
