# SPDX-License-Identifier: BSD-2-Clause
"""A log, parties who sign, and a host that serves it, for the tests of this folder."""
import base64
import contextlib
import datetime
import hashlib
import http.client
import http.server
import os
import signal
import socket
import subprocess
import threading
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ports import free_port

ORIGIN = "log.example"
POLICY = """\
lindung policy 1
group anyone 1 kind:ngo kind:hotline
category *
  agree anyone
  lives 365d
  popular none
  suspend never
  uphold anyone
  clock 14d
  sealed allowed
"""


class Key:
    """A key of C2SP signed-note, made of its name: every run has the same."""

    def __init__(self, name, kind=1):
        self.name, self.kind = name, kind
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.octets = bytes([kind]) + public
        self.ident = hashlib.sha256(name.encode() + b"\n" + self.octets).digest()[:4]

    @property
    def verifier(self):
        return f"{self.name}+{self.ident.hex()}+{base64.b64encode(self.octets).decode()}"

    def file(self, path):
        """As a bare key file (formats/key.md)."""
        secret = base64.b64encode(hashlib.sha256(self.name.encode()).digest()).decode()
        path.write_text(f"lindung key 1\nkey: {self.verifier}\nencryption: none\nsecret: {secret}\n",
                        encoding="utf-8")
        path.chmod(0o600)
        return path

    def line(self, text):
        signature = base64.b64encode(self.ident + self.private.sign(text.encode())).decode()
        return f"\u2014 {self.name} {signature}\n"

    def sign(self, text):
        return (text + "\n" + self.line(text)).encode()


ROOTS = [Key(f"root-{i}.example") for i in (1, 2)]


def moment(ago_s=0):
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago_s)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def day(ahead):
    return (datetime.date.today() + datetime.timedelta(days=ahead)).isoformat()


def statement(party, action, *lines, ago_s=0):
    """The text of a statement; `lines` are the fields behind "action"."""
    head = [f"lindung statement 1\nlog: {ORIGIN}", f"party: {party}", f"time: {moment(ago_s)}",
            f"action: {action}"]
    return "\n".join([*head, *lines]) + "\n"


def party_add(key, kind="ngo"):
    text = statement("root", "party-add", "jurisdiction: INT", "basis: charter", f"subject: {key.name}",
                     "name: Somebody", f"kind: {kind}", "country: ID", f"key: {key.verifier}",
                     f"expires: {day(300)}")
    return (text + "\n" + "".join(root.line(text) for root in ROOTS)).encode()


def listing(key, category, *entries, ago_s=0):
    text = statement(key.name, "list", f"category: {category}", "jurisdiction: ID", "basis: law",
                     f"expires: {day(200)}", f"entries: inline {len(entries)}",
                     *(f" {entry}" for entry in entries), ago_s=ago_s)
    return key.sign(text)


def block_listing(key, category, entries):
    """Statement and block as one parcel."""
    content = "".join(entry + "\n" for entry in entries).encode()
    block = subprocess.run(["zstd", "-q", "-c", f"--stream-size={len(content)}"], input=content,
                           capture_output=True, check=True).stdout
    text = statement(key.name, "list", f"category: {category}", "jurisdiction: ID", "basis: law",
                     f"expires: {day(200)}",
                     f"entries: block sha256:{hashlib.sha256(block).hexdigest()} count {len(entries)}")
    return key.sign(text) + block


def ident(note):
    """The id of a signed statement."""
    return hashlib.sha256(note[:note.index(b"\n\n") + 1]).hexdigest()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


class Host:
    """`lindung host`, on a free port."""

    def __init__(self, lindung, home, *options, env=None):
        self.program, self.home, self.options = lindung.path, home, options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "host.stderr"
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.start()

    def start(self):
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [self.program, "host", "--listen", f"127.0.0.1@{self.port}",
                 *map(str, self.options), str(self.home)], stderr=log, env=self.env)
        limit = time.monotonic() + 30
        while "listening on" not in self.said():
            assert self.process.poll() is None and time.monotonic() < limit, self.said()
            time.sleep(0.02)

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def ask(self, method, path, body=None, headers=None, timeout=30):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port,
                                                           timeout=timeout)) as connection:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())

    def get(self, path, **headers):
        return self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def submit(self, parcel):
        return self.ask("POST", "/submit", body=parcel)

    def size(self):
        return int(self.get("/checkpoint").body.split(b"\n")[1])

    def raw(self, octets, timeout=15, shut=True):
        """What comes back for these octets, until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as sock:
            sock.sendall(octets)
            if shut:
                sock.shutdown(socket.SHUT_WR)
            came = b""
            try:
                while piece := sock.recv(65536):
                    came += piece
            except ConnectionResetError:
                pass
            return came


def home_make(lindung, folder, policy=POLICY):
    """A new log by `lindung init`, whose root keys are ours."""
    start = folder / "start.policy"
    start.write_text(policy, encoding="utf-8")
    home = folder / "home"
    roots = [argument for key in ROOTS for argument in ("--root", key.verifier)]
    done = lindung("init", "--origin", ORIGIN, "--bare", "--needed", "2", *roots, "--policy", start, home)
    assert done.returncode == 0, done.stderr
    return home


class Witness:
    """A witness that checks nothing but the old size: for what the host makes of its answers."""

    def __init__(self, key, port):
        self.key, self.size = key, 0
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                head, _, checkpoint = body.partition("\n\n")
                old = int(head.split("\n")[0].removeprefix("old "))
                if old != witness.size:
                    self.answer(409, f"{witness.size}\n")
                    return
                text = checkpoint[:checkpoint.index("\n\n") + 1]
                witness.size = int(text.split("\n")[1])
                now = int(time.time())
                signed = f"cosignature/v1\ntime {now}\n{text}".encode()
                octets = witness.key.ident + now.to_bytes(8, "big") + witness.key.private.sign(signed)
                self.answer(200, f"\u2014 {witness.key.name} {base64.b64encode(octets).decode()}\n")

            def answer(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
