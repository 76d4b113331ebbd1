# SPDX-License-Identifier: BSD-2-Clause
"""Forwarding over UDP and TCP with servers that lie, are slow, or are not there (RFC 5452, 7766, 7873,
8914, 9520)."""
import concurrent.futures
import contextlib
import socket
import struct
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from serving import Upstream, assert_answered, assert_blocked, ede, free_port
from encrypted import wait_for, wait_for_counter

COOKIE = 10


class Liar(Upstream):
    """By the first label: another id first (id-), another question first (question-), first from
    another port (port-), a referral (referral-), bogus by EDE (bogus-), blocked by EDE (blocked-),
    REFUSED (refused-), half a frame over TCP (half-), cut with nothing listening behind (cutoff-)."""

    keeps_case = True
    cookies = None  # "yes": a server cookie; "bad": BADCOOKIE until it comes back
    silent = False

    def __init__(self):
        self.queries = []
        self.ports = []
        self.stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stranger.bind(("127.0.0.1", 0))
        super().__init__()

    def take(self, name, query, wire, peer):
        self.queries.append(query)
        self.ports.append(peer[1])
        if not self.silent:
            self.answer(name.split("-")[0], query, wire, peer)

    def cookie_of(self, query):
        for option in query.options:
            if option.otype == COOKIE:
                return option.data
        return b""

    def answer(self, word, query, wire, peer):
        reply = self.reply(query)
        if self.cookies:
            client = self.cookie_of(query)
            known = client[8:] == b"serverck"
            reply.use_edns(0, options=[dns.edns.GenericOption(COOKIE, client[:8] + b"serverck")])
            if self.cookies == "bad" and not known:
                reply.set_rcode(dns.rcode.BADCOOKIE)
                reply.answer.clear()
        if word == "referral":
            reply.answer.clear()
            reply.flags &= ~dns.flags.RA
            reply.authority.append(dns.rrset.from_text("example.", 300, "IN", "NS", "ns.example."))
        if word in ("bogus", "blocked", "refused"):
            reply.answer.clear()
            reply.set_rcode(dns.rcode.REFUSED if word == "refused" else dns.rcode.SERVFAIL)
            if word != "refused":
                reply.use_edns(0, options=[dns.edns.EDEOption(9 if word == "bogus" else 17,
                                                              "said upstream")])
        if word in ("cut", "half", "cutoff"):
            reply.answer.clear()
            reply.flags |= dns.flags.TC
        wire = reply.to_wire()
        if not self.keeps_case:
            size = len(query.question[0].name.to_wire())
            wire = wire[:12] + wire[12:12 + size].lower() + wire[12 + size:]
        lie = self.lie(wire)
        if word == "id":
            self.send(bytes([lie[0] ^ 1]) + lie[1:], peer)
        if word == "question":
            self.send(lie[:13] + bytes([lie[13] ^ 1]) + lie[14:], peer)
        if word == "port":
            self.stranger.sendto(lie, peer)
            time.sleep(0.05)
        if word == "shower":  # as somebody who guesses would send them
            for i in range(200):
                self.send(struct.pack("!H", i) + lie[2:], peer)
        self.send(wire, peer)

    @staticmethod
    def lie(wire):
        return wire.replace(socket.inet_aton("192.0.2.53"), socket.inet_aton("192.0.2.66"))

    def run_tcp(self):
        while self.open:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError, EOFError, struct.error):
                peer.settimeout(2)
                size = struct.unpack("!H", peer.recv(2))[0]
                query = dns.message.from_wire(peer.recv(size))
                name = query.question[0].name.to_text().lower()
                self.asked_tcp[name] += 1
                wire = self.reply(query).to_wire()
                frame = struct.pack("!H", len(wire)) + wire
                peer.sendall(frame[:len(frame) // 2] if name.startswith("half-") else frame)


@pytest.fixture
def liar():
    server = Liar()
    yield server
    server.close()


@pytest.fixture
def other():
    server = Liar()
    yield server
    server.close()


def forward_to(config, *servers, timeout_ms=2000):
    config["threads"] = 1
    config["upstream"] = {"mode": "forward", "timeout-ms": timeout_ms,
                          "servers": [f"127.0.0.1@{server.port}" for server in servers]}
    return config


@pytest.mark.parametrize("word", ["id", "question", "port", "shower"])
def test_rfc5452_a_forged_answer_is_passed_over(serve, config, liar, word):
    server = serve(forward_to(config, liar))
    assert_answered(server.query(f"{word}-one.example"))
    if word != "port":  # the kernel drops that one
        wait_for(lambda: server.metrics()["lindung_forward_mismatched_total"] >= 1)
    # Who guesses much has us ask over TCP, where that is no use.
    assert (liar.asked_tcp[f"{word}-one.example."] == 1) == (word == "shower")


def test_rfc5452_ports_and_case_vary(serve, config, liar):
    server = serve(forward_to(config, liar))
    for i in range(60):
        assert_answered(server.query(f"a-name-with-many-letters-{i}.unlisted.example"))
    # Of 61,440 ports: three pairs alike happen once in millions of runs.
    assert len(set(liar.ports)) >= 57
    assert min(liar.ports) >= 4096
    # The kernel alone chooses from 32768 on.
    assert min(liar.ports) < 32768
    texts = [query.question[0].name.to_text() for query in liar.queries]
    assert all(text != text.lower() and text != text.upper() for text in texts)


def test_the_client_sees_its_own_case(serve, config, liar):
    server = serve(forward_to(config, liar))
    reply = server.query("WwW.UnLiStEd.example")
    assert_answered(reply)
    assert reply.question[0].name.to_text() == "WwW.UnLiStEd.example."
    assert reply.answer[0].name.to_text() == "WwW.UnLiStEd.example."


def test_a_server_that_keeps_no_case_is_not_asked_to(serve, config, liar):
    liar.keeps_case = False
    server = serve(forward_to(config, liar))
    for i in range(6):
        assert_answered(server.query(f"a-name-with-many-letters-{i}.unlisted.example"))
    # Doubted three times, and found to be right over TCP; then it is left alone.
    assert sum(liar.asked_tcp.values()) == 3
    texts = [query.question[0].name.to_text() for query in liar.queries]
    assert texts[-3:] == [text.lower() for text in texts[-3:]]


def test_rfc7873_a_cookie_is_sent_and_returned(serve, config, liar):
    liar.cookies = "yes"
    server = serve(forward_to(config, liar))
    for i in range(3):
        assert_answered(server.query(f"www{i}.unlisted.example"))
    cookies = [liar.cookie_of(query) for query in liar.queries]
    assert [len(cookie) for cookie in cookies] == [8, 16, 16]
    assert len({cookie[:8] for cookie in cookies}) == 1
    assert not liar.asked_tcp
    # One that had a cookie and lacks it now: it is asked over TCP, and then without.
    liar.cookies = None
    for i in range(3, 6):
        assert_answered(server.query(f"www{i}.unlisted.example"))
    assert sum(liar.asked_tcp.values()) == 1


def test_rfc7873_badcookie(serve, config, liar):
    liar.cookies = "bad"
    server = serve(forward_to(config, liar))
    for i in range(3):
        assert_answered(server.query(f"www{i}.unlisted.example"))
    assert liar.asked == {"www0.unlisted.example.": 2, "www1.unlisted.example.": 1,
                          "www2.unlisted.example.": 1}


def test_a_referral_is_no_answer(serve, config, liar, other):
    server = serve(forward_to(config, liar))
    reply = server.query("referral-one.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert not reply.authority
    assert ede(reply)[0] == 22
    assert "do not resolve" in ede(reply)[1]


def test_rfc8914_who_knows_why_it_fails_has_the_last_word(serve, config, liar, other):
    """The next server may only look less closely."""
    server = serve(forward_to(config, liar, other))
    assert_answered(server.query("www.unlisted.example"))
    for word, code in (("bogus", 9), ("blocked", 35)):
        reply = server.query(f"{word}-one.example")
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert ede(reply)[0] == code
        assert other.asked[f"{word}-one.example."] <= 1  # a probe
    assert liar.asked["bogus-one.example."] == 1


def test_refused_is_asked_of_the_next(serve, config, liar, other):
    other.answer = lambda word, *rest: Liar.answer(other, "", *rest)
    server = serve(forward_to(config, liar, other))
    start = time.monotonic()
    assert_answered(server.query("refused-one.example"))
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize("word", ["half", "cutoff"])
def test_a_cut_answer_without_the_whole(serve, config, liar, word):
    server = serve(forward_to(config, liar, timeout_ms=1000))
    if word == "cutoff":
        liar.tcp.close()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", liar.port), timeout=1).close()
    start = time.monotonic()
    reply = server.query(f"{word}-one.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] in (22, 23)
    assert time.monotonic() - start < 1.6
    assert_answered(server.query("www.unlisted.example"))


def test_rfc7766_many_cut_answers(serve, config, liar):
    server = serve(forward_to(config, liar))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for reply in pool.map(server.query, [f"cut-{i}.example" for i in range(20)]):
            assert_answered(reply)


def test_rfc9520_how_often_is_bounded(serve, config, liar):
    liar.silent = True
    server = serve(forward_to(config, liar))
    reply = server.query("www.unlisted.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] == 22
    assert liar.asked["www.unlisted.example."] <= 3


def test_a_flapping_server(serve, config, liar, other):
    """Up and down every half second: every question has its answer."""
    server = serve(forward_to(config, liar, other))
    end = time.monotonic() + 4
    stop = threading.Event()

    def flap():
        while not stop.wait(0.5):
            liar.silent = not liar.silent

    threading.Thread(target=flap, daemon=True).start()
    slowest, i = 0, 0
    while time.monotonic() < end:
        start = time.monotonic()
        assert_answered(server.query(f"www{i}.unlisted.example"))
        slowest = max(slowest, time.monotonic() - start)
        i += 1
    stop.set()
    assert slowest < 1.5


def test_the_quick_one_is_asked(serve, config, liar, other):
    """The first is slow: found out with copies of questions, after which the other is asked."""
    answer = liar.answer
    liar.answer = lambda *args: threading.Timer(0.15, answer, args).start()
    server = serve(forward_to(config, liar, other))

    def quick(i):
        start = time.monotonic()
        assert_answered(server.query(f"www{i}.unlisted.example"))
        return time.monotonic() - start < 0.1

    # That none of 200 questions is copied happens once in 570: hence as many as it takes.
    for i in range(600):
        if quick(i):
            break
    else:
        raise AssertionError("it goes on asking the slow one")
    assert all(quick(f"-again-{i}") for i in range(10))
    wait_for(lambda: server.metrics()["lindung_forward_probes_total"] >= 1)


def test_all_dead(serve, config):
    config["threads"] = 1
    config["upstream"] = {"mode": "forward", "timeout-ms": 2000,
                          "servers": [f"127.0.0.1@{free_port()}" for _ in range(3)]}
    server = serve(config)
    for i in range(5):
        start = time.monotonic()
        reply = server.query(f"www{i}.unlisted.example")
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert ede(reply)[0] in (22, 23)
        assert time.monotonic() - start < 2.5
        assert_blocked(server.query("listed.example"))
    wait_for(lambda: server.metrics()[
        'lindung_forward_failures_total{transport="udp"}'] >= 5)


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])
def test_forwarding_to_oneself_is_refused(serve, config, lindung, tmp_path, listen):
    port = free_port()
    config["listen"] = [f"{listen}@{port}"]
    config["upstream"]["servers"] = [f"127.0.0.1@{port}"]
    server = serve(config, ready=False)
    line = server.says("is this server itself")
    assert f"{listen}@{port}" in line and "round in a circle" in line
    assert server.process.wait(timeout=10) == 1
    done = lindung("check-config", "-c", tmp_path / "lindung-0.yaml")
    assert done.returncode == 1
    assert "is this server itself" in done.stderr


WRONG = [
    ("dns.example", "expected an IPv4 or IPv6 address, with @port"),
    ("https://dns.example/dns-query", "the name of the server stands behind a #"),
    ("192.0.2.1#dns.example", "expected tls:// or https:// in front"),
    ("quic://192.0.2.1", "expected tls:// or https:// or nothing in front"),
    ("tls://192.0.2.1/path", "only https:// has a path"),
    ("tls://192.0.2.1@0#dns.example", "port"),
    ("tls://192.0.2.1#", "expected the name that the certificate is for"),
    ("tls://192.0.2.1#192.0.2.1", "expected the name that the certificate is for"),
    ("tls://192.0.2.1#dns.example#pin-sha256=AAAA", "expected 44 characters of base64"),
    ("https://192.0.2.1/dns-query{?dns}#dns.example", "without {?dns}"),
]


@pytest.mark.parametrize("text,said", WRONG)
def test_check_config_says_what_is_wrong(lindung, tmp_path, text, said):
    conf = tmp_path / "lindung.yaml"
    conf.write_text(f'upstream:\n  mode: forward\n  servers:\n    - "{text}"\n')
    done = lindung("check-config", "-c", conf)
    assert done.returncode == 1
    assert f"{conf}:4: upstream.servers: " in done.stderr
    assert said in done.stderr, done.stderr


def test_check_config_encrypted_and_others(lindung, tmp_path):
    conf = tmp_path / "lindung.yaml"
    conf.write_text("upstream:\n  mode: forward\n  servers: [192.0.2.1, tls://192.0.2.2]\n")
    done = lindung("check-config", "-c", conf)
    assert done.returncode == 1
    assert "would go out in the clear" in done.stderr
    conf.write_text("upstream:\n  mode: forward\n  servers: [tls://192.0.2.1@853#a.example, "
                    "'https://2001:db8::1/x#b.example']\n")
    assert lindung("check-config", "-c", conf).returncode == 0
