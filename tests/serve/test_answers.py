# SPDX-License-Identifier: BSD-2-Clause
"""What clients get: closed names, other names, over UDP and TCP."""
import random
import socket
import threading
import time

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from serving import assert_answered, assert_blocked, ede, free_port


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("name", ["listed.example", "www.listed.example", "A.B.Listed.EXAMPLE"])
def test_listed_name_is_closed(serve, config, upstream, name, tcp):
    server = serve(config)
    reply = server.query(name, tcp=tcp)
    assert_blocked(reply)
    assert reply.authority[0].rdtype == dns.rdatatype.SOA
    assert 10 <= reply.authority[0].ttl <= 60
    assert not upstream.asked


def test_listed_name_of_every_type_is_closed(serve, config, upstream):
    server = serve(config)
    types = [t for t in range(1, 280) if not dns.rdatatype.is_metatype(t)] + [32769, 65280, 65534]
    for rdtype in types:
        assert_blocked(server.query("www.listed.example", rdtype))
    # ANY, AXFR and the like: whatever is answered, nothing is asked elsewhere.
    for rdtype in (255, 252, 251, 250, 128, 41):
        reply = server.query("www.listed.example", rdtype, tcp=True)
        assert not reply.answer
    assert not upstream.asked and not upstream.asked_tcp


@pytest.mark.parametrize("tcp", [False, True])
def test_other_name_is_forwarded_once_and_kept(serve, config, upstream, tcp):
    config["threads"] = 1  # a cache is a thread's
    server = serve(config)
    for _ in range(5):
        assert_answered(server.query("www.unlisted.example", tcp=tcp))
    assert upstream.asked["www.unlisted.example."] == 1
    counters = server.metrics()
    assert counters['lindung_answers_total{kind="resolved"}'] == 1
    assert counters['lindung_answers_total{kind="cached"}'] == 4


def test_same_question_in_flight_is_asked_once(serve, config, upstream):
    config["threads"] = 1
    server = serve(config)
    replies = []

    def ask(tcp):
        replies.append(server.query("late-one.example", tcp=tcp))

    clients = [threading.Thread(target=ask, args=(i % 2 == 0,)) for i in range(40)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(replies) == 40
    for reply in replies:
        assert_answered(reply)
    assert upstream.asked["late-one.example."] == 1
    counters = server.metrics()
    assert counters["lindung_upstream_questions_total"] == 1
    assert counters["lindung_upstream_joined_total"] >= 20


def test_cut_answer_is_fetched_over_tcp(serve, config, upstream):
    server = serve(config)
    assert_answered(server.query("cut-it.example"))
    assert upstream.asked["cut-it.example."] == 1
    assert upstream.asked_tcp["cut-it.example."] == 1


def test_pipelined_queries_are_answered_out_of_order(serve, config):
    server = serve(config)
    names = ["late-a.example", "listed.example", "fast.example", "late-b.example"]
    queries = [dns.message.make_query(name, "A", use_edns=0) for name in names]
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
        for query in queries:
            query.id = names.index(query.question[0].name.to_text(True)) + 1
        frames = [query.to_wire() for query in queries]
        sock.sendall(b"".join(len(f).to_bytes(2, "big") + f for f in frames))
        order = []
        for _ in names:
            reply, _ = dns.query.receive_tcp(sock, time.time() + 5)
            assert queries[reply.id - 1].is_response(reply)
            order.append(reply.id)
    assert sorted(order) == [1, 2, 3, 4]
    assert set(order[:2]) == {2, 3}, "the slow ones held up the others"


def test_tcp_client_that_leaves_is_forgotten(serve, config):
    server = serve(config)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            wire = dns.message.make_query("late-gone.example", "A").to_wire()
            sock.sendall(len(wire).to_bytes(2, "big") + wire)
    time.sleep(0.6)
    assert_answered(server.query("late-gone.example"))


def test_garbage_does_no_harm(serve, config):
    server = serve(config)
    noise = random.Random(1)
    query = dns.message.make_query("www.unlisted.example", "A", use_edns=0).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", server.port))
        for length in list(range(0, 60)) + [511, 512, 1232, 4096, 4097, 65507]:
            sock.send(noise.randbytes(length))
        for _ in range(2000):
            broken = bytearray(query)
            for _ in range(noise.randint(1, 4)):
                broken[noise.randrange(len(broken))] = noise.randrange(256)
            sock.send(broken[:noise.randint(0, len(broken))])
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(noise.randbytes(noise.randint(1, 3000)))
    assert_blocked(server.query("listed.example"))
    assert_answered(server.query("www.unlisted.example"))


def test_wildcard_answers_from_the_address_asked(serve, config):
    config["listen"] = [f"0.0.0.0@{free_port()}"]
    server = serve(config)
    # dnspython takes an answer from nowhere else than where it asked.
    assert_blocked(server.query("listed.example", where="127.0.0.2"))
    assert_answered(server.query("late-there.example", where="127.0.0.3"))


def test_both_threads_answer(serve, config):
    server = serve(config)
    for _ in range(64):
        assert_blocked(server.query("listed.example"))
        assert_blocked(server.query("listed.example", tcp=True))
    counters = server.metrics()
    assert counters["lindung_threads"] == 2
    assert counters['lindung_queries_total{transport="udp"}'] == 64
    assert counters['lindung_queries_total{transport="tcp"}'] == 64
    assert counters['lindung_answers_total{kind="blocked"}'] == 128
    assert counters["lindung_list_entries"] == 2
    assert 0 < counters["lindung_uptime_seconds"] < 60
    assert counters["lindung_cache_bytes"] > 0


def test_dead_upstream_closes_nothing_else(serve, config, upstream):
    server = serve(config)
    upstream.close()
    start = time.monotonic()
    reply = server.query("www.unlisted.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] in (22, 23)
    assert time.monotonic() - start < 2.5
    assert_blocked(server.query("listed.example"))


def test_silent_upstream_ends_in_time(serve, config):
    server = serve(config)
    start = time.monotonic()
    reply = server.query("silent-one.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] == 22
    assert 1.5 < time.monotonic() - start < 3
    assert_blocked(server.query("listed.example"))


def test_second_upstream_steps_in(serve, config, upstream):
    config["upstream"]["servers"].insert(0, f"127.0.0.1@{free_port()}")
    server = serve(config)
    assert_answered(server.query("www.unlisted.example"))
    assert upstream.asked["www.unlisted.example."] == 1
