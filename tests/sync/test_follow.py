# SPDX-License-Identifier: BSD-2-Clause
"""A server that follows a log (follow.url): from a statement to the answer, and what goes wrong."""
import os
import pathlib
import re
import signal
import subprocess
import time

import dns.message
import dns.rcode
import pytest

import log_room as rooms


def is_blocked(server, name):
    return server.query(name).rcode() == dns.rcode.NXDOMAIN


def wait_blocked(server, name, timeout_s=8, blocked=True):
    end = time.monotonic() + timeout_s
    while is_blocked(server, name) != blocked:
        assert time.monotonic() < end, server.lines
        time.sleep(0.01)


def wait_for(server, metric, value, timeout_s=8):
    end = time.monotonic() + timeout_s
    while server.metrics().get(metric) != value:
        assert time.monotonic() < end, server.lines
        time.sleep(0.05)


def sync_process(server):
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and \
                    (entry / "cmdline").read_bytes() == b"lindung: sync\0" and \
                    f"PPid:\t{server.process.pid}\n" in (entry / "status").read_text():
                return int(entry.name)
        except OSError:
            continue
    return None


def test_from_notify_to_blocked(room, web, follower, tmp_path):
    name, _ = room.list("hot.example", "adult", "one.example.com")
    server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), tmp_path / "state",
                      poll_s=3600)
    assert not is_blocked(server, "one.example.com")
    when = room.endorse("ngo.example", name)
    answer = rooms.notify(server.port)
    assert answer[2:4] == bytes([0xa4, 0x00])  # QR, NOTIFY, AA; NOERROR
    wait_blocked(server, "one.example.com")
    assert time.monotonic() - when / 1e9 < 3
    metrics = server.metrics()
    assert metrics["lindung_follow_statements"] == 5
    assert metrics["lindung_follow_news_total"] >= 1
    assert metrics["lindung_follow_checked_age_seconds"] < 10
    assert metrics["lindung_follow_max_age_seconds"] == 7 * 86400
    assert server.says("1 new statements, 5 in all; 1 entries changed")


def test_polling_alone_will_do(room, web, follower, tmp_path):
    server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), tmp_path / "state")
    name, _ = room.list("hot.example", "gambling", "one.example.com")
    wait_blocked(server, "one.example.com")
    room.do("withdraw", "hot.example", name)
    wait_blocked(server, "one.example.com", blocked=False)


def test_the_same_checkpoint_is_not_sent_again(room, web, follower, tmp_path):
    log = web(room.folder)
    follower(log.url, room.policy(tmp_path / "policy"), tmp_path / "state")
    time.sleep(3)
    asked = [headers for path, headers in log.asked if path == "checkpoint"]
    assert len(asked) >= 3 and all("If-None-Match" in headers for headers in asked[1:])
    assert log.bytes < 5000


@pytest.mark.parametrize("packet", [
    {"zone": "other.example"}, {"qtype": 1}, {"opcode": 5}, {"zone": "log.test.example.x"}])
def test_what_is_no_notify_of_the_log(room, web, follower, tmp_path, packet):
    server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), tmp_path / "state",
                      poll_s=3600)
    answer = rooms.notify(server.port, **packet)
    assert answer is None or answer[3] & 15 != 0
    assert server.metrics()["lindung_follow_news_total"] == 0


def test_notify_from_elsewhere_is_not_taken(room, web, follower, tmp_path):
    server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), tmp_path / "state",
                      poll_s=3600, more={"follow": {"notify-from": ["192.0.2.0/24"]}})
    assert rooms.notify(server.port)[3] & 15 != 0
    assert server.metrics()["lindung_follow_news_total"] == 0


def test_a_flood_of_notify_is_few_looks(room, web, follower, tmp_path):
    log = web(room.folder)
    server = follower(log.url, room.policy(tmp_path / "policy"), tmp_path / "state", poll_s=3600)
    before, begin = len(log.asked), time.monotonic()
    while time.monotonic() < begin + 2:
        rooms.notify(server.port)
    looks = len(log.asked) - before
    assert 1 <= looks <= 30, looks
    assert server.query("open.example").rcode() == dns.rcode.NOERROR


def test_without_a_network_the_last_good_list_is_in_force(room, web, follower, tmp_path):
    log, policy, state = web(room.folder), room.policy(tmp_path / "policy"), tmp_path / "state"
    room.list("hot.example", "gambling", "one.example.com")
    server = follower(log.url, policy, state)
    wait_blocked(server, "one.example.com")
    server.stop()
    url = log.url
    log.close()
    begin = time.monotonic()
    server = follower(url, policy, state)
    assert time.monotonic() - begin < 5
    assert is_blocked(server, "one.example.com")
    assert "stays" in server.says("Failed to connect")
    assert "seen by witnesses" in server.says("the list kept of 4 statements is in force")
    wait_for(server, 'lindung_follow_trouble{kind="network"}', 1)


def test_the_first_list_is_waited_for(room, web, follower, tmp_path):
    log = web(room.folder, lambda path, body: 503)
    room.list("hot.example", "gambling", "one.example.com")
    server = follower(log.url, room.policy(tmp_path / "policy"), tmp_path / "state", ready=False)
    server.says("the server answers 503")
    assert not any("ready" in line for line in server.lines)
    log.spoil = None
    server.says("ready")
    assert is_blocked(server, "one.example.com")


@pytest.mark.parametrize("what", ["rollback", "fork", "frozen", "damaged"])
def test_what_is_in_force_stays(build_dir, room, web, follower, tmp_path, what):
    log, twin = web(room.folder), rooms.Room(build_dir, tmp_path / "twin")
    old = (room.folder / "checkpoint").read_bytes()
    room.list("hot.example", "gambling", "one.example.com")
    server = follower(log.url, room.policy(tmp_path / "policy", max_age="1h"), tmp_path / "state")
    assert is_blocked(server, "one.example.com")
    if what == "rollback":
        log.spoil = lambda path, body: old if path == "checkpoint" else body
    elif what == "fork":
        twin.list("hot.example", "gambling", "two.example.com")
        log.folder = twin.folder
    elif what == "frozen":
        room.do("age", "7200")
        room.list("hot.example", "gambling", "two.example.com")
    else:
        log.spoil = lambda path, body: body.replace(b"two", b"six") if "entries" in path else body
        room.list("hot.example", "gambling", "two.example.com")
    wait_for(server, f'lindung_follow_trouble{{kind="{what}"}}', 1)
    line = server.says("what is in force stays")
    assert is_blocked(server, "one.example.com") and not is_blocked(server, "two.example.com"), line
    if what in ("rollback", "damaged"):
        log.spoil = None
        wait_for(server, f'lindung_follow_trouble{{kind="{what}"}}', 0, timeout_s=20)
    twin.close()


def test_sync_killed_is_started_again(room, web, follower, tmp_path):
    room.list("hot.example", "gambling", "one.example.com")
    server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), tmp_path / "state")
    for i in range(3):
        process = sync_process(server)
        os.kill(process, signal.SIGKILL)
        assert is_blocked(server, "one.example.com")
        room.list("hot.example", "gambling", f"new{i}.example.com")
        wait_blocked(server, f"new{i}.example.com", timeout_s=15)
        assert sync_process(server) not in (process, None)
    metrics = server.metrics()
    assert metrics['lindung_process_restarts_total{process="sync"}'] == 3
    assert metrics['lindung_process_restarts_total{process="resolver"}'] == 0


def test_beside_the_list_of_the_house(room, web, follower, lindung, tmp_path):
    """Both speak of a name; the house decides where both speak of the same category."""
    source, image = tmp_path / "own.txt", tmp_path / "own.ldx"
    source.write_text("# lindung list 1\nblock\tchat\tboth.example.com\town\n"
                      "block\tchat\town.example.com\town\n"
                      "allow\tgambling\topened.example.com\town\n"
                      "allow\tcsam\tlocked.example.com\town\n")
    done = lindung("compile", "-q", "--no-protected", "-o", image, "--format", "lindung", source)
    assert done.returncode == 0, done.stderr
    room.list("hot.example", "gambling", "both.example.com", "log.example.com",
              "opened.example.com")
    room.list("hot.example", "csam", "locked.example.com")
    server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), tmp_path / "state",
                      more={"list": {"image": str(image), "categories": ["gambling"]}})
    # The house's own list is in force while the log's is still fetched.
    wait_blocked(server, "both.example.com")   # by the log, though the house has it as chat
    assert is_blocked(server, "log.example.com")
    assert not is_blocked(server, "own.example.com")
    assert not is_blocked(server, "opened.example.com")
    # Categories that data/categories.yaml locks, the log's word opens alone.
    assert is_blocked(server, "locked.example.com")


def test_sealed_names_are_closed_and_lie_nowhere(room, web, follower, tmp_path):
    if subprocess.run(["which", "age-keygen"], capture_output=True, check=False).returncode:
        pytest.skip("age is not installed")
    key = tmp_path / "key"
    done = subprocess.run(["age-keygen", "-o", key], capture_output=True, text=True, check=True)
    recipient = re.search(r"age1\w+", done.stderr)[0]
    room.do("seal", "hot.example", "csam", recipient, "verysecret.example.com")
    policy, url = room.policy(tmp_path / "policy"), web(room.folder).url
    server = follower(url, policy, tmp_path / "state", more={"follow": {"keys": [str(key)]}})
    wait_blocked(server, "verysecret.example.com")
    for path in (tmp_path / "state").rglob("*"):
        assert not path.is_file() or b"verysecret" not in path.read_bytes(), path
    without = follower(url, policy, tmp_path / "without")
    assert not is_blocked(without, "verysecret.example.com")


def test_hosts_of_the_house_are_found(room, web, follower, tmp_path):
    log = web(room.folder)
    room.list("hot.example", "gambling", "one.example.com")
    server = follower(f"http://log.home.arpa:{log.port}/", room.policy(tmp_path / "policy"),
                      tmp_path / "state",
                      more={"local": {"names": ["log.home.arpa 127.0.0.1"]}})
    assert is_blocked(server, "one.example.com")
    assert log.asked[0][1]["Host"] == f"log.home.arpa:{log.port}"


def test_other_hosts_are_found_by_the_upstream(room, follower, upstream, tmp_path):
    """Not by way of the resolver, which has no list yet."""
    upstream.reply = dns.message.make_response  # it has no address
    server = follower("http://log.example.org:1/", room.policy(tmp_path / "policy"),
                      tmp_path / "state", ready=False)
    server.says("no address of it can be found")
    assert upstream.asked["log.example.org."] >= 2


@pytest.mark.parametrize("broken, line", [
    ({"policy": "/nonexistent"}, "/nonexistent"),
    ({"keys": ["/nonexistent.age"]}, "/nonexistent.age"),
    ({"url": "gopher://x/"}, "follow.url"),
    ({"ca-file": "/nonexistent.pem"}, "/nonexistent.pem"),
])
def test_what_cannot_work_is_told_at_the_start(room, follower, tmp_path, broken, line):
    policy = room.policy(tmp_path / "policy")
    server = follower("http://127.0.0.1:1/", policy, tmp_path / "state", ready=False,
                      more={"follow": broken})
    server.says(line)
    assert server.process.wait(timeout=10) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_full_disk_keeps_what_is_in_force(room, web, follower, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k,mode=777", "none", state],
                      check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        room.list("hot.example", "gambling", "one.example.com")
        server = follower(web(room.folder).url, room.policy(tmp_path / "policy"), state)
        assert is_blocked(server, "one.example.com")
        with (state / "filler").open("wb", buffering=0) as out:
            try:
                while True:
                    out.write(b"x" * 1024)
            except OSError:
                pass
        room.list("hot.example", "gambling", "two.example.com")
        server.says("No space left")
        assert is_blocked(server, "one.example.com")
        (state / "filler").unlink()
        wait_blocked(server, "two.example.com", timeout_s=15)
        server.stop()
    finally:
        subprocess.run(["umount", state], check=False)


def test_a_thread_that_hangs_is_found(room, web, follower, tmp_path):
    """Its process lives and listens; only what follows in it does not get on."""
    log = web(room.folder)
    room.list("hot.example", "gambling", "one.example.com")
    server = follower(log.url, room.policy(tmp_path / "policy"), tmp_path / "state", poll_s=3600,
                      more={"follow": {"hang-s": 5}})
    assert is_blocked(server, "one.example.com")
    first = sync_process(server)
    time.sleep(18)  # it waits, and that is no fault
    assert sync_process(server) == first
    log.spoil = lambda path, body: rooms.slow
    rooms.notify(server.port)
    server.says("sync: no sign of life", timeout_s=30)
    log.spoil = None
    room.list("hot.example", "gambling", "two.example.com")
    wait_blocked(server, "two.example.com")
    assert is_blocked(server, "one.example.com")
    assert sync_process(server) != first
    wait_for(server, 'lindung_process_restarts_total{process="sync"}', 1)


def test_a_block_that_is_nowhere_is_asked_for_less_and_less_often(room, web, follower, tmp_path):
    names = tmp_path / "names"
    names.write_text("".join(f"n{i}.example.com\n" for i in range(500)))
    room.block("hot.example", "gambling", names)
    server = web(room.folder, lambda path, body: None if path.startswith("block/") else body)
    follower(server.url, room.policy(tmp_path / "policy"), tmp_path / "state", poll_s=60)
    time.sleep(24)
    # After 5 seconds, and 10 more.
    assert sum(path == "checkpoint" for path, _ in server.asked) == 3
