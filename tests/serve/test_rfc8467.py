# SPDX-License-Identifier: BSD-2-Clause
"""RFC 7830 and 8467: answers are padded where they are encrypted and the query was; and RFC 7828
over TLS."""
import struct
import subprocess

import dns.rcode
import pytest

import tls_room
from serving import assert_answered, assert_blocked, free_port
from octets import KEEPALIVE, PADDING, ask, ask_tcp, opt, options_of, parse, query

BLOCK = 468


@pytest.fixture
def server(serve, config, tmp_path):
    """With server.ask_tls()."""
    authority = tls_room.Authority(tmp_path)
    certificate, key = authority.pair("first")
    port = free_port()
    config["tls"] = {"listen": [f"127.0.0.1@{port}"], "certificate": str(certificate),
                     "key": str(key), "idle-ms": 7000}
    https_port = free_port()
    config["https"] = {"listen": [f"127.0.0.1@{https_port}"]}
    config["local"] = {"names": ["nas.home.arpa 192.168.1.10"]}
    server = serve(config)
    server.tls_port, server.https_port, server.authority = port, https_port, authority

    def ask_tls(message):
        with tls_room.Connection(port, authority.context()) as connection:
            connection.socket.sendall(struct.pack("!H", len(message)) + message)
            length, = struct.unpack("!H", tls_room.receive(connection.socket, 2))
            return tls_room.receive(connection.socket, length)

    server.ask_tls = ask_tls
    return server


def padded(name, zeros=64, **options):
    return query(name, additional=[opt(options=[(PADDING, bytes(zeros))])], **options)


NAMES = ["listed.example", "open.example", "nas.home.arpa", "localhost", "nowhere.test"]


def test_all_answers_have_the_same_length(server):
    """Open or closed, short or long: who listens cannot tell."""
    for name in NAMES:
        for zeros in (0, 1, 64):
            wire = server.ask_tls(padded(name, zeros))
            assert len(wire) == BLOCK
            assert set(options_of(wire)[PADDING]) <= {0}
    assert_blocked(parse(server.ask_tls(padded("listed.example"))))
    assert_answered(parse(server.ask_tls(padded("open.example"))))
    # What is refused is as long, too.
    wire = server.ask_tls(padded("open.example", rdtype=252))
    assert parse(wire).rcode() == dns.rcode.REFUSED and len(wire) == BLOCK


def test_not_if_the_query_was_not(server):
    for name in NAMES:
        for message in (query(name), query(name, additional=[opt()])):
            wire = server.ask_tls(message)
            assert len(wire) < BLOCK
            assert PADDING not in (options_of(wire) or {})


@pytest.mark.parametrize("way", [ask, ask_tcp], ids=["udp", "tcp"])
def test_never_where_it_hides_nothing(server, way):
    for name in NAMES:
        wire = way(server, padded(name))
        assert len(wire) < BLOCK
        assert PADDING not in options_of(wire)


def test_what_padding_holds_does_not_matter(server):
    """RFC 7830 section 3: its octets are to be 0, and must not be looked at."""
    message = query("listed.example", additional=[opt(options=[(PADDING, b"\xff" * 100)])])
    assert_blocked(parse(server.ask_tls(message)))


def test_rfc7828_keepalive_over_tls(server):
    wire = server.ask_tls(query("open.example", additional=[
        opt(options=[(KEEPALIVE, b""), (PADDING, b"")])]))
    assert options_of(wire)[KEEPALIVE] == struct.pack("!H", 70)
    assert len(wire) == BLOCK


@pytest.mark.parametrize("https", [False, True])
def test_kdig(server, https):
    def kdig(*words):
        return subprocess.run(
            ["kdig", f"+tls-ca={server.authority.path}", f"+tls-host={tls_room.NAME}",
             *(["+https"] if https else []), *words, "-p",
             str(server.https_port if https else server.tls_port), "@127.0.0.1", "open.example"],
            capture_output=True, text=True, timeout=20, check=True).stdout

    # kdig pads by itself where it is encrypted.
    for words in ((), ("+padding",)):
        told = kdig(*words)
        assert "192.0.2.53" in told
        assert f"Received {BLOCK} B" in told
        assert "PADDING" in told
    assert f"Received {BLOCK} B" not in kdig("+nopadding")
