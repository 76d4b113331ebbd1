# SPDX-License-Identifier: BSD-2-Clause
"""The web server of `lindung host`, asked rightly, wrongly, and by those who mean harm
(RFC 9110, RFC 9112)."""
import concurrent.futures
import contextlib
import http.client
import os
import socket
import time

import pytest

import room

LISTED = 300


@pytest.fixture(scope="module")
def host(lindung, tmp_path_factory):
    """One host for all: a log of some hundred entries, so that there is a whole tile."""
    folder = tmp_path_factory.mktemp("http")
    home = room.home_make(lindung, folder)
    secret = home / "log" / ".private" / "secret"
    secret.write_text("secret", encoding="utf-8")
    (home / "log" / "block").mkdir(exist_ok=True)
    os.symlink("/etc/passwd", home / "log" / "block" / ("0" * 64))
    running = room.Host(lindung, home)
    ngo = room.Key("ngo.example")
    assert running.submit(room.party_add(ngo)).status == 200

    def hand_in(first):
        for i in range(first, LISTED, 30):
            while running.submit(room.listing(ngo, "gambling", f"bet{i}.example")).status == 429:
                time.sleep(0.1)

    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        list(pool.map(hand_in, range(30)))
    assert running.size() == LISTED + 1
    yield running
    assert running.stop() == 0


def status_of(octets):
    return int(octets.split(b" ", 2)[1]) if octets.startswith(b"HTTP/1.1 ") else None


# ---- What is right ----------------------------------------------------------------------------

def test_files_of_the_log(host):
    checkpoint = host.get("/checkpoint")
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "max-age=1" in checkpoint.headers["Cache-Control"]
    tile = host.get("/tile/0/000")
    assert tile.status == 200 and len(tile.body) == 8192
    assert "immutable" in tile.headers["Cache-Control"]
    assert tile.headers["Content-Type"] == "application/octet-stream"
    size = host.size()
    assert len(host.get(f"/tile/0/001.p/{size - 256}").body) == (size - 256) * 32
    assert host.get("/tile/entries/000").status == 200
    assert host.get("/").status == 200
    for path in (f"/tile/0/001.p/{size - 255}", "/tile/0/002", "/tile/0/x000/000", "/tile/0/1", "/tile/9/000",
                 "/tile/0/000.p/256", "/tile/0/000.p/0", "/block/" + "a" * 64, "/block/" + "A" * 64,
                 "/block/", "/tile", "/tile/", "/checkpoint/", "/log", "/store.sqlite", "/keys/log.key",
                 "/policy", "/export/", "/export/.hosts", "/export/gambling", "/export/gambling.exe",
                 "/receipt/00"):
        assert host.get(path).status == 404, path


def test_conditions(host):
    tag = host.get("/checkpoint").headers["ETag"]
    for listed in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = host.get("/checkpoint", If_None_Match=listed)
        assert answer.status == 304 and answer.body == b"" and answer.headers["ETag"] == tag
    assert host.get("/checkpoint", If_None_Match='"x"').status == 200


def test_ranges(host):
    whole = host.get("/tile/0/000").body
    tag = host.get("/tile/0/000").headers["ETag"]
    for text, expected in (("bytes=0-0", whole[:1]), ("bytes=8000-", whole[8000:]), ("bytes=-5", whole[-5:]),
                           ("bytes=8191-9999999", whole[8191:])):
        answer = host.get("/tile/0/000", Range=text)
        assert (answer.status, answer.body) == (206, expected)
        assert answer.headers["Content-Range"].endswith("/8192")
    for text in ("bytes=8192-", "bytes=99999-100000", "bytes=-0"):
        answer = host.get("/tile/0/000", Range=text)
        assert (answer.status, answer.body) == (416, b"")
        assert answer.headers["Content-Range"] == "bytes */8192"
    # What is none, or several: all of it.
    for text in ("bytes=5-2", "bytes=0-1,4-5", "bytes=" + ",".join(["0-"] * 500), "lines=1-2", "bytes=a-b",
                 "bytes=" + "9" * 40 + "-"):
        answer = host.get("/tile/0/000", Range=text)
        assert (answer.status, answer.body) == (200, whole)
    assert host.get("/tile/0/000", Range="bytes=0-0", If_Range=tag).status == 206
    assert host.get("/tile/0/000", Range="bytes=0-0", If_Range='"old"').status == 200


def test_head_says_what_get_would(host):
    for path in ("/checkpoint", "/tile/0/000", "/nothing"):
        got, head = host.get(path), host.ask("HEAD", path)
        assert head.body == b"" and head.status == got.status
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_methods(host):
    for method, path, status in (("POST", "/checkpoint", 405), ("GET", "/submit", 405), ("PUT", "/submit", 501),
                                 ("DELETE", "/tile/0/000", 501), ("OPTIONS", "/", 501), ("TRACE", "/", 501),
                                 ("CONNECT", "/", 501), ("POST", "/add-checkpoint", 404)):
        answer = host.ask(method, path, body=b"x" if method == "POST" else None)
        assert answer.status == status, (method, path)
        if status == 405:
            assert answer.headers["Allow"] == ("POST" if method == "GET" else "GET, HEAD")


def test_a_connection_is_kept_and_requests_may_run_ahead(host):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", host.port, timeout=10)) as connection:
        for _ in range(5):
            connection.request("GET", "/checkpoint")
            assert room.Answer(connection.getresponse()).status == 200
            connection.request("GET", "/nothing")
            assert room.Answer(connection.getresponse()).status == 404
    many = b"GET /tile/0/000 HTTP/1.1\r\nHost: a\r\n\r\n" * 100 + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    came = host.raw(many)
    assert came.count(b"HTTP/1.1 200 OK\r\n") == 101


def test_expect_100(host):
    with socket.create_connection(("127.0.0.1", host.port), timeout=5) as sock:
        sock.sendall(b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


# ---- What means harm --------------------------------------------------------------------------

@pytest.mark.parametrize("path", [
    "/../store.sqlite", "/tile/../../keys/log.key", "/.private/secret", "/tile/../.private/secret",
    "/%2e%2e/keys/log.key", "/%2e%2e%2fkeys/log.key", "/..%2fkeys", "/tile/0/..", "/./checkpoint",
    "//etc/passwd", "/tile//0/000", "/checkpoint%00", "/checkpoint/.", "/block/../checkpoint",
    "/tile/0/000/../../../.private/secret", "/\\..\\keys", "/export/..%2f..%2fkeys.hosts",
    "/export/../keys.hosts", "/block/" + "0" * 64])
def test_nothing_but_the_log_is_served(host, path):
    came = host.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert status_of(came) in (404, 503), came
    for secret in (b"secret", b"root:", b"lindung key", b"SQLite"):
        assert secret not in came


SMUGGLED = b"GET /checkpoint HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 40\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\tContent-Length: 40\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
])
def test_what_could_be_two_requests_ends_the_connection(host, head):
    came = host.raw(head + SMUGGLED)
    assert status_of(came) in (400, 411, 505), came
    assert came.count(b"HTTP/1.1 ") == 1 and b"Connection: close\r\n" in came


def test_heads_that_are_too_large(host):
    for head in (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000 + b"\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n",
                 b"x" * 100000):
        assert status_of(host.raw(head)) in (414, 431), head[:60]


def test_bodies_that_are_too_large(host):
    huge = 65 * 1024 * 1024 + 65536
    came = host.raw(f"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: {huge}\r\n\r\n".encode() + b"x" * 1000)
    assert status_of(came) == 413
    came = host.raw(b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    assert status_of(came) == 400


def test_noise(host):
    chance = room.hashlib.sha256
    for seed in range(50):
        octets = b"".join(chance(bytes([seed, i])).digest() for i in range(40))
        came = host.raw(octets)
        assert came == b"" or status_of(came) in (400, 408, 431, 501, 505)
    assert host.get("/checkpoint").status == 200


def test_slow_heads_hold_nobody_up(host):
    """A hundred who send an octet now and then, and half of them a body that never ends."""
    with contextlib.ExitStack() as stack:
        slow = []
        for i in range(50):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", host.port), timeout=20))
            sock.sendall(b"GET / HTTP/1.1\r\n" if i % 2 else
                         b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
            slow.append(sock)
        begun = time.monotonic()
        ended = {}
        while len(ended) < len(slow) and time.monotonic() < begun + 16:
            for i, sock in enumerate(slow):
                if i in ended:
                    continue
                try:
                    if i % 2:  # a head may trickle, and is over all the same
                        sock.send(b"X")
                    sock.settimeout(0.001)
                    if status_of(sock.recv(4096)) in (408, 429, None):
                        ended[i] = time.monotonic() - begun
                except TimeoutError:
                    continue
                except OSError:
                    ended[i] = time.monotonic() - begun
            assert host.get("/checkpoint").status == 200
            time.sleep(0.2)
        assert len(ended) == len(slow), len(ended)


def test_bodies_that_are_announced_take_no_room(host):
    """Four who say that they send all that may be sent at once, and then an octet a second."""
    most = 64 * 1024 * 1024 + 65535
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", host.port), timeout=20))
                for _ in range(4)]
        for sock, size in zip(slow, (most, most, most, 63 * 1024 * 1024)):
            sock.sendall(f"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\nx".encode())
        time.sleep(0.2)
        assert host.ask("POST", "/submit", body=b"x" * 1024 * 1024).status == 400
        ended, limit = set(), time.monotonic() + 16
        while len(ended) < len(slow) and time.monotonic() < limit:
            for sock in slow:
                try:
                    sock.send(b"x")
                    sock.settimeout(0.01)
                    if status_of(sock.recv(4096)) in (408, None):
                        ended.add(sock)
                except TimeoutError:
                    continue
                except OSError:
                    ended.add(sock)
            time.sleep(1)
        assert len(ended) == len(slow)


def test_one_client_does_not_take_the_posts_of_all(host):
    """127.0.0.2 floods; who sends from 127.0.0.1 is heard."""
    time.sleep(4)
    many = b"POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" * 400
    with socket.create_connection(("127.0.0.1", host.port), timeout=30,
                                  source_address=("127.0.0.2", 0)) as flood:
        flood.sendall(many)
        came = b""
        while piece := flood.recv(65536):
            came += piece
    assert 100 <= came.count(b"HTTP/1.1 400 ") < 200 and came.count(b"HTTP/1.1 429 ") == 1
    assert host.ask("POST", "/submit", body=b"x").status == 400


def test_one_client_has_its_share_of_connections(host):
    with contextlib.ExitStack() as stack:
        open_ones = 0
        for _ in range(100):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", host.port), timeout=3))
            try:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                open_ones += sock.recv(100) != b""
            except OSError:
                pass
        assert open_ones == 64
    time.sleep(0.5)
    assert host.get("/checkpoint").status == 200


def test_a_reader_who_stops_reading_is_let_go(host):
    """The answers wait in the kernel's buffers; what does not move for 10 s ends."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", host.port))
        asked = b"GET /tile/entries/000 HTTP/1.1\r\nHost: a\r\n\r\n"
        sock.setblocking(False)
        limit = time.monotonic() + 16
        ended = False
        while not ended and time.monotonic() < limit:
            try:
                sock.send(asked * 20)
            except BlockingIOError:
                time.sleep(0.2)
            except (BrokenPipeError, ConnectionResetError):
                ended = True
        assert ended


def test_memory_stays_small(host):
    """After all that: what the host holds is bounded by its tables."""
    with open(f"/proc/{host.process.pid}/status", encoding="utf-8") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 400 * 1024 or "asan" in str(host.program), peak


def test_too_many_posts_are_told_to_wait(host):
    statuses = [host.ask("POST", "/submit", body=b"x").status for _ in range(400)]
    assert 429 in statuses and statuses[0] in (400, 429)
    answer = host.ask("POST", "/submit", body=b"x")
    if answer.status == 429:
        assert int(answer.headers["Retry-After"]) > 0
    assert host.get("/checkpoint").status == 200


def test_lookups_have_a_rate_too(host):
    """Receipts make the thread that owns the log work: files do not, and are served on."""
    path = b"GET /receipt/" + b"0" * 64 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    came = host.raw(path * 1500 + b"GET /checkpoint HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert came.count(b"HTTP/1.1 404 ") >= 500 and came.count(b"HTTP/1.1 429 ") > 100
    assert came.count(b"HTTP/1.1 404 ") + came.count(b"HTTP/1.1 429 ") == 1500
    assert came.count(b"HTTP/1.1 200 ") == 1
