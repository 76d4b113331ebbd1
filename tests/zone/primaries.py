# SPDX-License-Identifier: BSD-2-Clause
"""A primary, ours, whose list is changed by overlays, and keys of TSIG."""
import base64
import collections
import os
import time

from ports import free_port
from serving import Server

Key = collections.namedtuple("Key", "name secret path")


def make_key(folder, name):
    """A key of TSIG, in a file that others cannot read."""
    secret = base64.b64encode(os.urandom(32)).decode()
    path = folder / f"{name}.key"
    path.write_text(f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n')
    path.chmod(0o600)
    return Key(name, secret, path)


class Primary:
    """`lindung serve` with zones, a list of `count` names in two categories, and an overlay."""

    def __init__(self, lindung, folder, count, long=False, tls=None, **zone):
        self.lindung, self.folder = lindung, folder
        self.names = [f"{f'n{i}':-<62}x.closed{i % 97}.example" if long
                      else f"n{i}.closed{i % 97}.example" for i in range(count)]
        folder.mkdir(exist_ok=True)
        for category, part in (("adult", self.names[::2]), ("gambling", self.names[1::2])):
            (folder / f"{category}.txt").write_text("".join(name + "\n" for name in part))
        self.compile("-o", folder / "list.ldx", "-c", "adult", folder / "adult.txt",
                     "-c", "gambling", folder / "gambling.txt")
        self.port = free_port()
        self.config = {
            "listen": [f"127.0.0.1@{self.port}"],
            "threads": 2,
            "list": {"image": str(folder / "list.ldx"), "overlays": [str(folder / "over.ldx")]},
            "upstream": {"mode": "forward", "servers": ["127.0.0.1@9"], "timeout-ms": 500},
            "metrics": {"listen": f"127.0.0.1@{free_port()}"},
            "zone": zone,
        }
        if tls is not None:
            self.config["tls"] = tls
        self.changes = {}
        self.server = None

    def compile(self, *arguments):
        done = self.lindung("compile", "-q", "--no-protected", *arguments)
        assert done.returncode == 0, done.stderr

    def start(self):
        self.server = Server(self.lindung.path, self.config, self.folder / "lindung.yaml")
        self.server.says("ready", timeout_s=60)
        return self

    def change(self, **changes):
        """change(**{"name.example": "block adult"}): laid over what was changed before."""
        self.changes.update(changes)
        lines = ["# lindung list 1\n"]
        for name, what in self.changes.items():
            action, category = what.split() if " " in what else (what, "*")
            lines.append(f"{action}\t{category}\t{name}\ttest\n")
        (self.folder / "over.list").write_text("".join(lines))
        self.compile("--overlay", "-o", self.folder / "over.new", "-f", "lindung",
                     self.folder / "over.list")
        (self.folder / "over.new").rename(self.folder / "over.ldx")

    def metric(self, name):
        return self.server.metrics()[name]

    def await_metric(self, name, value, timeout_s=120):
        end = time.monotonic() + timeout_s
        while self.metric(name) < value:
            assert time.monotonic() < end, (name, self.metric(name), value)
            time.sleep(0.05)

    def await_zones(self):
        self.await_metric("lindung_zones", 1, 120)

    def stop(self):
        if self.server is not None:
            self.server.stop()
