# SPDX-License-Identifier: BSD-2-Clause
"""A log with its operator and parties in a temporary directory, for tests that use the programs.

Keys come from their names: everything but sealed blocks comes out alike each time.
"""
import base64
import functools
import hashlib
import http.server
import re
import struct
import subprocess
import threading

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "log.test.example"
START = "2026-11-02T08:00:00Z"

POLICY = """\
popular   none
operator  house.example
group     helpers  any kind:hotline kind:ngo kind:police
group     two      2   kind:hotline kind:ngo kind:ministry kind:police kind:isp
group     state    any kind:ministry kind:police
group     judges   2   kind:ministry kind:hotline kind:ngo
upholder  judges

category gambling
  agree    two
  lives    365d
  suspend  2 two
  uphold   judges
  clock    14d
  sealed   allowed
category phishing
  agree    helpers
  lives    30d
  suspend  2 two
  uphold   judges
  clock    7d
  sealed   refused
category csam
  agree    two
  lives    365d
  suspend  never
  uphold   judges
  clock    14d
  sealed   required
category *
  agree    two
  lives    365d
  suspend  2 two
  uphold   judges
  clock    14d
  sealed   allowed
"""

PARTIES = {
    "hotline.example": ("Hotline of Examples", "hotline", "ID"),
    "ngo.example": ("Examples for Children", "ngo", "TH"),
    "ministry.example": ("Ministry of Examples", "ministry", "PH"),
    "isp.example": ("Example Telecom", "isp", "MY"),
    "house.example": ("House of the Log", "ngo", "INT"),
}


class Key:
    """An Ed25519 key made from a word."""

    def __init__(self, name, word=None, kind=1):
        self.name = name
        self.seed = hashlib.sha256(f"lindung test {word or name}".encode()).digest()
        self.private = Ed25519PrivateKey.from_private_bytes(self.seed)
        public = self.private.public_key().public_bytes(serialization.Encoding.Raw,
                                                        serialization.PublicFormat.Raw)
        typed = bytes([kind]) + public
        self.id = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
        self.verifier = f"{name}+{self.id.hex()}+{base64.b64encode(typed).decode()}"

    def save(self, path):
        """Write a key file without a passphrase."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"lindung key 1\nkey: {self.verifier}\nencryption: none\n"
                        f"secret: {base64.b64encode(self.seed).decode()}\n", encoding="ascii")

    def line(self, text):
        """The signature line under a note with this text."""
        signature = self.id + self.private.sign(text)
        return f"\u2014 {self.name} {base64.b64encode(signature).decode()}\n".encode()

    def cosign(self, text, seconds):
        """The line of a witness under a checkpoint with this text (C2SP tlog-cosignature)."""
        signed = f"cosignature/v1\ntime {seconds}\n".encode() + text
        signature = self.id + struct.pack(">Q", seconds) + self.private.sign(signed)
        return f"\u2014 {self.name} {base64.b64encode(signature).decode()}\n".encode()

    def sign(self, text):
        """The signed note."""
        return text + b"\n" + self.line(text)


class House:
    """The log in DIR/house, and the homes of parties in DIR/PARTY."""

    def __init__(self, lindung, folder, policy=POLICY, parties=tuple(PARTIES), start=START):
        self.lindung, self.folder, self.start = lindung, folder, start
        self.home = folder / "house"
        self.log = self.home / "log"
        self.roots = [Key(f"root-{i}.test.example") for i in (1, 2, 3)]
        self.log_key = Key(ORIGIN)
        self.log_key.save(folder / "log.key")
        for i, root in enumerate(self.roots):
            root.save(folder / "roots" / "keys" / f"root-{i + 1}.key")
        (folder / "base.policy").write_text(policy, encoding="utf-8")
        self.run("init", "--origin", ORIGIN, "--log-key", folder / "log.key", "--policy",
                 folder / "base.policy", *(f"--root={root.verifier}" for root in self.roots),
                 self.home)
        self.settle(folder / "roots")
        self.keys = {}
        for party in parties:
            self.join(party)

    def settle(self, home):
        """Give a home the policy, and where the log is."""
        home.mkdir(parents=True, exist_ok=True)
        (home / "policy").write_bytes((self.home / "policy").read_bytes())
        (home / "log.url").write_text(f"{self.home}\n", encoding="utf-8")

    def run(self, *arguments, check=True, **more):
        """Run lindung; with `check` it must succeed.  Returns what it printed."""
        result = self.lindung(*arguments, **more)
        if check:
            assert result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}"
        return result

    def join(self, party, at=None, word=None, expires="2028-01-01", submit=True, **more):
        """A key, a home, and a party-add signed by two root keys."""
        name, kind, country = PARTIES.get(party, (party, "ngo", "INT"))
        key = self.keys[party] = Key(party, word)
        home = self.folder / party
        key.save(home / "keys" / "own.key")
        self.settle(home)
        if not submit:
            return None
        return self.run("party", "add", "--home", self.folder / "roots", "-k", "root-1", "-k",
                        "root-2", "--name", name, "--kind", kind, "--country", country,
                        "--party-key", key.verifier, "-j", "INT", "-b", "agreement of 2026", "-e",
                        expires, "--yes", "--submit", "--at", at or self.start, **more)

    def revoke(self, party, at, since, **more):
        """Two root keys end a party."""
        return self.run("party", "revoke", "--home", self.folder / "roots", "-k", "root-1", "-k",
                        "root-2", "-j", "INT", "-b", "agreement of 2026", "--from", since, "--yes",
                        "--submit", "--at", at, party, **more)

    def say(self, party, action, *arguments, at=None, submit=True, **more):
        """A party says something, and hands it in.  Returns the statement's id, or, where it may
        fail, the result."""
        ground = ["-j", "INT", "-b", "agreement of 2026"] if action != "appeal" else []
        result = self.run(action, "--home", self.folder / party, *ground, *arguments, "--yes",
                          *(["--submit"] if submit else []), "--at", at or self.start, **more)
        if more.get("check") is False:
            return result
        return re.search(r"^Id: ([0-9a-f]{64})$", result.stdout, re.MULTILINE).group(1)

    def list(self, party, category, *entries, at=None, expires="2027-06-01", **more):
        """A party lists entries."""
        return self.say(party, "list", "-c", category, "-e", expires, *entries, at=at, **more)

    def endorse(self, party, statement, at=None, expires="2027-06-01", **more):
        """A party agrees with a statement."""
        return self.say(party, "endorse", "-e", expires, statement, at=at, **more)

    def why(self, name, at=None, home=None, check=True, **more):
        """What `lindung why` prints."""
        return self.run("why", "--home", home or self.home, "--at", at or self.start, name,
                        check=check, **more).stdout

    def audit(self, at=None, home=None, check=True, **more):
        """The outcome of `lindung audit`."""
        return self.run("audit", "--home", home or self.home, "--at", at or self.start,
                        check=check, **more)

    def submit(self, path, at=None, check=False):
        """Hand a file in, into the directory of the log."""
        return self.run("submit", "--at", at or self.start, path, self.home, check=check)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server that knows nothing of logs."""

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing."""


class Web:
    """Serves a folder on 127.0.0.1 until the block ends; `folder` may be set anew."""

    def __init__(self, folder):
        self.folder = folder
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def handler(self, *arguments):
        """What the server makes for each connection."""
        return functools.partial(Quiet, directory=str(self.folder))(*arguments)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def age_keygen(path):
    """Write a secret age key; returns its recipient."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    return re.search(r"age1[0-9a-z]+", path.read_text(encoding="ascii")).group(0)
