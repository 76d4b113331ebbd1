# SPDX-License-Identifier: BSD-2-Clause
"""Forwarding over TLS and HTTPS: RFC 7858, 8310 (strict), 8484, 8467, with servers that are played."""
import concurrent.futures
import time

import dns.edns
import dns.rcode
import pytest

from serving import assert_answered, assert_blocked, ede, free_port
from encrypted import NAME, Authority, HttpsUpstream, TlsUpstream, wait_for, wait_for_counter

KINDS = {"tls": TlsUpstream, "https": HttpsUpstream}


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def played():
    servers = []

    def play(kind, certificate):
        servers.append(KINDS[kind](certificate))
        return servers[-1]

    yield play
    for server in servers:
        server.close()


def forward_to(config, authority, *servers, timeout_ms=2000):
    config["threads"] = 1
    config["upstream"] = {"mode": "forward", "servers": list(servers), "timeout-ms": timeout_ms,
                          "ca-file": str(authority.path)}
    return config


def where(kind, server, proof=f"#{NAME}"):
    return f"{kind}://127.0.0.1@{server.port}{proof}"


@pytest.fixture(params=["tls", "https"])
def kind(request):
    return request.param


@pytest.fixture
def good(kind, authority, played):
    return played(kind, authority.issue(NAME)[0])


@pytest.fixture
def server(serve, config, authority, kind, good):
    return serve(forward_to(config, authority, where(kind, good)))


def test_rfc7858_rfc8484_questions_share_a_connection(server, good, kind):
    for i in range(20):
        assert_answered(server.query(f"www{i}.unlisted.example"))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for reply in pool.map(server.query, [f"late-{i}.example" for i in range(20)]):
            assert_answered(reply)
    assert good.connections == 1
    wait_for_counter(server, f'lindung_forward_queries_total{{transport="{kind}"}}', 40)
    counters = server.metrics()
    assert counters['lindung_forward_queries_total{transport="udp"}'] == 0
    assert counters["lindung_forward_connections_total"] == 1


def test_rfc8467_queries_are_padded_and_name_no_client(server, good):
    for name in ("a.example", "a-much-longer-name-than-the-other.unlisted.example"):
        assert_answered(server.query(name, options=[dns.edns.ECSOption("192.0.2.0", 24)]))
    assert set(good.sizes) == {128}
    for query in good.queries:
        assert [option.otype for option in query.options] == [12]


def test_rfc8484_requests_name_no_client(serve, config, authority, played):
    good = played("https", authority.issue(NAME)[0])
    server = serve(forward_to(config, authority, f"https://127.0.0.1@{good.port}/q/x?y#{NAME}"))
    assert_answered(server.query("www.unlisted.example"))
    headers = good.headers[0]
    assert headers == {":method": "POST", ":scheme": "https", ":authority": f"{NAME}:{good.port}",
                       ":path": "/q/x?y", "accept": "application/dns-message",
                       "content-type": "application/dns-message", "content-length": "128"}
    assert good.queries[0].id == 0


def test_an_address_may_stand_for_the_name(serve, config, authority, played, kind):
    good = played(kind, authority.issue("127.0.0.1")[0])
    server = serve(forward_to(config, authority, where(kind, good, "")))
    assert_answered(server.query("www.unlisted.example"))


WRONG = {
    "another name": ({"name": "other.example"}, "ostname mismatch"),
    "expired": ({"days": (-30, -1)}, "expired"),
    "not yet valid": ({"days": (1, 30)}, "not yet valid"),
    "self-signed": ({"self_signed": True}, "self-signed"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_rfc8310_who_cannot_prove_his_name_is_not_asked(serve, config, authority, played, kind,
                                                        wrong):
    options, said = WRONG[wrong]
    bad = played(kind, authority.issue(**{"name": NAME, **options})[0])
    server = serve(forward_to(config, authority, where(kind, bad)))
    start = time.monotonic()
    for i in range(3):
        reply = server.query(f"www{i}.unlisted.example")
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert ede(reply)[0] == 23
        assert "prove" in ede(reply)[1]
    assert time.monotonic() - start < 3
    assert not bad.asked
    line = server.says("is not used")
    assert where(kind, bad) in line and said in line, line
    assert_blocked(server.query("listed.example"))
    assert sum("is not used" in line for line in server.lines) == 1
    wait_for(lambda: server.metrics()["lindung_forward_distrusted_total"] >= 1)


def test_rfc8310_no_word_goes_to_another_in_its_place(serve, config, authority, played, kind):
    """The good one is asked in place of the bad."""
    bad = played(kind, authority.issue("other.example")[0])
    good = played(kind, authority.issue(NAME)[0])
    server = serve(forward_to(config, authority, where(kind, bad), where(kind, good)))
    for i in range(5):
        assert_answered(server.query(f"www{i}.unlisted.example"))
    assert not bad.asked
    assert len(good.asked) == 5


def test_rfc7858_a_pin(serve, config, authority, played):
    path, pin = authority.issue(NAME, self_signed=True)
    other_pin = authority.issue(NAME)[1]
    good = played("tls", path)
    for number, (proof, answered) in enumerate([
            (f"#pin-sha256={pin}", True),
            (f"#pin-sha256={other_pin}#pin-sha256={pin}", True),
            (f"#pin-sha256={other_pin}", False),
            (f"#{NAME}#pin-sha256={pin}", False)]):  # with a name, both must hold
        config["listen"] = [f"127.0.0.1@{free_port()}"]
        config["metrics"]["listen"] = f"127.0.0.1@{free_port()}"
        server = serve(forward_to(config, authority, where("tls", good, proof)))
        reply = server.query(f"www{number}.unlisted.example")
        assert (reply.rcode() == dns.rcode.NOERROR) == answered, proof
        if not answered:
            server.says("is not used")
    assert sum(good.asked.values()) == 2


def test_plain_text_where_tls_is_expected(serve, config, authority, upstream, kind):
    server = serve(forward_to(config, authority, f"{kind}://127.0.0.1@{upstream.port}#{NAME}"))
    reply = server.query("www.unlisted.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] in (22, 23)
    assert not upstream.asked and not upstream.asked_tcp


def test_it_comes_back(serve, config, authority, played, kind, good, server):
    assert_answered(server.query("www1.unlisted.example"))
    good.drop()
    assert_answered(server.query("www2.unlisted.example"))
    assert_answered(server.query("www3.unlisted.example"))
    assert good.connections == 2
    assert good.resumed == 1
    wait_for_counter(server, "lindung_forward_resumptions_total", 1)


def test_a_connection_that_ends_under_a_question(server, good):
    assert_answered(server.query("www1.unlisted.example"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        replies = [pool.submit(server.query, f"late-{i}.example") for i in range(4)]
        wait_for(lambda: len(good.asked) == 5)
        good.drop()
        for reply in replies:
            assert_answered(reply.result())


@pytest.mark.parametrize("word", ["mid", "id", "question", "short"])
def test_tls_lies(serve, config, authority, played, word):
    """What comes is no answer: SERVFAIL within the time, and others are answered meanwhile."""
    good = played("tls", authority.issue(NAME)[0])
    server = serve(forward_to(config, authority, where("tls", good), timeout_ms=1000))
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        bad = pool.submit(server.query, f"{word}-one.example")
        time.sleep(0.1)
        assert_answered(server.query("www.unlisted.example"))
        reply = bad.result()
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] in (22, 23)
    assert time.monotonic() - start < 1.6
    assert_blocked(server.query("listed.example"))
    if word in ("id", "question"):
        wait_for(lambda: server.metrics()["lindung_forward_mismatched_total"] >= 1)


@pytest.mark.parametrize("word", ["500", "302", "html", "garbage", "id", "endless", "reset",
                                  "noise"])
def test_https_lies(serve, config, authority, played, word):
    good = played("https", authority.issue(NAME)[0])
    server = serve(forward_to(config, authority, where("https", good), timeout_ms=1000))
    start = time.monotonic()
    assert_answered(server.query("www1.unlisted.example"))
    reply = server.query(f"{word}-one.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert time.monotonic() - start < 1.6
    time.sleep(0.3)
    assert_answered(server.query("www2.unlisted.example"))
    assert_blocked(server.query("listed.example"))
    if word in ("500", "302", "html"):
        server.says("HTTP status")
        server.says("is used again")


def test_https_goaway(serve, config, authority, played):
    good = played("https", authority.issue(NAME)[0])
    server = serve(forward_to(config, authority, where("https", good)))
    for i in range(3):
        assert_answered(server.query(f"goaway-{i}.example"))
    assert good.connections == 3


def test_silent_server_is_left_for_the_next(serve, config, authority, played, kind, good):
    other = played(kind, authority.issue(NAME)[0])
    server = serve(forward_to(config, authority, where(kind, good), where(kind, other)))
    good.silent = True
    start = time.monotonic()
    assert_answered(server.query("www1.unlisted.example"))
    assert 0.4 < time.monotonic() - start < 1.9
    start = time.monotonic()
    for i in range(5):
        assert_answered(server.query(f"www2{i}.unlisted.example"))
    assert time.monotonic() - start < 1
    assert len(other.asked) == 6


def test_all_dead(serve, config, authority, kind):
    server = serve(forward_to(config, authority, f"{kind}://127.0.0.1@{free_port()}#{NAME}",
                              f"{kind}://127.0.0.1@{free_port()}#{NAME}"))
    for _ in range(3):
        start = time.monotonic()
        reply = server.query("www.unlisted.example")
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert ede(reply)[0] in (22, 23)
        assert time.monotonic() - start < 2.5
        assert_blocked(server.query("listed.example"))


def test_the_authorities_must_be_readable(serve, config, authority, tmp_path):
    forward_to(config, authority, f"tls://127.0.0.1@{free_port()}#{NAME}")
    for text in (None, "no certificate"):
        config["upstream"]["ca-file"] = str(tmp_path / "none.pem")
        if text is not None:
            (tmp_path / "none.pem").write_text(text)
        server = serve(config, ready=False)
        server.says("none.pem: cannot be read as certificates")
        assert server.process.wait(timeout=10) == 1
