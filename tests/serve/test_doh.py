# SPDX-License-Identifier: BSD-2-Clause
"""DNS over HTTPS (RFC 8484) over HTTP/2 (RFC 9113): what is answered, and what a stranger may not."""
import base64
import contextlib
import shutil
import socket
import subprocess
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import pytest

from serving import Upstream, assert_answered, assert_blocked, free_port
from tls_room import NAME, Authority

TYPE = "application/dns-message"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


class Client:
    """An HTTP/2 client that may be as rude as a test needs it."""

    def __init__(self, port, context, window=None, receive_bytes=None):
        plain = socket.socket()
        plain.settimeout(5)
        if receive_bytes is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.connect(("127.0.0.1", port))
        self.socket = context.wrap_socket(plain, server_hostname=NAME)
        assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.h2.initiate_connection()
        self.flush()
        self.replies = {}  # of each stream: [headers, body, ended]
        self.resets = {}
        self.goaway = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, method="GET", path="/dns-query", body=None, extra=(), end=True, flush=True):
        """Send a request; its stream."""
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "https"), (":authority", NAME),
                   (":path", path), *extra]
        self.h2.send_headers(stream, headers, end_stream=end and body is None)
        if body is not None:
            for at in range(0, max(len(body), 1), 16384):
                part = body[at:at + 16384]
                while self.h2.local_flow_control_window(stream) < len(part):
                    self.flush()
                    assert self.read()
                self.h2.send_data(stream, part, end_stream=end and at + 16384 >= len(body))
        if flush:
            self.flush()
        return stream

    def get(self, name, rdtype="A", **options):
        return self.ask(path="/dns-query?dns=" + encoded(name, rdtype), **options)

    def post(self, name, rdtype="A", path="/dns-query", **options):
        return self.ask("POST", path, wire(name, rdtype), [("content-type", TYPE)], **options)

    def read(self, timeout_s=5):
        """Take in what comes next; False at the end."""
        self.socket.settimeout(timeout_s)
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, OSError):
            return False
        if not data:
            return False
        for event in self.h2.receive_data(data):
            stream = getattr(event, "stream_id", None)
            if isinstance(event, h2.events.ResponseReceived):
                self.replies[stream] = [dict(event.headers), b"", False]
            elif isinstance(event, h2.events.DataReceived):
                self.replies[stream][1] += event.data
                if event.flow_controlled_length:
                    with contextlib.suppress(h2.exceptions.ProtocolError):
                        self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, h2.events.StreamEnded):
                self.replies[stream][2] = True
            elif isinstance(event, h2.events.StreamReset):
                self.resets[stream] = event.error_code
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = event.error_code
        with contextlib.suppress(OSError):
            self.flush()
        return True

    def reply(self, stream):
        """(headers, body) of what was asked on the stream."""
        while stream not in self.replies or not self.replies[stream][2]:
            assert stream not in self.resets, f"reset: {self.resets[stream]}"
            assert self.read(), f"the connection ended (GOAWAY {self.goaway})"
        return self.replies[stream][:2]

    def message(self, stream):
        headers, body = self.reply(stream)
        assert headers[":status"] == "200", headers
        assert headers["content-type"] == TYPE
        assert int(headers["content-length"]) == len(body)
        return dns.message.from_wire(body)

    def status(self, stream):
        headers, body = self.reply(stream)
        assert body == b""
        return int(headers[":status"])

    def read_to_the_end(self, timeout_s=5):
        """What the server says last: the code of its GOAWAY."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and self.read(max(end - time.monotonic(), 0.01)):
            pass
        return self.goaway


def wire(name, rdtype="A", **options):
    query = dns.message.make_query(name, rdtype, **{"use_edns": 0, **options})
    query.id = 0
    return query.to_wire()


def encoded(name, rdtype="A"):
    return base64.urlsafe_b64encode(wire(name, rdtype)).rstrip(b"=").decode()


@pytest.fixture
def doh(serve, config, authority):
    """A server, and a way to connect to it: doh.connect()."""

    def start(tls=None, https=None, **more):
        certificate, key = authority.pair("first")
        config["tls"] = {"certificate": str(certificate), "key": str(key), **(tls or {})}
        config["https"] = {"listen": [f"127.0.0.1@{free_port()}"], **(https or {})}
        config.update(more)
        server = serve(config)
        server.https_port = int(config["https"]["listen"][0].split("@")[1])
        server.context = authority.context(alpn=("h2",))
        server.connect = lambda **options: Client(server.https_port, server.context, **options)
        return server

    return start


def count(server, metric):
    return server.metrics()[f'lindung_{metric}{{transport="https"}}']


def none_is_left(server, timeout_s=3):
    """All connections are closed within that time."""
    end = time.monotonic() + timeout_s
    while count(server, "connections") > 0 and time.monotonic() < end:
        time.sleep(0.05)
    return count(server, "connections") == 0


# ---- Questions and answers (RFC 8484 section 4) ---------------------------------------------

def test_get_and_post(doh):
    server = doh()
    server.says(f"listening (HTTPS) on 127.0.0.1 port {server.https_port}")
    with server.connect() as client:
        assert_blocked(client.message(client.get("listed.example")))
        assert_blocked(client.message(client.post("listed.example")))
        assert_answered(client.message(client.get("www.unlisted.example")))
        assert_answered(client.message(client.post("late-1.unlisted.example")))
    assert server.metrics()['lindung_queries_total{transport="https"}'] == 4


def test_path_and_parameters(doh):
    server = doh()
    with server.connect() as client:
        for path in (f"/dns-query?dns={encoded('listed.example')}",
                     f"/dns-query/child-1_A?dns={encoded('listed.example')}",
                     f"/dns-query?x=1&dns={encoded('listed.example')}&y"):
            assert_blocked(client.message(client.ask(path=path)))
        assert_blocked(client.message(client.post("listed.example", path="/dns-query/child-1")))
        assert_blocked(client.message(client.post("listed.example", path="/dns-query?dns=*")))


@pytest.mark.parametrize("length", range(1, 5))
def test_base64url_of_every_length(doh, length):
    """Two, three and four digits at the end, and what a bad end is."""
    server = doh()
    name = "x" * length + ".listed.example"
    text = encoded(name)
    with server.connect() as client:
        assert_blocked(client.message(client.get(name)))
        assert client.status(client.ask(path=f"/dns-query?dns={text}=")) == 400
        assert client.status(client.ask(path=f"/dns-query?dns={text[:-1]}*")) == 400


def test_cache_lifetime(doh):
    """RFC 8484 section 5.1: no longer than the smallest TTL; negative answers by their SOA."""
    server = doh()
    with server.connect() as client:
        headers, body = client.reply(client.get("listed.example"))
        soa = dns.message.from_wire(body).authority[0]
        assert headers["cache-control"] == f"max-age={min(soa.ttl, soa[0].minimum)}"
        headers, body = client.reply(client.get("www.unlisted.example"))
        ttl = dns.message.from_wire(body).answer[0].ttl
        assert ttl - 1 <= int(headers["cache-control"].removeprefix("max-age=")) <= 300


class AliasUpstream(Upstream):
    """Every name is an alias of one that is not there, which is known for less long."""

    @staticmethod
    def reply(query):
        reply = dns.message.make_response(query, recursion_available=True)
        reply.set_rcode(dns.rcode.NXDOMAIN)
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "CNAME",
                                                "gone.example."))
        reply.authority.append(dns.rrset.from_text("example.", 120, "IN", "SOA",
                                                   "ns.example. h.example. 1 2 3 4 60"))
        return reply


def test_cache_lifetime_of_an_alias_to_nothing(doh):
    upstream = AliasUpstream()
    server = doh(upstream={"mode": "forward", "servers": [f"127.0.0.1@{upstream.port}"]})
    with contextlib.closing(upstream), server.connect() as client:
        headers, body = client.reply(client.get("alias.unlisted.example"))
        reply = dns.message.from_wire(body)
        assert reply.rcode() == dns.rcode.NXDOMAIN
        assert reply.answer[0].ttl > 60
        assert 58 <= int(headers["cache-control"].removeprefix("max-age=")) <= 60


def test_errors_of_dns_are_200(doh):
    server = doh()
    with server.connect() as client:
        broken = wire("listed.example")[:20]
        headers, body = client.reply(client.ask("POST", body=broken,
                                                extra=[("content-type", TYPE)]))
        assert headers[":status"] == "200"
        assert dns.rcode.from_flags(int.from_bytes(body[2:4], "big"), 0) == dns.rcode.FORMERR
        assert headers["cache-control"] == "max-age=0"


def test_the_id_is_kept(doh):
    server = doh()
    with server.connect() as client:
        query = dns.message.make_query("listed.example", "A")
        stream = client.ask("POST", body=query.to_wire(), extra=[("content-type", TYPE)])
        assert client.message(stream).id == query.id


STATUSES = [
    (400, "GET", "/dns-query", None, ()),
    (400, "GET", "/dns-query?dns=", None, ()),
    (400, "GET", "/dns-query?dns=A", None, ()),
    (400, "GET", "/dns-query?dns=AAAA", None, ()),  # no header
    (400, "POST", "/dns-query", b"", [("content-type", TYPE)]),
    (400, "POST", "/dns-query", b"\0" * 11, [("content-type", TYPE)]),
    (404, "GET", "/", None, ()),
    (404, "GET", "/dns-queryx?dns=AAAA", None, ()),
    (404, "GET", "/dns-query/?dns=AAAA", None, ()),
    (404, "GET", "/dns-query/a/b", None, ()),
    (404, "GET", "/dns-query/" + "a" * 65, None, ()),
    (404, "POST", "/metrics", b"x", [("content-type", TYPE)]),
    (405, "HEAD", "/dns-query?dns=AAAA", None, ()),
    (405, "PUT", "/dns-query", b"x", [("content-type", TYPE)]),
    (405, "DELETE", "/dns-query", None, ()),
    (413, "POST", "/dns-query", b"\0" * 65536, [("content-type", TYPE)]),
    (414, "GET", "/dns-query?dns=" + "A" * 9000, None, ()),
    (415, "POST", "/dns-query", b"x", ()),
    (415, "POST", "/dns-query", b"x", [("content-type", "application/json")]),
    (431, "GET", "/dns-query?dns=AAAA", None, [("x-filler", "x" * 1000)] * 17),
]


@pytest.mark.parametrize("number", range(len(STATUSES)))
def test_status(doh, number):
    expected, method, path, body, extra = STATUSES[number]
    server = doh()
    with server.connect() as client:
        stream = client.ask(method, path, body, extra)
        headers, content = client.reply(stream)
        assert (int(headers[":status"]), content) == (expected, b"")
        if expected == 405:
            assert headers["allow"] == "GET, POST"
        # The connection is as good as before.
        assert_blocked(client.message(client.get("listed.example")))


def test_largest_message(doh):
    """65535 octets are taken: a message of DNS that is padded to its end."""
    server = doh()
    message = wire("listed.example")
    padded = message[:-2] + (65535 - len(message)).to_bytes(2, "big") + b"\0\x0c" + \
        (65535 - len(message) - 4).to_bytes(2, "big") + bytes(65535 - len(message) - 4)
    assert len(padded) == 65535
    with server.connect() as client:
        assert_blocked(client.message(client.ask("POST", body=padded,
                                                 extra=[("content-type", TYPE)])))


def test_many_streams_and_out_of_order(doh):
    server = doh()
    with server.connect() as client:
        late = client.get("late-1.example")
        streams = [client.get("listed.example", flush=False) for _ in range(99)]
        client.flush()
        for stream in streams:
            assert_blocked(client.message(stream))
        assert late not in client.replies
        assert_answered(client.message(late))


def test_streams_at_a_time(doh):
    """More wait for nothing: they are refused, and may be asked again."""
    server = doh(https={"streams-max": 8})
    with server.connect() as client:
        while h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS not in client.h2.remote_settings:
            assert client.read()
        assert client.h2.remote_settings.max_concurrent_streams == 8
        with pytest.raises(h2.exceptions.TooManyStreamsError):
            for i in range(9):
                client.get(f"silent-{i}.example")


def test_a_slow_answer_to_a_stream_that_is_gone(doh):
    server = doh()
    with server.connect() as client:
        stream = client.get("late-1.example")
        time.sleep(0.1)
        client.h2.reset_stream(stream)
        client.flush()
        time.sleep(0.5)
        assert_blocked(client.message(client.get("listed.example")))


@pytest.mark.skipif(not shutil.which("kdig"), reason="no kdig (Debian's knot-dnsutils)")
@pytest.mark.parametrize("method", ["+https", "+https-get"])
def test_kdig(doh, authority, method):
    server = doh()
    out = subprocess.run(["kdig", "@127.0.0.1", "-p", str(server.https_port), "+https", method,
                          f"+tls-ca={authority.path}", f"+tls-hostname={NAME}",
                          "listed.example"], text=True, capture_output=True, timeout=20,
                         check=False).stdout
    assert "NXDOMAIN" in out and "status: 200" in out, out


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_curl_resolves_by_us(doh, authority):
    """curl --doh-url asks for A and AAAA, and takes the answer for what it is."""
    server = doh()
    out = subprocess.run(["curl", "-sv", "--max-time", "3", "--doh-insecure",
                          "--doh-url", f"https://127.0.0.1:{server.https_port}/dns-query",
                          "http://listed.example:9/"], text=True, capture_output=True,
                         timeout=20, check=False).stderr
    assert "DoH: Bad RCODE type A for listed.example" in out, out
    assert server.metrics()['lindung_answers_total{kind="blocked"}'] == 2


@pytest.mark.skipif(not shutil.which("h2load"), reason="no h2load (Debian's nghttp2-client)")
def test_h2load(doh):
    server = doh()
    url = f"https://127.0.0.1:{server.https_port}/dns-query?dns={encoded('listed.example')}"
    out = subprocess.run(["h2load", "-n", "5000", "-c", "10", "-m", "50", url], text=True,
                         capture_output=True, timeout=60, check=False).stdout
    assert "5000 succeeded, 0 failed" in out, out


# ---- Strangers -----------------------------------------------------------------------------

def test_rapid_reset(doh):
    """CVE-2023-44487: who takes back what was asked, again and again, is sent away."""
    server = doh()
    with server.connect() as client:
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            for i in range(500):
                stream = client.get(f"silent-{i}.example", flush=False)
                client.h2.reset_stream(stream)
                if i % 50 == 49:
                    client.flush()
        assert client.read_to_the_end() == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
    assert count(server, "http2_calmed_total") == 1
    with server.connect() as client:
        assert_blocked(client.message(client.get("listed.example")))


def test_some_resets_are_nothing(doh):
    """A browser takes back what it does not need any more."""
    server = doh()
    with server.connect() as client:
        for i in range(60):
            stream = client.get(f"silent-{i}.example")
            client.h2.reset_stream(stream)
            client.flush()
        assert_blocked(client.message(client.get("listed.example")))


@pytest.mark.parametrize("noise", ["ping", "settings", "window", "priority"])
def test_floods(doh, noise):
    """Frames that ask nothing."""
    server = doh()
    with server.connect() as client:
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            for i in range(5000):
                if noise == "ping":
                    client.h2.ping(b"12345678")
                elif noise == "settings":
                    client.h2.update_settings(
                        {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65535 + i})
                elif noise == "window":
                    client.h2.increment_flow_control_window(1)
                else:
                    client.h2.prioritize(2 * i + 1, weight=16)
                if i % 100 == 99:
                    client.flush()
        assert client.read_to_the_end() == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
    assert count(server, "http2_calmed_total") == 1


def test_headers_without_end(doh):
    """CONTINUATION without END_HEADERS (CVE-2024-28182)."""
    server = doh()
    with server.connect() as client:
        frame = b"\0\0\x04\1\0\0\0\0\1" + b"\x82\x87\x84\x40"[:4]
        more = b"\0\x40\0\x09\0\0\0\0\1" + b"\x82" * 16384
        with contextlib.suppress(OSError):
            client.socket.sendall(frame)
            for _ in range(100):
                client.socket.sendall(more)
        assert client.read_to_the_end() != h2.errors.ErrorCodes.NO_ERROR
    assert none_is_left(server)
    with server.connect() as client:
        assert_blocked(client.message(client.get("listed.example")))


def test_plain_text_and_http1_on_the_port(doh, authority):
    server = doh()
    for alpn in (("http/1.1",), ("dot",)):
        with socket.create_connection(("127.0.0.1", server.https_port), timeout=5) as plain, \
                pytest.raises(OSError):
            authority.context(alpn=alpn).wrap_socket(plain, server_hostname=NAME)
    context = authority.context(alpn=())
    with socket.create_connection(("127.0.0.1", server.https_port), timeout=5) as plain, \
            context.wrap_socket(plain, server_hostname=NAME) as sock:
        sock.sendall(b"GET /dns-query HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(OSError):
            while sock.recv(65536):
                pass
    assert none_is_left(server)


def test_idle_connections_end_with_a_goodbye(doh):
    server = doh(tls={"idle-ms": 500})
    with server.connect() as client:
        assert_blocked(client.message(client.get("listed.example")))
        assert client.read_to_the_end(3) == h2.errors.ErrorCodes.NO_ERROR
    assert count(server, "connections_expired_total") == 1


def test_slowloris(doh):
    """A request that never becomes whole, and pings that keep nothing alive."""
    server = doh(tls={"idle-ms": 800})
    with server.connect() as client:
        start = time.monotonic()
        client.ask("POST", body=b"\0", extra=[("content-type", TYPE)], end=False)
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            while time.monotonic() < start + 4:
                client.h2.ping(b"12345678")
                client.flush()
                if not client.read(0.1) and client.goaway is None:
                    break
                if client.goaway is not None:
                    break
                time.sleep(0.1)
        assert time.monotonic() - start < 2.5
    assert none_is_left(server)


def test_slow_reader(doh):
    """No window, no answers: what it asks is held up to a limit, and not for ever."""
    server = doh(tls={"idle-ms": 800})
    with server.connect(window=0) as client:
        for _ in range(90):
            client.get("listed.example", flush=False)
        client.flush()
        time.sleep(0.2)
        assert count(server, "connections") == 1
        client.read_to_the_end(3)
    assert none_is_left(server)


class LargeUpstream(Upstream):
    """Every answer takes nearly all that a message may have."""

    @staticmethod
    def reply(query):
        reply = dns.message.make_response(query, recursion_available=True)
        reply.request_payload = 65535
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "TXT",
                                                " ".join(['"' + "x" * 250 + '"'] * 235)))
        return reply


def test_large_answers_wait_for_a_slow_reader(doh):
    """More than waits to be sent stays with its stream, and comes when there is room again."""
    upstream = LargeUpstream()
    server = doh(threads=1, upstream={"mode": "forward", "timeout-ms": 5000,
                                      "servers": [f"127.0.0.1@{upstream.port}"]})
    with contextlib.closing(upstream), \
            server.connect(window=2**31 - 1, receive_bytes=4096) as client:
        client.h2.increment_flow_control_window(2**31 - 1 - 65535)
        asked = []
        for turn in range(20):  # much more than the kernel takes
            asked += [client.get(f"cut-{turn}.example", "TXT", flush=False) for _ in range(8)]
            client.flush()
            time.sleep(0.05)
        while len(client.resets) + sum(reply[2] for reply in client.replies.values()) < len(asked):
            assert client.read(), f"the connection ended (GOAWAY {client.goaway})"
        assert set(client.resets.values()) <= {h2.errors.ErrorCodes.REFUSED_STREAM}
        for stream in set(asked) - set(client.resets):
            assert len(client.message(stream).answer[0][0].strings) == 235
    assert count(server, "connections_broken_total") == 0


def test_large_answers_that_come_together(doh):
    """One answer for many who wait: more than may wait to be sent is refused, the connection stays."""
    upstream = LargeUpstream()
    server = doh(threads=1, upstream={"mode": "forward", "timeout-ms": 5000,
                                      "servers": [f"127.0.0.1@{upstream.port}"]})
    with contextlib.closing(upstream), server.connect(window=65535) as client:
        asked = [client.get("cut-together.example", "TXT", flush=False) for _ in range(24)]
        client.flush()
        while len(client.resets) + sum(reply[2] for reply in client.replies.values()) < len(asked):
            assert client.read(), f"the connection ended (GOAWAY {client.goaway})"
        assert set(client.resets.values()) == {h2.errors.ErrorCodes.REFUSED_STREAM}
        assert len(client.replies) >= 4
        stream = client.get("listed.example")
        while stream not in client.replies or not client.replies[stream][2]:
            assert client.read()
    assert count(server, "connections_broken_total") == 0


def test_many_half_posts_are_bounded(doh):
    """Bodies that grow and never end: not more than half a megabyte of them."""
    server = doh()
    with server.connect() as client, contextlib.suppress(h2.exceptions.ProtocolError):
        streams = [client.ask("POST", extra=[("content-type", TYPE)], end=False)
                   for _ in range(60)]
        refused = 0
        for stream in streams:
            for _ in range(3):
                while client.h2.local_flow_control_window(stream) < 16384:
                    assert client.read()
                client.h2.send_data(stream, bytes(16384))
                client.flush()
        while client.read(0.3):
            pass
        refused = [reply for reply in client.replies.values() if reply[0][":status"] == "413"]
        assert refused
