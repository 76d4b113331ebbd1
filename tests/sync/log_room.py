# SPDX-License-Identifier: BSD-2-Clause
"""A log that tests add to (follow_room), and web servers that serve it, well or badly."""
import hashlib
import http.server
import pathlib
import re
import socket
import socketserver
import struct
import subprocess
import threading
import time

ORIGIN = "log.test.example"

RULES = """\
popular none
group one any kind:hotline kind:ngo kind:ministry
group two 2 kind:hotline kind:ngo kind:ministry
upholder two
category gambling
  agree one
  lives 365d
category adult
  agree two
  lives 365d
category csam
  agree one
  lives 365d
  sealed allowed
"""


class Room:
    """A log in a folder; every command of follow_room is a method's worth of words."""

    def __init__(self, build_dir, folder, seed=0, parties=True):
        self.folder = pathlib.Path(folder)
        self.process = subprocess.Popen(
            [build_dir / "src/process/follow_room", str(self.folder), ORIGIN, str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.log_key, self.root_key, self.witness_key = self.do("keys")
        if parties:
            for party, kind, country in (("hot.example", "hotline", "ID"),
                                         ("ngo.example", "ngo", "TH"),
                                         ("min.example", "ministry", "PH")):
                self.do("party", party, kind, country)

    def do(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer and answer[0] == "ok", answer
        return answer[1:]

    def list(self, party, category, *entries):
        """The statement's id, and when it was durable (clock of time.monotonic_ns())."""
        _, name, when = self.do("list", party, category, *entries)
        return name, int(when)

    def block(self, party, category, path):
        return self.do("block", party, category, str(path))[1]

    def endorse(self, party, name):
        return int(self.do("endorse", party, name)[2])

    def policy(self, path, max_age="7d", witnessed=True, rules=RULES):
        witness = (f"witness w1 {self.witness_key}\nquorum w1\nmax-age {max_age}\n"
                   if witnessed else "quorum none\n")
        path.write_text(f"lindung policy 1\nlog {self.log_key}\n{witness}root 1 {self.root_key}\n"
                        + rules)
        return path

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


class Web:
    """Serves a folder with ETag and ranges; `spoil(path, body) -> body | callable | int` changes
    what is said: other octets, a function of the connection, or a status."""

    def __init__(self, folder, spoil=None, port=0):
        web = self
        self.folder, self.spoil, self.asked = pathlib.Path(folder), spoil, []
        self.bytes = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.answer(self)

            def log_message(self, *_):
                pass

        class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Threaded(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request):
        path = request.path.lstrip("/")
        self.asked.append((path, dict(request.headers)))
        try:
            body = (self.folder / path).read_bytes()
        except OSError:
            body = None
        if self.spoil:
            said = self.spoil(path, body)
            if callable(said):
                said(request)
                request.close_connection = True
                return
            if isinstance(said, int):
                request.send_response(said)
                request.send_header("Content-Length", "0")
                request.end_headers()
                return
            body = said
        if body is None:
            request.send_response(404)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        status, start = 200, 0
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if request.headers.get("If-None-Match") == tag:
            status, body = 304, b""
        elif wanted and int(wanted[1]) < len(body) and \
                request.headers.get("If-Range", tag) == tag:
            status, start = 206, int(wanted[1])
        request.send_response(status)
        request.send_header("ETag", tag)
        if status == 206:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if status != 304:
            request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        if status != 304:
            request.wfile.write(body[start:])
            self.bytes += len(body) - start

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def reset(request):
    """End the connection in the middle of an answer."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def slow(request):
    """Drop by drop, and never all of it."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(60):
        request.wfile.write(b"x")
        time.sleep(1)


def notify(port, zone=ORIGIN, opcode=4, qtype=6, timeout_s=2):
    """Send a NOTIFY to a server of 127.0.0.1; its answer, or None."""
    name = b"".join(bytes([len(part)]) + part.encode() for part in zone.split(".")) + b"\0"
    packet = struct.pack("!6H", 0x4242, opcode << 11 | 0x400, 1, 0, 0, 0) + name + \
        struct.pack("!2H", qtype, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.sendto(packet, ("127.0.0.1", port))
        try:
            answer = sock.recv(4096)
        except TimeoutError:
            return None
    assert len(answer) <= len(packet), "it amplifies"
    return answer
