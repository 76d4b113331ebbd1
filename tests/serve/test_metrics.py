# SPDX-License-Identifier: BSD-2-Clause
"""The page with the counters: what strangers can do to it, and what is in it."""
import contextlib
import re
import socket
import time

from serving import assert_answered, assert_blocked

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
VISITORS_MAX = 16  # net/http.h
LIFETIME_S = 5


def connect(server):
    return socket.create_connection(("127.0.0.1", server.metrics_port), timeout=10)


def everything(sock):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            data += part
    return data


def test_slowloris(serve, config):
    """Connections that trickle, never finish, or never read: others are answered all the while, and
    they are closed in time."""
    server = serve(config)
    start = time.monotonic()
    socks = [connect(server) for _ in range(VISITORS_MAX * 3)]
    for sock in socks:
        sock.sendall(REQUEST[:20])
    assert server.metrics()["lindung_threads"] == 2
    oldest = socks[0]
    oldest.settimeout(1)
    assert everything(oldest) == b"", "the oldest did not make room"
    trickling = connect(server)
    trickling.settimeout(0.2)
    closed_s = None
    for octet in b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 50:
        try:
            trickling.sendall(bytes([octet]))
            if trickling.recv(1) == b"":
                closed_s = time.monotonic() - start
                break
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            closed_s = time.monotonic() - start
            break
    assert closed_s is not None and LIFETIME_S - 1 < closed_s < LIFETIME_S + 4
    assert_blocked(server.query("listed.example"))
    assert server.metrics()["lindung_threads"] == 2
    for sock in socks:
        sock.close()


def test_a_request_in_pieces_and_too_much_of_one(serve, config):
    server = serve(config)
    with connect(server) as sock:
        for octet in REQUEST:
            sock.sendall(bytes([octet]))
        assert everything(sock).startswith(b"HTTP/1.1 200 ")
    with connect(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2000)
        assert everything(sock).startswith(b"HTTP/1.1 431 ")
    with connect(server) as sock:  # what is behind the request does not count
        sock.sendall(REQUEST + REQUEST + b"x" * 100000)
        data = everything(sock)
        assert data.count(b"HTTP/1.1 ") == 1
        head, body = data.split(b"\r\n\r\n", 1)
        length, = re.findall(rb"Content-Length: (\d+)", head)
        assert len(body) == int(length)


def test_no_label_holds_a_name_or_a_client(serve, config):
    server = serve(config)
    for name in ("listed.example", "www.secret-name.example", "late-other-secret.example"):
        for tcp in (False, True):
            reply = server.query(name, tcp=tcp)
            assert_blocked(reply) if name == "listed.example" else assert_answered(reply)
    with connect(server) as sock:
        sock.sendall(REQUEST)
        page = everything(sock).split(b"\r\n\r\n", 1)[1].decode()
    for secret in ("secret", "example", "127.0.0.1", "::1"):
        assert secret not in page
    # Each takes few values, all of them ours: look before one is added here.
    labels = set(re.findall(r'(\w+)="', page))
    assert labels <= {"action", "kind", "limit", "process", "transport"}
