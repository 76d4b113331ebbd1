# SPDX-License-Identifier: BSD-2-Clause
"""What goes wrong around a server: nothing of it may open a closed name, or end the server."""
import contextlib
import os
import resource
import selectors
import signal
import socket
import subprocess
import time

import pytest

from serving import assert_answered, assert_blocked, free_port

SOURCES = 8  # addresses of 127.0.0.0/8 to connect from: each has as many ports as the kernel gives


def settle(server, seconds=5):
    """Until a listed name is closed again, however busy the server is."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Exception):
            return assert_blocked(server.query("listed.example", timeout_s=1))
        assert time.monotonic() < end, server.lines


class Crowd:
    """Connections that say nothing."""

    def __init__(self, port, most):
        self.port, self.most = port, most
        self.selector = selectors.DefaultSelector()
        self.open, self.attempted, self.ended, self.refused = 0, 0, 0, 0

    def connect(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        # Port numbers are kept for pairs of addresses, not for the source alone.
        sock.setsockopt(socket.SOL_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        sock.bind((f"127.0.1.{1 + self.attempted % SOURCES}", 0))
        self.attempted += 1
        try:
            if sock.connect_ex(("127.0.0.1", self.port)) not in (0, 115):
                raise OSError
        except OSError:
            self.refused += 1
            sock.close()
            return
        self.selector.register(sock, selectors.EVENT_READ)
        self.open += 1

    def reap(self):
        for key, _ in self.selector.select(0):
            self.selector.unregister(key.fileobj)
            # Without lingering: what is closed in order would keep its port for a minute.
            key.fileobj.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            key.fileobj.close()
            self.open -= 1
            self.ended += 1

    def attempt(self, count, each):
        for number in range(count):
            while self.open >= self.most:
                self.reap()
                each()
            self.connect()
            if number % 256 == 0:
                self.reap()
                each()

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            key.fileobj.close()
        self.selector.close()


@pytest.fixture
def many_files():
    """As many descriptors for this process as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_hundred_thousand_idle_connections(serve, config, many_files):
    config["tcp"] = {"connections-max": 512, "idle-ms": 2000}
    server = serve(config)
    crowd = Crowd(server.port, min(2000, many_files // 4))
    asked = 0

    def ask():
        nonlocal asked
        if crowd.attempted // 5000 >= asked:
            asked += 1
            assert_blocked(server.query("listed.example", timeout_s=5))

    try:
        crowd.attempt(100_000, ask)
        assert crowd.attempted == 100_000
        assert crowd.ended > 90_000, "the idle ones made room"
        assert asked >= 20
        # Over TCP, too: whoever asks is preferred to those that say nothing.
        assert_blocked(server.query("listed.example", tcp=True))
    finally:
        crowd.close()
    assert_answered(server.query("open.example"))


def test_descriptors_run_out(serve, config):
    """With hardly more descriptors than it starts with, it answers what needs none."""
    config["threads"] = 1
    server = serve(config, prefix=("prlimit", "--nofile=64:64"))
    socks = []
    try:
        for _ in range(100):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.settimeout(1)
            socks.append(sock)
            with contextlib.suppress(OSError):
                sock.connect(("127.0.0.1", server.port))
        for _ in range(20):
            assert_blocked(server.query("listed.example"))
    finally:
        for sock in socks:
            sock.close()
    settle(server)
    assert_answered(server.query("open.example"))


def test_half_queries_over_tcp_are_ended(serve, config):
    config["tcp"] = {"idle-ms": 500}
    server = serve(config)
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.settimeout(5)
        start = time.monotonic()
        for octet in b"\0\x20" + bytes(10):  # an octet now and then is no progress
            with contextlib.suppress(OSError):
                sock.send(bytes([octet]))
            time.sleep(0.1)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
        assert time.monotonic() - start < 4
    assert_blocked(server.query("listed.example"))


@pytest.mark.skipif(os.getuid() != 0, reason="needs a file system of its own, which root may mount")
def test_the_disk_is_full(lindung, tmp_path, compile_image):
    """A compile that has no room says so and leaves the old image."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)],
                             check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        image = compile_image(tmp_path / "family.ldx", ["listed.example"])
        kept = small / "family.ldx"
        kept.write_bytes(image.read_bytes())
        before = kept.read_bytes()
        names = tmp_path / "many.txt"
        names.write_text("".join(f"host{i}.listed-{i % 977}.example\n" for i in range(60_000)))
        done = lindung("compile", "-q", "-o", kept, "--category", "adult", names)
        assert done.returncode == 1
        assert "No space left" in done.stderr
        assert kept.read_bytes() == before
        assert [path.name for path in small.iterdir()] == ["family.ldx"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, None], ids=["empty", "garbage", "half"])
def test_bad_images_over_and_over(serve, config, image, compile_image, content, tmp_path):
    """While queries come, the file is bad ten times and good again."""
    server = serve(config)
    whole = image.read_bytes()
    for _ in range(10):
        bad = tmp_path / "bad.ldx"
        bad.write_bytes(content if content is not None else whole[:len(whole) // 2])
        bad.rename(image)
        server.kill(signal.SIGHUP)
        for _ in range(20):
            assert_blocked(server.query("listed.example"))
    said = len(server.lines)
    compile_image(image, ["listed.example", "also-listed.example", "new.example"])
    server.kill(signal.SIGHUP)
    server.says("3 names", after=said - 1)
    assert_blocked(server.query("new.example"))


def test_all_upstreams_are_dead(serve, config):
    config["upstream"]["servers"] = [f"127.0.0.1@{free_port()}", f"127.0.0.1@{free_port()}"]
    config["upstream"]["timeout-ms"] = 1000
    server = serve(config)
    start = time.monotonic()
    reply = server.query("open.example")
    assert reply.rcode() == 2
    assert time.monotonic() - start < 3
    assert_blocked(server.query("listed.example"))


def test_upstream_dies_and_stale_answers_remain(serve, config, upstream):
    """RFC 8767."""
    config["threads"] = 1  # each keeps its own
    config["cache"] = {"ttl-max-s": 1}
    config["upstream"]["timeout-ms"] = 500
    server = serve(config)
    assert_answered(server.query("kept.example"))
    upstream.close()
    time.sleep(1.2)
    reply = server.query("kept.example")
    assert_answered(reply)
    assert reply.answer[0].ttl == 30
    assert 3 in [option.code for option in reply.options if option.otype == 15]
    assert_blocked(server.query("listed.example"))
