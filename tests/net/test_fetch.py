# SPDX-License-Identifier: BSD-2-Clause
"""Fetching files by HTTP(S) from servers of every kind (src/net/fetch.h)."""
import datetime
import http.server
import ipaddress
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import typing

import pytest

BODY = bytes(range(256)) * 40
OK, ELIMIT, ENET, ETIMEOUT, EINVAL = 0, -7, -17, -18, -1


class Outcome(typing.NamedTuple):
    error: int
    status: int
    tag: str
    retry: int
    resume: int
    length: int
    hash: str
    report: str


def fnv(data):
    value = 0xcbf29ce484222325
    for octet in data:
        value = (value ^ octet) * 0x100000001b3 & (1 << 64) - 1
    return f"{value:016x}"


@pytest.fixture(scope="module")
def fetch(build_dir):
    """fetch("-l", "10", URL...) -> [Outcome]"""
    def run(*arguments, env=None):
        done = subprocess.run([build_dir / "src/net/fetch_tool", *map(str, arguments)],
                              capture_output=True, text=True, timeout=60, check=True, env=env)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        return [Outcome(int(e), int(s), t, int(w), int(r), int(n), h, why)
                for e, s, t, w, r, n, h, why in lines]
    return run


class Server:
    """Says what it is told to each request, octet for octet, and keeps what it was asked."""

    def __init__(self, answer, context=None):
        self.answer, self.asked, self.context = answer, [], context
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(65536)
                if not more:
                    return
                head += more
            self.asked.append(head.decode())
            self.answer(client, head.decode())
        except OSError:
            pass
        finally:
            client.close()

    def close(self):
        self.socket.close()


@pytest.fixture
def serve():
    """serve(answer) -> Server; `answer(client, head)` writes to the connection."""
    servers = []

    def start(answer, context=None):
        if isinstance(answer, bytes):
            octets = answer
            def answer(client, _):
                client.sendall(octets)
        servers.append(Server(answer, context))
        return servers[-1]
    yield start
    for server in servers:
        server.close()


def page(status="200 OK", body=BODY, **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_whole_file_with_its_tag(fetch, serve):
    server = serve(page(ETag='"one"'))
    got, = fetch(server.url + "/a")
    assert got == Outcome(OK, 200, '"one"', 0, 0, len(BODY), fnv(BODY), "")
    assert "accept-encoding" not in server.asked[0].lower()
    assert "cookie" not in server.asked[0].lower()


def test_the_same_is_not_sent_again(fetch, serve):
    server = serve(b'HTTP/1.1 304 Not Modified\r\nETag: "one"\r\nConnection: close\r\n\r\n')
    got, = fetch("-e", '"one"', server.url)
    assert (got.error, got.status, got.length, got.tag) == (OK, 304, 0, '"one"')
    assert 'If-None-Match: "one"' in server.asked[0]


@pytest.mark.parametrize("tag", ['one', '"a b"', '"' + "x" * 300 + '"', '"', '"a"b"', 'W/x'])
def test_a_tag_that_is_none_is_not_kept(fetch, serve, tag):
    assert fetch(serve(page(ETag=tag)).url)[0].tag == ""


def test_the_rest_is_asked_for(fetch, serve):
    def answer(client, head):
        assert "Range: bytes=100-" in head and 'If-Range: "one"' in head
        client.sendall(page("206 Partial Content", b"b" * 50, ETag='"one"',
                            Content_Range="bytes 100-149/150"))
    got, = fetch("-k", 100, "-e", '"one"', serve(answer).url)
    assert (got.error, got.status, got.length) == (OK, 206, 150)
    assert got.hash == fnv(b"a" * 100 + b"b" * 50)


def test_another_file_begins_anew(fetch, serve):
    got, = fetch("-k", 100, "-e", '"one"', serve(page(body=b"new", ETag='"two"')).url)
    assert (got.error, got.status, got.length, got.tag) == (OK, 200, 3, '"two"')
    assert got.hash == fnv(b"new")


def test_nothing_behind_what_is_there(fetch, serve):
    def answer(client, head):
        client.sendall(page("416 Range Not Satisfiable", b"") if "Range:" in head
                       else page(body=b"short"))
    got, = fetch("-k", 100, serve(answer).url)
    assert (got.error, got.status, got.hash) == (OK, 200, fnv(b"short"))


@pytest.mark.parametrize("start", ["99-148", "101-150", "0-49", ""])
def test_a_part_that_was_not_asked_for_is_refused(fetch, serve, start):
    headers = {"Content_Range": f"bytes {start}/150"} if start else {}
    got, = fetch("-k", 100, serve(page("206 Partial Content", b"b" * 50, **headers)).url)
    assert got.error == ENET and "part" in got.report


def test_a_part_where_the_whole_was_asked_for_is_refused(fetch, serve):
    octets = page("206 Partial Content", b"b" * 50, Content_Range="bytes 0-49/150")
    assert fetch(serve(octets).url)[0].error == ENET


def test_cut_short_and_gone_on_with(fetch, serve):
    octets = page(ETag='"one"')
    got, = fetch(serve(octets[:-1000]).url)
    assert (got.error, got.tag) == (ENET, '"one"')
    assert got.resume == got.length == len(BODY) - 1000


def test_connection_reset(fetch, serve):
    def answer(client, _):
        client.sendall(page()[:500])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert fetch(serve(answer).url)[0].error == ENET


def test_larger_than_it_may_be(fetch, serve):
    got, = fetch("-l", len(BODY) - 1, serve(page()).url)
    assert (got.error, got.length, got.resume) == (ELIMIT, 0, 0)
    assert fetch("-l", len(BODY), serve(page()).url)[0].error == OK


def test_endless_body_is_ended(fetch, serve):
    def answer(client, _):
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b"x" * 65536)
    assert fetch(serve(answer).url)[0].error == ELIMIT


def test_endless_page_of_an_error_is_its_error(fetch, serve):
    def answer(client, _):
        client.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
        while True:
            client.sendall(b"x" * 65536)
    got, = fetch(serve(answer).url)
    assert (got.error, got.status, got.length) == (OK, 404, 0)


def test_endless_headers_are_ended(fetch, serve):
    def answer(client, _):
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            client.sendall(b"X: " + b"x" * 1000 + b"\r\n")
    assert fetch(serve(answer).url)[0].error in (ELIMIT, ENET)


def test_silence_is_not_waited_for(fetch, serve):
    def answer(client, _):
        client.sendall(page()[:200])
        time.sleep(20)
    begin = time.monotonic()
    got, = fetch("-s", 1000, serve(answer).url)
    assert got.error == ETIMEOUT and time.monotonic() - begin < 5


def test_drop_by_drop_is_not_waited_for(fetch, serve):
    def answer(client, _):
        for octet in page():
            client.sendall(bytes([octet]))
            time.sleep(0.05)
    begin = time.monotonic()
    assert fetch("-t", 2000, serve(answer).url)[0].error == ETIMEOUT
    assert time.monotonic() - begin < 5


def test_nobody_there(fetch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        got, = fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (got.error, got.status) == (ENET, 0)


def test_not_http(fetch, serve):
    assert fetch(serve(b"SSH-2.0-OpenSSH_9.2\r\n" * 3).url)[0].error == ENET


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/",
                                 "http://user:secret@127.0.0.1/", "", "http://", "dict://x/"])
def test_other_schemes_and_passwords_are_refused(fetch, url):
    assert fetch(url)[0].error == EINVAL


def test_redirects(fetch, serve):
    end = serve(page(body=b"there"))
    begin = serve(page("302 Found", Location=end.url + "/x"))
    got, = fetch(begin.url)
    assert (got.error, got.status, got.hash) == (OK, 200, fnv(b"there"))


def test_redirects_without_end(fetch, serve):
    def answer(client, _):
        client.sendall(page("302 Found", b"", Location="/again"))
    server = serve(answer)
    assert fetch(server.url)[0].error == ELIMIT
    assert len(server.asked) == 5


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/", "dict://127.0.0.1/"])
def test_redirects_to_what_is_no_http(fetch, serve, where):
    got, = fetch(serve(page("302 Found", Location=where)).url)
    assert got.error != OK and got.length == 0


def test_retry_after(fetch, serve):
    got, = fetch(serve(page("503 Service Unavailable", b"", Retry_After="120")).url)
    assert (got.error, got.status, got.retry) == (OK, 503, 120)
    got, = fetch(serve(page("503 Service Unavailable", b"", Retry_After="99999999")).url)
    assert got.retry == 86400


def test_no_proxy_of_the_environment(fetch, serve):
    proxy, server = serve(page(body=b"by proxy")), serve(page())
    got, = fetch(server.url, env={"http_proxy": proxy.url, "ALL_PROXY": proxy.url})
    assert got.hash == fnv(BODY) and proxy.asked == []


def test_hosts_are_found_as_told(fetch, serve):
    server = serve(page())
    got, = fetch("-r", "log.example=127.0.0.1", f"http://log.example:{server.port}/")
    assert got.error == OK and f"Host: log.example:{server.port}" in server.asked[0]
    got, = fetch("-r", "log.example=127.0.0.1", f"http://other.example:{server.port}/")
    assert got.error == ENET and "no such host" in got.report
    begin = serve(page("302 Found", Location=f"http://log.example:{server.port}/"))
    assert fetch("-r", "log.example=127.0.0.1", begin.url)[0].error == OK


def test_post(fetch, serve):
    def answer(client, head):
        body = head.split("\r\n\r\n")[1]
        client.sendall(page("403 Forbidden", f"no {body}".encode()))
    got, = fetch("-p", "hello", serve(answer).url)
    assert (got.error, got.status, got.hash) == (OK, 403, fnv(b"no hello"))


def test_many_at_once_on_few_connections(fetch):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        connections = set()

        def do_GET(self):
            self.connections.add(self.client_address)
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        got = fetch(*[f"{base}/{i}" for i in range(300)])
        server.shutdown()
    assert [g.hash for g in got] == [fnv(f"/{i}".encode()) for i in range(300)]
    assert len(Handler.connections) <= 4


# ---- TLS --------------------------------------------------------------------------------------

def certificate(folder, name, days=1):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=10)
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address(name))] if name[0].isdigit() else [x509.DNSName(name)])
    cert = (x509.CertificateBuilder().subject_name(who).issuer_name(who)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(datetime.datetime.utcnow() + datetime.timedelta(days=days))
            .add_extension(names, False)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(key, hashes.SHA256()))
    path = pathlib.Path(folder) / f"{name}-{days}.pem"
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


def test_https_is_verified(fetch, serve, tmp_path):
    path, context = certificate(tmp_path, "127.0.0.1")
    server = serve(page(), context)
    assert fetch("-a", path, server.url)[0].error == OK
    assert fetch(server.url)[0].error == ENET
    other, context = certificate(tmp_path, "other.example")
    assert fetch("-a", other, serve(page(), context).url)[0].error == ENET
    old, context = certificate(tmp_path, "127.0.0.1", -1)
    assert fetch("-a", old, serve(page(), context).url)[0].error == ENET


def test_never_from_https_to_http(fetch, serve, tmp_path):
    path, context = certificate(tmp_path, "127.0.0.1")
    plain = serve(page())
    got, = fetch("-a", path, serve(page("302 Found", Location=plain.url), context).url)
    assert got.error == ENET and plain.asked == []
    # Nor by way of http.
    secure = serve(page("302 Found", Location=plain.url), context)
    begin = serve(page("302 Found", Location=secure.url))
    assert fetch("-a", path, begin.url)[0].error == ENET and plain.asked == []
