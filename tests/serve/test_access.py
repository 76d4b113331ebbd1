# SPDX-License-Identifier: BSD-2-Clause
"""Who may ask: access.allow, access.deny, access.answer.  All of 127.0.0.0/8 is this machine."""
import socket
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from serving import assert_blocked, ede


def ask(server, source, tcp=False, timeout_s=5, name="listed.example"):
    query = dns.message.make_query(name, "A", use_edns=0)
    how = dns.query.tcp if tcp else dns.query.udp
    return how(query, "127.0.0.1", port=server.port, source=source, timeout=timeout_s)


def assert_closed(server, source):
    """A connection from there ends without a word."""
    with socket.socket() as sock:
        sock.bind((source, 0))
        sock.settimeout(5)
        sock.connect(("127.0.0.1", server.port))
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass


@pytest.fixture
def mixed(config):
    config["access"] = {"allow": ["127.0.0.0/8"], "deny": ["127.0.2.0/24", "127.0.0.77"]}
    return config


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.1.255", "127.0.3.0"])
def test_who_may_ask(serve, mixed, source):
    server = serve(mixed)
    assert_blocked(ask(server, source))
    assert_blocked(ask(server, source, tcp=True))
    assert server.metrics()["lindung_denied_total"] == 0


@pytest.mark.parametrize("source", ["127.0.2.1", "127.0.2.255", "127.0.0.77"])
def test_who_may_not_is_refused_and_told(serve, mixed, upstream, source):
    server = serve(mixed)
    for name in ("listed.example", "other.example", "localhost"):
        reply = ask(server, source, name=name)
        assert reply.rcode() == dns.rcode.REFUSED
        assert ede(reply)[0] == 18
        assert not reply.answer and not reply.authority
    assert_closed(server, source)
    counters = server.metrics()
    assert counters["lindung_denied_total"] == 4
    assert counters['lindung_answers_total{kind="refused"}'] == 3
    assert not upstream.asked


def test_who_may_not_is_not_answered(serve, mixed):
    mixed["access"]["answer"] = "drop"
    server = serve(mixed)
    with pytest.raises(dns.exception.Timeout):
        ask(server, "127.0.2.1", timeout_s=0.5)
    assert_blocked(ask(server, "127.0.1.1"))
    counters = server.metrics()
    assert counters["lindung_denied_total"] == 1
    assert counters["lindung_dropped_total"] == 1


def test_longer_prefix_opens_again(serve, config):
    config["access"] = {"allow": ["127.0.0.0/8", "127.0.2.5"], "deny": "127.0.2.0/24"}
    server = serve(config)
    assert_blocked(ask(server, "127.0.2.5"))
    assert ask(server, "127.0.2.6").rcode() == dns.rcode.REFUSED


def test_nobody_but_these(serve, config):
    config["access"] = {"allow": ["192.0.2.0/24", "2001:db8::/32"]}
    server = serve(config)
    assert ask(server, "127.0.0.1").rcode() == dns.rcode.REFUSED
    assert_closed(server, "127.0.0.1")


def test_as_many_prefixes_as_may_be(serve, config):
    config["access"] = {"allow": ["127.0.0.1"] +
                        [f"10.{i // 256}.{i % 256}.0/24" for i in range(65534)],
                        "deny": ["127.0.0.2"]}
    start = time.monotonic()
    server = serve(config)
    assert time.monotonic() - start < 10
    assert_blocked(ask(server, "127.0.0.1"))
    assert ask(server, "127.0.0.2").rcode() == dns.rcode.REFUSED
    server.stop()
    config["access"]["deny"].append("127.0.0.3")
    server = serve(config, ready=False)
    server.says("access.deny: expected no more than 65536 prefixes together with access.allow")
    assert server.process.wait(timeout=5) == 1


@pytest.mark.parametrize("prefix", ["127.0.0.1/8", "127.0.0.0/33", "localhost", "127.0.0.0/"])
def test_what_is_no_prefix_is_told(serve, config, prefix):
    config["access"] = {"allow": [prefix]}
    server = serve(config, ready=False)
    server.says(f'got "{prefix}"')
    assert server.process.wait(timeout=5) == 1
