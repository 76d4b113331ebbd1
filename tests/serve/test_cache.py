# SPDX-License-Identifier: BSD-2-Clause
"""What is kept: stale answers, failures, prefetch; and who may wait for what is not."""
import signal
import socket
import threading
import time

import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

from serving import ANSWER, Upstream, assert_answered, assert_blocked, ede


def edes(reply):
    return [int(option.code) for option in reply.options if option.otype == 15]


@pytest.fixture
def config(config):
    config["threads"] = 1  # a cache is a thread's
    return config


class Play:
    """What all upstreams of a test say: answers that hold for `ttl` seconds, `delay_s` late (None:
    never)."""

    def __init__(self):
        self.ttl, self.delay_s = 1, 0

    def reply(self, query):
        message = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        if question.name.to_text().lower().startswith("no-"):
            message.set_rcode(dns.rcode.NXDOMAIN)
            message.authority.append(dns.rrset.from_text(
                "example.", self.ttl, "IN", "SOA", "ns.example. nobody. 1 2 3 4 60"))
        else:
            message.answer.append(
                dns.rrset.from_text(question.name, self.ttl, "IN", question.rdtype, ANSWER))
        return message

    def by(self, upstream):
        """Let this one say it."""
        send = upstream.send

        def send_later(wire, peer):
            if self.delay_s is not None and b"silent-" not in wire.lower():
                threading.Timer(self.delay_s, send, (wire, peer)).start()

        upstream.reply, upstream.send = self.reply, send_later
        return upstream


@pytest.fixture
def play(upstream):
    play = Play()
    play.by(upstream)
    return play


def timed(server, name, **options):
    start = time.monotonic()
    reply = server.query(name, **options)
    return reply, time.monotonic() - start


@pytest.mark.parametrize("tcp", [False, True])
def test_rfc8767_silent_upstream(serve, config, upstream, play, tcp):
    server = serve(config)
    assert_answered(server.query("www.unlisted.example", tcp=tcp))
    time.sleep(1.1)
    play.delay_s = None
    reply, took_s = timed(server, "www.unlisted.example", tcp=tcp)
    assert_answered(reply)
    assert edes(reply)[0] == 3
    assert reply.answer[0].ttl == 30
    assert took_s < 2.4
    # Once it is known that upstream fails: at once, and without asking again.
    time.sleep(0.7)
    asked = upstream.asked["www.unlisted.example."]
    for _ in range(10):
        reply, took_s = timed(server, "www.unlisted.example", tcp=tcp)
        assert_answered(reply)
        assert edes(reply) == [3, 22]
        assert took_s < 0.5
    assert upstream.asked["www.unlisted.example."] == asked
    assert server.metrics()['lindung_answers_total{kind="stale"}'] == 11


def test_rfc8767_late_upstream_refreshes(serve, config, upstream, play):
    """The client response timer of section 5: 1.8 s.  Of several servers one is heard at last."""
    others = [play.by(Upstream()) for _ in range(3)]
    config["upstream"]["timeout-ms"] = 8000
    config["upstream"]["servers"] += [f"127.0.0.1@{other.port}" for other in others]
    server = serve(config)
    assert_answered(server.query("www.unlisted.example"))
    time.sleep(1.1)
    play.delay_s, play.ttl = None, 300
    replies = []

    def ask(wait_s):
        time.sleep(wait_s)
        replies.append((wait_s, *timed(server, "www.unlisted.example")))

    clients = [threading.Thread(target=ask, args=(wait_s,)) for wait_s in (0, 0.2, 2.1)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    for wait_s, reply, took_s in replies:
        assert_answered(reply)
        assert edes(reply) == [3], (wait_s, took_s)
        # Who comes after others were told it is stale need not wait for that.
        assert took_s < 0.3 if wait_s == 2.1 else 1.7 < took_s < 2.4, (wait_s, took_s)
    play.delay_s = 0
    until = time.monotonic() + 5
    while edes(reply := server.query("www.unlisted.example")) and time.monotonic() < until:
        time.sleep(0.1)
    assert_answered(reply)
    assert reply.answer[0].ttl > 200
    counters = server.metrics()
    assert counters["lindung_upstream_questions_total"] == 2
    for other in others:
        other.close()


def test_rfc8767_dead_upstream(serve, config, upstream, play):
    server = serve(config)
    assert_answered(server.query("www.unlisted.example"))
    assert server.query("no-such.example").rcode() == dns.rcode.NXDOMAIN
    time.sleep(1.1)
    upstream.close()
    reply = server.query("www.unlisted.example")
    assert_answered(reply)
    assert edes(reply)[0] == 3
    reply = server.query("no-such.example", "AAAA")
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert edes(reply)[0] == 19
    assert reply.authority[0].ttl == 30
    # Nothing is made up for a name that was never asked for.
    assert server.query("new.example").rcode() == dns.rcode.SERVFAIL


def test_rfc8767_not_for_a_name_closed_meanwhile(serve, config, upstream, play, compile_image, tmp_path):
    config["list"]["watch"] = False
    server = serve(config)
    assert_answered(server.query("www.unlisted.example"))
    time.sleep(1.1)
    play.delay_s = None
    compile_image(tmp_path / "family.ldx", ["listed.example", "unlisted.example"])
    before = len(server.lines)
    server.kill(signal.SIGHUP)
    server.says("family.ldx", after=before)
    time.sleep(0.2)
    reply, took_s = timed(server, "www.unlisted.example")
    assert_blocked(reply)
    assert took_s < 0.5


def test_rfc8767_off(serve, config, upstream, play):
    config["cache"] = {"stale-s": 0}
    server = serve(config)
    assert_answered(server.query("www.unlisted.example"))
    time.sleep(1.1)
    upstream.close()
    assert server.query("www.unlisted.example").rcode() == dns.rcode.SERVFAIL


def test_rfc9520_failure_is_kept(serve, config, upstream, play):
    config["upstream"]["timeout-ms"] = 300
    server = serve(config)
    play.delay_s = None
    reply = server.query("www.unlisted.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    asked = upstream.asked["www.unlisted.example."]
    for _ in range(20):
        reply, took_s = timed(server, "www.unlisted.example")
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert edes(reply) == [22, 13]
        assert took_s < 0.2
    assert upstream.asked["www.unlisted.example."] == asked
    assert server.metrics()["lindung_failures_cached_total"] == 20
    play.delay_s = 0
    time.sleep(1.1)
    assert_answered(server.query("www.unlisted.example"))


def test_prefetch(serve, config, upstream, play):
    server = serve(config)
    play.ttl, play.delay_s = 4, 0.1
    assert_answered(server.query("www.unlisted.example"))
    time.sleep(3.7)
    for _ in range(5):
        reply, took_s = timed(server, "www.unlisted.example")
        assert_answered(reply)
        assert took_s < 0.09  # not what it takes upstream
    time.sleep(0.6)
    reply, took_s = timed(server, "www.unlisted.example")
    assert took_s < 0.09
    assert reply.answer[0].ttl > 2
    assert upstream.asked["www.unlisted.example."] == 2
    counters = server.metrics()
    assert counters["lindung_prefetches_total"] == 1
    assert counters["lindung_upstream_joined_total"] == 0


def test_no_prefetch_of_what_nobody_asks_for(serve, config, upstream, play):
    config["cache"] = {"prefetch": False}
    server = serve(config)
    play.ttl = 2
    for _ in range(5):
        assert_answered(server.query("www.unlisted.example"))
    time.sleep(1.9)
    assert_answered(server.query("www.unlisted.example"))
    assert upstream.asked["www.unlisted.example."] == 1
    assert server.metrics()["lindung_prefetches_total"] == 0


def test_one_client_does_not_keep_others_from_asking(serve, config, upstream, play):
    """1,300 questions that nobody answers, of which one client may have 1,024 in flight."""
    config["upstream"]["timeout-ms"] = 4000
    server = serve(config)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.connect(("127.0.0.1", server.port))
        for i in range(1300):
            sock.send(dns.message.make_query(f"silent-{i}.example", "A", use_edns=0).to_wire())
            if i % 50 == 0:
                time.sleep(0.005)
        sock.settimeout(1)
        refused = [dns.message.from_wire(sock.recv(4096)) for _ in range(1300 - 1024)]
        for reply in refused:
            assert reply.rcode() == dns.rcode.SERVFAIL
            assert ede(reply)[0] == 32
        # Nothing of its own is asked any more, but what a list closes is answered ...
        sock.send(dns.message.make_query("www.unlisted.example", "A", use_edns=0).to_wire())
        assert ede(dns.message.from_wire(sock.recv(4096)))[0] == 32
        sock.send(dns.message.make_query("listed.example", "A", use_edns=0).to_wire())
        assert_blocked(dns.message.from_wire(sock.recv(4096)))
    # ... and others are served as ever.
    query = dns.message.make_query("www.unlisted.example", "A")
    assert_answered(dns.query.udp(query, "127.0.0.1", port=server.port, source="127.0.0.2",
                                  timeout=5))
    counters = server.metrics()
    assert counters['lindung_waiters_refused_total{limit="client"}'] == 1300 - 1024 + 1
    assert counters['lindung_waiters_refused_total{limit="all"}'] == 0
