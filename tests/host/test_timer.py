# SPDX-License-Identifier: BSD-2-Clause
"""Lists of others as a machine keeps them: what lindung-subscribe.service and lindung-transfer@.service
run, word for word, while a server answers from what they make."""
import http.server
import shutil
import signal
import subprocess
import threading
import time

import dns.rcode
import pytest

import room
from ports import free_port
from serving import Server
from units import Unit

BETS = [f"bet{i:03}.example" for i in range(200)]
DRUGS = [f"drug{i:03}.example" for i in range(200)]


@pytest.fixture
def site():
    """A web server: site.lists["bets.txt"] are the names at /bets.txt; None: an error."""
    lists = {"bets.txt": BETS, "drugs.txt": DRUGS}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            names = lists.get(self.path[1:])
            body = "".join(name + "\n" for name in names or []).encode()
            self.send_response(200 if names is not None else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.lists = lists
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Machine:
    """Its folders /etc/lindung and /var/lib, in a folder of the test."""

    def __init__(self, lindung, build_dir, folder):
        self.lindung, self.build_dir, self.folder = lindung, build_dir, folder
        program = Unit(build_dir / "packaging" / "lindung.service").commands()[0][0]
        self.etc, self.var = folder / "etc", folder / "var"
        self.etc.mkdir()
        self.places = [(program, lindung.path), ("/etc/lindung", self.etc), ("/var/lib", self.var)]
        self.server = None

    def unit(self, name, instance=""):
        unit = Unit(self.build_dir / "packaging" / name, instance)
        for state in unit["StateDirectory"]:
            (self.var / state).mkdir(parents=True, exist_ok=True)
        return unit

    def wall(self, unit):
        """The unit's filter of system calls; a sanitizer makes calls of its own."""
        if "asan" in self.build_dir.name or shutil.which("systemd-analyze") is None:
            return None
        return unit.wall()

    def run(self, unit):
        return unit.run(self.places, preexec_fn=self.wall(unit))

    def serve(self, **lists):
        config = {"listen": [f"127.0.0.1@{free_port()}"], "list": lists, "threads": 1,
                  "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{free_port()}"],
                               "timeout-ms": 200},
                  "metrics": {"listen": f"127.0.0.1@{free_port()}"}}
        self.server = Server(self.lindung.path, config, self.etc / "lindung.yaml")
        self.server.says("ready")

    def is_closed(self, name):
        return self.server.query(name).rcode() == dns.rcode.NXDOMAIN

    def await_closed(self, name, closed=True):
        limit = time.monotonic() + 15
        while self.is_closed(name) != closed:
            assert time.monotonic() < limit, "\n".join([name, *self.server.lines])
            time.sleep(0.1)


@pytest.fixture
def machine(lindung, build_dir, tmp_path):
    made = Machine(lindung, build_dir, tmp_path)
    yield made
    if made.server is not None:
        made.server.process.send_signal(signal.SIGTERM)
        assert made.server.process.wait(20) == 0


def subscriptions(machine, root, site):
    """The example that is installed, with our two lists in place of its own."""
    head, tail = (root / "packaging" / "subscriptions.yaml").read_text(encoding="utf-8").split("lists:\n")
    entry = tail[tail.index("  - name:"):]
    url = f"http://127.0.0.1:{site.server_address[1]}"
    text = head + "lists:\n"
    for name, category in (("bets", "gambling"), ("drugs", "drugs")):
        mine = entry.replace("gambling-ee", name).replace("category: gambling", f"category: {category}")
        text += mine.replace("https://ncfailid.emta.ee/s/blacklist.txt", f"{url}/{name}.txt") \
            .replace("least: 500", "least: 50")
    assert text.count(url) == 2 and text.count("least: 50\n") == 2
    (machine.etc / "subscriptions.yaml").write_text(text, encoding="utf-8")


def due(machine):
    """All lists are due, as if a day had passed: asked for at once (--now), without the rest."""
    unit = machine.unit("lindung-subscribe.service")
    unit.settings["ExecStart"][0] = unit["ExecStart"][0].replace("--update", "--update --now")
    return unit


def test_two_lists_by_the_timer(machine, root, site):
    subscriptions(machine, root, site)
    unit = machine.unit("lindung-subscribe.service")
    image = machine.var / "lindung-lists" / "lists.ldx"
    # A machine that has no network yet: nothing is made, and the unit has failed.
    site.lists.update({"bets.txt": None, "drugs.txt": None})
    done, said = machine.run(unit)
    assert not done and not image.exists(), said
    site.lists.update({"bets.txt": BETS, "drugs.txt": DRUGS})
    done, said = machine.run(due(machine))
    assert done and image.exists(), said
    assert image.stat().st_mode & 0o044 == 0o044, "the resolver is another user"
    machine.serve(image=str(image))
    assert machine.is_closed("www.bet007.example") and machine.is_closed("drug007.example")
    assert not machine.is_closed("bet999.example")

    # News: the server takes it up by itself.
    site.lists["bets.txt"] = [*BETS, "bet999.example"]
    assert machine.run(unit)[0]  # not due: nobody is asked
    assert not machine.is_closed("bet999.example")
    done, said = machine.run(due(machine))
    assert done, said
    machine.await_closed("bet999.example")

    # One list fails, one has lost too much: the last good ones stay, what is new elsewhere comes.
    site.lists["bets.txt"] = BETS[:60]
    done, said = machine.run(due(machine))
    assert done and "shrinks" in said, said
    site.lists.update({"bets.txt": None, "drugs.txt": [*DRUGS, "drug999.example"]})
    done, said = machine.run(due(machine))
    assert done and "500" in said, said
    machine.await_closed("drug999.example")
    assert machine.is_closed("bet199.example") and machine.is_closed("bet999.example")

    # It cannot be read at all: the unit fails, the image stays.
    before = image.read_bytes()
    (machine.etc / "subscriptions.yaml").write_text("version: 1\nlists: [broken\n", encoding="utf-8")
    done, said = machine.run(due(machine))
    assert not done and "subscriptions.yaml" in said and image.read_bytes() == before
    assert machine.is_closed("bet007.example")


ZONE = """\
$ORIGIN rpz.example.
@ 60 SOA localhost. root.localhost. {serial} 1 1 3600 60
@ 60 NS localhost.
"""


def knot_start(folder, port, key):
    knotd = shutil.which("knotd", path="/usr/sbin:/usr/bin")
    if knotd is None:
        pytest.skip("knotd is not installed: apt-get install knot")
    config = folder / "knot.conf"
    config.write_text(f"""\
server:
  listen: 127.0.0.1@{port}
  rundir: {folder}
database:
  storage: {folder}
key:
  - id: k.example
    algorithm: hmac-sha256
    secret: {key}
acl:
  - id: us
    address: 127.0.0.1
    key: k.example
    action: transfer
zone:
  - domain: rpz.example
    storage: {folder}
    file: rpz.zone
    acl: us
    journal-content: none
""")
    return subprocess.Popen([knotd, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def zone_write(folder, serial, names):
    text = ZONE.format(serial=serial) + "".join(f"{name} 60 CNAME .\n" for name in names)
    (folder / "rpz.zone").write_text(text)


def test_a_zone_by_its_unit(machine, root, tmp_path):
    port, secret = free_port(), "a2V5IG9mIHRoZSB0ZXN0LCAzMiBvY3RldHMgbG9uZw=="
    knot = tmp_path / "knot"
    knot.mkdir()
    zone_write(knot, 1, ["bad.example", "*.bad.example"])
    key = machine.etc / "rpz.key"
    key.write_text(f'key "k.example" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n')
    key.chmod(0o600)
    # The example that is installed says which variables there are.
    example = (root / "packaging" / "transfer.env").read_text(encoding="utf-8")
    env = {"LINDUNG_TRANSFER_ZONE": f"rpz.example@127.0.0.1@{port}",
           "LINDUNG_TRANSFER_CATEGORY": "malware", "LINDUNG_TRANSFER_OPTIONS": f"--key {key}"}
    for name in env:
        assert f"#{name}=" in example
    unit = machine.unit("lindung-transfer@.service", "partner")
    command, = unit.commands(machine.places, env)
    (tmp_path / "base.txt").write_text("other.example\n")
    base = tmp_path / "base.ldx"
    assert machine.lindung("compile", "-q", "-o", base, "-c", "malware", tmp_path / "base.txt").returncode == 0
    overlay = machine.var / "lindung-transfer" / "partner.ldx"
    machine.serve(image=str(base), overlays=[str(overlay)])
    assert not machine.is_closed("bad.example")
    with knot_start(knot, port, secret) as primary:
        try:
            with subprocess.Popen(command, umask=unit.umask(), preexec_fn=machine.wall(unit)) as follower:
                try:
                    machine.await_closed("www.bad.example")
                    assert overlay.stat().st_mode & 0o044 == 0o044
                    assert machine.is_closed("other.example")
                    zone_write(knot, 2, ["worse.example", "*.worse.example"])
                    primary.send_signal(signal.SIGHUP)
                    machine.await_closed("worse.example")
                    machine.await_closed("bad.example", closed=False)
                finally:
                    follower.terminate()
            # Its file has changed and the zone has not: so has the overlay, once it is started again.
            command, = unit.commands(machine.places, {**env, "LINDUNG_TRANSFER_CATEGORY": "phishing"})
            with subprocess.Popen(command, umask=unit.umask(), preexec_fn=machine.wall(unit)) as follower:
                try:
                    limit = time.monotonic() + 15
                    while "phishing" not in machine.lindung("query", overlay, "worse.example").stdout:
                        assert time.monotonic() < limit
                        time.sleep(0.1)
                finally:
                    follower.terminate()
        finally:
            primary.terminate()


def test_a_host_by_its_unit(machine, lindung, tmp_path):
    """Its passphrase comes as a credential; what strangers see is the log."""
    home = machine.var / "lindung-host" / "home"
    unit = machine.unit("lindung-host.service")
    start = tmp_path / "start.policy"
    start.write_text(room.POLICY, encoding="utf-8")
    words = "four words of a passphrase\n"
    roots = [argument for key in room.ROOTS for argument in ("--root", key.verifier)]
    made = lindung("init", "--origin", room.ORIGIN, "--needed", "2", *roots, "--policy", start,
                   "--passphrase-fd", "0", home, stdin=words)
    assert made.returncode == 0, made.stderr
    name, source = unit["LoadCredential"][0].split(":")
    assert source.startswith("/etc/lindung/") and name == "passphrase"
    (tmp_path / name).write_text(words)
    port = free_port()
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path), "LINDUNG_HOST_OPTIONS": f"--listen 127.0.0.1@{port}"}
    command, = unit.commands(machine.places, env)
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True,
                          umask=unit.umask(), preexec_fn=machine.wall(unit)) as host:
        try:
            said = host.stderr.readline()
            while "listening on" not in said:
                line = host.stderr.readline()
                assert line, said
                said += line
            asked = subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/checkpoint"],
                                   capture_output=True, text=True, check=True)
            assert asked.stdout.startswith(f"{room.ORIGIN}\n")
        finally:
            host.terminate()
        assert host.wait(30) == 0
