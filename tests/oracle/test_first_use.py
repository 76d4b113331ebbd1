# SPDX-License-Identifier: BSD-2-Clause
"""What a person sees first: a fresh clone, `make run`, a look-up, Ctrl-C.

Only with LINDUNG_CLEAN=1, as it builds everything.  It runs where the machine allows it in a network
namespace that has loopback alone: as on a machine without a network, and with port 5354 free.  The
Debian packages must be there already.
"""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD_S = 20 * 60
PYTHON = "/usr/bin/python3"

pytestmark = pytest.mark.skipif(os.environ.get("LINDUNG_CLEAN") != "1",
                                reason="LINDUNG_CLEAN is not 1: to build a clean clone takes minutes")

# "NAME ..." -> a line "rcode EDE" for each; EDE -1: none.
ASK = """
import sys
import dns.message, dns.query
for name in sys.argv[1:]:
    query = dns.message.make_query(name, "A", use_edns=0)
    reply = dns.query.udp(query, "127.0.0.1", port=5354, timeout=20)
    codes = [int.from_bytes(option.to_wire()[:2], "big") for option in reply.options if option.otype == 15]
    print(reply.rcode(), codes[0] if codes else -1)
"""
NXDOMAIN, SERVFAIL = 3, 2


def without_network():
    """A command that runs another without a network; [] where that is not allowed."""
    command = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    done = subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return command if done.returncode == 0 else []


class Terminal:
    """A command in the clone, and what it says; Ctrl-C reaches all its processes."""

    def __init__(self, clone, command, prefix):
        self.log = clone.parent / "log"
        self.prefix = prefix
        script = ("ip link set lo up && " if prefix else "") + f"exec {command}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*prefix, "sh", "-c", script], cwd=clone, stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            start_new_session=True)

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, part, timeout_s):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and self.process.poll() is None:
            if part in self.text():
                return
            time.sleep(0.2)
        raise AssertionError(f"it does not say {part!r}:\n" + self.text()[-3000:])

    def beside(self, *command, **options):
        """Run a command in the same network."""
        enter = ["nsenter", "--net", "--target", str(self.process.pid)]
        if self.prefix and os.geteuid() != 0:
            enter[1:1] = ["--user", "--preserve-credentials"]
        return subprocess.run([*(enter if self.prefix else []), *command], capture_output=True, text=True,
                              check=False, timeout=120, **options)

    def ask(self, *names):
        done = self.beside(PYTHON, "-c", ASK, *names)
        assert done.returncode == 0, done.stderr
        return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]

    def control_c(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def clone(tmp_path):
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


@pytest.fixture
def start(clone):
    terminals = []
    prefix = without_network()

    def run(command):
        terminals.append(Terminal(clone, command, prefix))
        return terminals[-1]

    yield run
    for terminal in terminals:
        terminal.end()


def test_first_use(clone, start, show):
    begin = time.monotonic()
    terminal = start("make run")
    terminal.wait_for("ready", BUILD_S)
    took_s = time.monotonic() - begin
    listed, child, unlisted = re.findall(r"dig @127\.0\.0\.1 -p 5354 (\S+)", terminal.text())
    assert child == "www." + listed
    answers = terminal.ask(listed, child, unlisted)
    assert answers[:2] == [(NXDOMAIN, 17)] * 2
    if terminal.prefix:
        assert answers[2][0] == SERVFAIL and answers[2][1] in (22, 23), answers
    else:  # whatever network there is
        assert answers[2] == (0, -1) or answers[2][0] == SERVFAIL and answers[2][1] in (22, 23), answers
    assert terminal.ask(listed) == [(NXDOMAIN, 17)]

    second = terminal.beside("make", "run", cwd=clone)
    assert second.returncode != 0
    complaints = [line for line in second.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(complaints) == 1 and "5354" in complaints[0] and "use" in complaints[0], second.stderr

    assert terminal.ask(listed) == [(NXDOMAIN, 17)]
    terminal.control_c()
    assert "Error" not in terminal.text()  # make's own word for a command that failed

    # Once more without make, which ends itself by the signal: the program's own exit status.
    again = start("tools/run")
    again.wait_for("ready", 120)
    assert again.control_c() == 0
    show([f"make run in a clean clone{', without a network' if terminal.prefix else ''}: ready after "
          f"{took_s:.0f} s", f"{listed}, {child}, {unlisted}: rcode and EDE {answers}",
          f"a second start: {complaints[0]}"])
