# SPDX-License-Identifier: BSD-2-Clause
"""The processes of a server: who they are, and what happens when one of them dies."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import threading
import time

import dns.exception
import dns.rcode
import pytest

from serving import assert_answered, assert_blocked, ede

ROLES = ("resolver", "recursor")


def children(server):
    """The children by role, {"resolver": pid ...}: those that are not dying."""
    found = {}
    pid = server.process.pid
    with contextlib.suppress(FileNotFoundError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                title = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0].decode()
                if title.startswith("lindung: "):
                    found[title.removeprefix("lindung: ")] = int(child)
    return found


def is_gone(pid):
    """Neither running nor a zombie."""
    return not os.path.exists(f"/proc/{pid}")


def runs(pid):
    """Neither gone nor a zombie that nobody has asked about yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(check, timeout_s=5):
    """The seconds until `check` held."""
    start = time.monotonic()
    while not check():
        assert time.monotonic() - start < timeout_s, "it never came to that"
        time.sleep(0.01)
    return time.monotonic() - start


def seconds_until_blocked(server):
    """How long until a listed name is answered by its list: asked anew every 50 ms."""
    start = time.monotonic()
    while time.monotonic() - start < 10:
        with contextlib.suppress(dns.exception.Timeout, ConnectionError):
            assert_blocked(server.query("listed.example", timeout_s=0.05))
            return time.monotonic() - start
    raise AssertionError("listed names are not answered any more")


def seconds_until_answered(server, prefix):
    """How long until names on no list are answered; a new one each time, as failures are kept."""
    start, count = time.monotonic(), 0
    while time.monotonic() - start < 10:
        with contextlib.suppress(dns.exception.Timeout):
            reply = server.query(f"{prefix}{count}.unlisted.example", timeout_s=1)
            if reply.rcode() == dns.rcode.NOERROR:
                return time.monotonic() - start
        count += 1
        time.sleep(0.02)
    raise AssertionError("other names are not answered any more")


class Load:
    """Listed and unlisted names, asked by threads all the while."""

    def __init__(self, server):
        self.server, self.asked, self.open = server, 0, True
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(3)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        count = 0
        while self.open:
            count += 1
            with contextlib.suppress(dns.exception.Timeout, OSError, EOFError):
                self.server.query("listed.example", timeout_s=0.2)
                self.server.query(f"load{number}-{count}.example", timeout_s=0.2)
                self.asked += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False
        for thread in self.threads:
            thread.join()


def test_each_process_has_its_name(serve, config):
    server = serve(config)
    wait_until(lambda: set(children(server)) == set(ROLES))  # the loader ends
    for role, pid in children(server).items():
        assert pathlib.Path(f"/proc/{pid}/comm").read_text() == f"lindung: {role}"[:15] + "\n"


def status_of(pid):
    return dict(line.split(":\t", 1) for line in
                pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


@pytest.mark.parametrize("again", [False, True])
def test_walls_stand_around_each_process(serve, config, again):
    """What the walls keep out: src/process/wall_test.c.  Also of one that was started again."""
    server = serve(config)
    if any("sanitizer" in line for line in server.lines):
        pytest.skip("a build with a sanitizer has no walls")
    if again:
        pids = children(server)
        for role in ROLES:
            os.kill(pids[role], signal.SIGKILL)
        wait_until(lambda: set(children(server)) == set(ROLES))
        assert seconds_until_answered(server, "again") < 2
        seconds_until_blocked(server)
    for pid in (server.process.pid, *children(server).values()):
        status = status_of(pid)
        assert status["Seccomp"] == "2"
        assert status["NoNewPrivs"] == "1"
        if pid != server.process.pid or os.geteuid() != 0:
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
            assert "0" not in status["Uid"].split()
    for pid in children(server).values():
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)


@pytest.mark.parametrize("role", ROLES)
def test_killed_under_load_it_is_started_again(serve, config, role):
    server = serve(config)
    assert_answered(server.query("kept.unlisted.example"))
    with Load(server):
        time.sleep(0.3)
        pid = children(server)[role]
        os.kill(pid, signal.SIGKILL)
        assert seconds_until_blocked(server) < 1
        assert seconds_until_answered(server, "after") < 2
    line = server.says(f"{role}: process {pid} ended by signal 9 (Killed)")
    assert "starting it again in 100 ms" in line
    assert set(children(server)) == set(ROLES)
    assert children(server)[role] != pid
    assert is_gone(pid)
    assert_answered(server.query("kept.unlisted.example", tcp=True))
    assert server.metrics()[f'lindung_process_restarts_total{{process="{role}"}}'] == 1


def test_without_the_recursor_listed_and_cached_names_are_answered(serve, config):
    config["upstream"]["timeout-ms"] = 10000
    server = serve(config)
    assert_answered(server.query("kept.unlisted.example"))
    # What is asked when it dies is told so at once.
    waits = []
    thread = threading.Thread(
        target=lambda: waits.append((server.query("silent-1.example"), time.monotonic())))
    thread.start()
    time.sleep(0.2)
    # It dies again and again, so that there is a pause long enough to look at.
    for _ in range(3):
        wait_until(lambda: "recursor" in children(server))
        os.kill(children(server)["recursor"], signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: "recursor" not in children(server))
    thread.join()
    reply, when = waits[0]
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] in (22, 23)
    assert when < killed + 1
    start = time.monotonic()
    assert_blocked(server.query("listed.example"))
    assert_blocked(server.query("www.listed.example", tcp=True))
    reply = server.query("new.unlisted.example")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert ede(reply)[0] in (22, 23)
    assert server.metrics()["lindung_recursor_up"] == 0
    assert time.monotonic() - start < 0.3
    assert seconds_until_answered(server, "again") < 2
    wait_until(lambda: server.metrics()["lindung_recursor_up"] == 1)


def test_back_off_grows(serve, config):
    server = serve(config)
    pauses = []
    for _ in range(4):
        wait_until(lambda: "recursor" in children(server))
        lines = len(server.lines)
        os.kill(children(server)["recursor"], signal.SIGKILL)
        line = server.says("starting it again", after=lines)
        pauses.append(int(re.search(r"in (\d+) ms", line)[1]))
    assert pauses == [100, 200, 400, 800]


def test_killed_parent_leaves_no_orphan(serve, config):
    server = serve(config)
    pids = children(server).values()
    server.kill(signal.SIGKILL)
    assert wait_until(lambda: not any(runs(pid) for pid in pids)) < 1
    server.process.wait()
    # Its port is free for the next.
    assert_blocked(serve(config).query("listed.example"))


def test_children_leave_signals_to_the_parent(serve, config):
    """Ctrl-C goes to all processes of a terminal, and systemd's SIGTERM to all of a service."""
    server = serve(config)
    pids = children(server)
    for pid in pids.values():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            os.kill(pid, number)
    time.sleep(0.2)
    assert children(server) == pids
    assert_blocked(server.query("listed.example"))
    assert server.stop(signal.SIGINT) < 1
    assert all(is_gone(pid) for pid in pids.values())


def test_the_list_in_force_survives_the_resolver(serve, config, image, compile_image):
    """Also when the files have been broken since."""
    server = serve(config)
    compile_image(image, ["listed.example", "new.example"])
    server.says("now in force: 2 names")
    image.write_bytes(b"no index")
    server.says("stays in force")
    os.kill(children(server)["resolver"], signal.SIGKILL)
    assert seconds_until_blocked(server) < 1
    assert_blocked(server.query("new.example"))
    assert server.metrics()["lindung_list_load_failures_total"] >= 1


def test_connections_wait_for_the_new_resolver(serve, config):
    """The sockets stay open: what is asked meanwhile is answered, not refused."""
    server = serve(config)
    os.kill(children(server)["resolver"], signal.SIGKILL)
    assert_blocked(server.query("listed.example", tcp=True))
    assert_blocked(server.query("listed.example", timeout_s=2))


def test_resolver_that_hangs_is_ended(serve, config):
    """No sign of life for ten seconds: it is killed, and started again."""
    server = serve(config)
    os.kill(children(server)["resolver"], signal.SIGSTOP)
    server.says("resolver: no sign of life", timeout_s=16)
    assert seconds_until_blocked(server) < 1


def test_systemd_is_told_as_long_as_threads_answer(serve, config, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        server = serve(config, env={"NOTIFY_SOCKET": str(tmp_path / "notify"),
                                    "WATCHDOG_USEC": "1000000"})
        notify.settimeout(2)
        assert notify.recv(100) == b"READY=1"
        for _ in range(3):
            start = time.monotonic()
            assert notify.recv(100) == b"WATCHDOG=1"
            assert time.monotonic() - start < 0.9
        os.kill(children(server)["resolver"], signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            for _ in range(3):  # one may be on its way
                notify.recv(100)
        os.kill(children(server)["resolver"], signal.SIGCONT)
        assert notify.recv(100) == b"WATCHDOG=1"
