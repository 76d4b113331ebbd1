# SPDX-License-Identifier: BSD-2-Clause
"""How often those from one place are answered: rate.*.  All of 127.0.0.0/8 is this machine."""
import socket
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from serving import assert_blocked, ede


def wire_of(name, cookie=None):
    options = [dns.edns.GenericOption(10, cookie)] if cookie else []
    return dns.message.make_query(name, "A", use_edns=0, options=options).to_wire()


def flood(server, source, count, name="listed.example", cookie=None, gap_s=0.0):
    """What comes back for so many queries from one address, as messages."""
    replies = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", server.port))
        wire = wire_of(name, cookie)
        for _ in range(count):
            sock.send(wire)
            time.sleep(gap_s)
        sock.settimeout(0.3)
        while True:
            try:
                replies.append(dns.message.from_wire(sock.recv(4096)))
            except TimeoutError:
                return replies


def whole(replies):
    return [reply for reply in replies if not reply.flags & dns.flags.TC]


@pytest.fixture
def limited(config):
    config["threads"] = 1  # each thread counts for itself
    config["rate"] = {"per-second": 20, "slip": 2}
    return config


def counts(server):
    metrics = server.metrics()
    return {action: metrics[f'lindung_rate_limited_total{{action="{action}"}}']
            for action in ("dropped", "slipped", "leaked", "refused")}


def test_off_by_default(serve, config):
    server = serve(config)
    assert len(whole(flood(server, "127.0.0.1", 400))) == 400
    assert not any(counts(server).values())


def test_one_prefix_is_held_back(serve, limited):
    server = serve(limited)
    replies = flood(server, "127.9.9.1", 150) + flood(server, "127.9.9.2", 150)
    sent = whole(replies)
    assert 20 <= len(sent) <= 23  # a second's worth, and what little time gave
    for reply in sent:
        assert_blocked(reply)
    held = counts(server)
    assert held["slipped"] == len(replies) - len(sent)
    assert held["dropped"] + held["slipped"] == 300 - len(sent)
    assert abs(held["dropped"] - held["slipped"]) <= 1
    # What is cut is no larger than what was asked: nothing is gained by asking for another.
    for reply in replies:
        if reply.flags & dns.flags.TC:
            assert not reply.answer and not reply.authority
            assert len(reply.to_wire()) <= len(wire_of("listed.example"))


def test_others_do_not_notice(serve, limited):
    server = serve(limited)
    flood(server, "127.9.9.1", 300)
    for i in range(60):
        assert len(whole(flood_quick(server, f"127.7.{i}.1", 3))) == 3
    assert counts(server)["dropped"] + counts(server)["slipped"] >= 270


def flood_quick(server, source, count):
    """As flood(), for those who are answered: waits for no more than was asked."""
    replies = []
    for _ in range(count):
        query = dns.message.make_query("listed.example", "A", use_edns=0)
        replies.append(dns.query.udp(query, "127.0.0.1", port=server.port, source=source,
                                     timeout=3))
    return replies


def test_the_proven_are_answered(serve, limited):
    server = serve(limited)
    source = "127.9.9.1"
    client_cookie = b"8 octets"
    replies = flood(server, source, 200, cookie=client_cookie)
    cut = next(reply for reply in replies if reply.flags & dns.flags.TC)
    # A cut answer has the cookie that opens the door.
    cookie = next(option.to_wire() for option in cut.options if option.otype == 10)
    assert cookie.startswith(client_cookie) and len(cookie) == 24
    assert len(whole(flood(server, source, 100, cookie=cookie))) == 100
    # The same cookie from another address of the prefix is none.
    assert len(whole(flood(server, "127.9.9.2", 100, cookie=cookie))) < 10
    # So does TCP.
    for _ in range(50):
        query = dns.message.make_query("listed.example", "A", use_edns=0)
        assert_blocked(dns.query.tcp(query, "127.0.0.1", port=server.port, source=source,
                                     timeout=3))


def test_answers_from_upstream_count(serve, limited):
    server = serve(limited)
    assert len(whole(flood(server, "127.9.9.1", 200, name="late-one.example"))) <= 23


def test_kinds_are_counted_apart(serve, limited):
    limited["rate"]["nxdomain-per-second"] = 5
    server = serve(limited)
    source = "127.9.9.1"
    missing = whole(flood(server, source, 100, name="none.test"))
    assert 5 <= len(missing) <= 6
    assert {reply.rcode() for reply in missing} == {dns.rcode.NXDOMAIN}
    # Closed names are answered NXDOMAIN here, too, but are no names that somebody made up.
    assert len(whole(flood(server, source, 100))) >= 20


def test_the_exempt_are_not_counted(serve, limited):
    limited["rate"]["exempt"] = ["127.9.9.0/25"]
    server = serve(limited)
    assert len(whole(flood(server, "127.9.9.1", 200))) == 200
    assert len(whole(flood(server, "127.9.9.129", 200))) <= 23


def test_leak_and_no_slip(serve, limited):
    limited["rate"].update({"slip": 0, "leak": 10})
    server = serve(limited)
    replies = flood(server, "127.9.9.1", 220)
    assert len(whole(replies)) == len(replies)
    assert 38 <= len(replies) <= 43
    held = counts(server)
    assert held["slipped"] == 0 and held["leaked"] in (19, 20)


def test_who_rests_is_answered_again(serve, limited):
    limited["rate"]["window-s"] = 1
    server = serve(limited)
    flood(server, "127.9.9.1", 300)
    time.sleep(1.2)
    assert len(whole(flood(server, "127.9.9.1", 3))) == 3


def test_queries_of_a_client(serve, config):
    config["threads"] = 1
    config["rate"] = {"client-per-second": 10}
    server = serve(config)
    assert 10 <= len(whole(flood(server, "127.9.9.1", 100))) <= 13
    assert len(whole(flood_quick(server, "127.9.9.2", 5))) == 5
    # Over TCP he is who he says, and is told.
    rcodes = []
    with socket.create_connection(("127.0.0.1", server.port), source_address=("127.9.9.1", 0),
                                  timeout=5) as sock:
        for _ in range(40):
            wire = wire_of("listed.example")
            sock.sendall(len(wire).to_bytes(2, "big") + wire)
        for _ in range(40):
            reply, _ = dns.query.receive_tcp(sock, time.time() + 5)
            rcodes.append(reply.rcode())
            if reply.rcode() == dns.rcode.REFUSED:
                assert ede(reply)[0] == 31
    assert 10 <= rcodes.count(dns.rcode.NXDOMAIN) <= 13
    assert rcodes.count(dns.rcode.REFUSED) == 40 - rcodes.count(dns.rcode.NXDOMAIN)
    assert counts(server)["refused"] == rcodes.count(dns.rcode.REFUSED)
