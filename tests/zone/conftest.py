# SPDX-License-Identifier: BSD-2-Clause
"""A primary, ours, whose list is changed by overlays, and what is needed to follow it."""
import base64
import collections
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from ports import free_port  # noqa: E402
import secondaries  # noqa: E402

# The class of tests/serve, whose module has the same name as this one.
spec = importlib.util.spec_from_file_location("serve_conftest", HERE.parent / "serve" / "conftest.py")
serve_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serve_conftest)

spec = importlib.util.spec_from_file_location("tls_room", HERE.parent / "serve" / "tls_room.py")
tls_room = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tls_room)

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
        self.server = serve_conftest.Server(self.lindung.path, self.config,
                                            self.folder / "lindung.yaml")
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


@pytest.fixture
def key(tmp_path):
    return make_key(tmp_path, "follower.example")


@pytest.fixture
def primary(lindung, tmp_path):
    """primary(count, long=names of 80 octets, zone options): started."""
    made = []

    def start(count=300, **options):
        started = Primary(lindung, tmp_path / f"primary-{len(made)}", count, **options).start()
        made.append(started)
        return started

    yield start
    for each in made:
        each.stop()


@pytest.fixture(scope="session")
def upstream_port():
    """A server that knows every name."""
    port = free_port()
    process = subprocess.Popen([sys.executable, secondaries.servers.__file__, str(port)],
                               stdout=subprocess.PIPE)
    process.stdout.readline()
    yield port
    process.kill()
    process.wait()
