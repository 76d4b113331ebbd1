# SPDX-License-Identifier: BSD-2-Clause
"""Following a log by `lindung sync`: honest servers, and others."""
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

import log_room as rooms


def blocked(lindung, image, *names):
    done = lindung("query", image, *names)
    return {line.split()[1]: line.split()[0] == "blocked" for line in done.stdout.splitlines()}


def test_what_is_agreed_is_in_effect(room, web, sync, lindung, tmp_path):
    policy, state, image = room.policy(tmp_path / "policy"), tmp_path / "state", tmp_path / "image"
    room.list("hot.example", "gambling", "one.example.com", "=two.example.com")
    name, _ = room.list("hot.example", "adult", "three.example.com")
    server = web(room.folder)
    status, said, _ = sync(server.url, policy, state, "-o", image)
    assert (status, said["statements"], said["new"]) == (0, 5, 5)
    names = ("one.example.com", "x.one.example.com", "two.example.com", "x.two.example.com",
             "three.example.com")
    assert list(blocked(lindung, image, *names).values()) == [True, True, True, False, False]
    room.endorse("ngo.example", name)
    status, said, _ = sync(server.url, policy, state, "-o", image)
    assert (status, said["statements"], said["new"]) == (0, 6, 1)
    assert blocked(lindung, image, "three.example.com")["three.example.com"]
    # Only what is new was fetched: the rest of a bundle that is had already.
    path, headers = server.asked[-1]
    assert path == "tile/entries/000.p/6" and headers["Range"].startswith("bytes=")


def test_two_followers_have_the_same_image(room, web, sync, tmp_path):
    policy, server = room.policy(tmp_path / "policy"), web(room.folder)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    for i in range(20):
        room.list("hot.example", "gambling", f"a{i}.example.com", f"b{i}.example.net")
        if i % 5 == 0:
            sync(server.url, policy, tmp_path / "often")
    images = tmp_path / "one", tmp_path / "two"
    assert sync(server.url, policy, tmp_path / "often", "-o", images[0], "--at", at)[0] == 0
    assert sync(server.url, policy, tmp_path / "once", "-o", images[1], "--at", at)[0] == 0
    assert images[0].read_bytes() == images[1].read_bytes()


def test_blocks(room, web, sync, lindung, tmp_path):
    names = tmp_path / "names"
    names.write_text("".join(f"n{i}.example.com\n" for i in range(5000)))
    room.block("hot.example", "gambling", names)
    server, image = web(room.folder), tmp_path / "image"
    policy = room.policy(tmp_path / "policy")
    assert sync(server.url, policy, tmp_path / "state", "-o", image)[0] == 0
    assert all(blocked(lindung, image, "n0.example.com", "n4999.example.com").values())


def test_a_block_with_another_hash_is_named_and_the_rest_is_taken(room, web, sync, lindung,
                                                                  tmp_path):
    names = tmp_path / "names"
    names.write_text("".join(f"n{i}.example.com\n" for i in range(500)))
    room.list("hot.example", "gambling", "one.example.com")
    room.block("hot.example", "gambling", names)
    server = web(room.folder, lambda path, body:
                 body[:-1] + b"?" if path.startswith("block/") else body)
    policy, image = room.policy(tmp_path / "policy"), tmp_path / "image"
    status, said, err = sync(server.url, policy, tmp_path / "state", "-o", image)
    assert status == 1 and "another hash" in err
    assert blocked(lindung, image, "one.example.com", "n0.example.com") == {
        "one.example.com": True, "n0.example.com": False}
    server.spoil = None
    assert sync(server.url, policy, tmp_path / "state", "-o", image)[0] == 0
    assert blocked(lindung, image, "n0.example.com")["n0.example.com"]


def test_a_bomb_is_no_block(room, web, sync, lindung, tmp_path):
    """A gigabyte of the same octet in some kilobytes, of the right hash."""
    names = tmp_path / "names"
    names.write_text("".join(f"n{i}.example.com\n" for i in range(500)))
    room.list("hot.example", "gambling", "one.example.com")
    room.block("hot.example", "gambling", names)
    bomb = subprocess.run("head -c 1000000000 /dev/zero | zstd -19 -q", shell=True, check=True,
                          capture_output=True).stdout
    server = web(room.folder, lambda path, body: bomb if path.startswith("block/") else body)
    policy, image = room.policy(tmp_path / "policy"), tmp_path / "image"
    begin = time.monotonic()
    status, _, err = sync(server.url, policy, tmp_path / "state", "-o", image)
    assert status == 1 and "another hash" in err and time.monotonic() - begin < 20
    assert blocked(lindung, image, "one.example.com")["one.example.com"]


def clock_steps(build_dir, policy, state, url, image, *seconds):
    """The error of a step at each time, so many seconds from now."""
    done = subprocess.run([build_dir / "src/process/follow_clock", policy, state, url, image,
                           *map(str, seconds)], capture_output=True, text=True, timeout=60, check=True)
    return [int(line) for line in done.stdout.split()]


YEAR_S = 365 * 86400


def test_a_clock_before_the_log_opens_nothing(build_dir, room, web, sync, lindung, tmp_path):
    """A machine without a battery starts years ago: what witnesses saw was not before they did."""
    policy, state, image = room.policy(tmp_path / "policy"), tmp_path / "state", tmp_path / "image"
    old = tmp_path / "old"
    shutil.copytree(room.folder, old)
    room.list("hot.example", "gambling", "one.example.com")
    server = web(room.folder)
    assert sync(server.url, policy, state)[0] == 0
    assert clock_steps(build_dir, policy, state, server.url, image, -20 * YEAR_S, 0)[1] == 0
    for step in ("1", "2"):
        assert blocked(lindung, f"{image}-{step}", "one.example.com")["one.example.com"], step
    # Nor is it forgotten what was seen.
    clock_steps(build_dir, policy, state, server.url, image, -20 * YEAR_S)
    status, _, err = sync(web(old).url, policy, state)
    assert status == 1 and "rollback" in err


def test_a_clock_that_was_ahead_and_is_right_again(build_dir, room, web, sync, lindung, tmp_path):
    policy, state, image = room.policy(tmp_path / "policy"), tmp_path / "state", tmp_path / "image"
    room.list("hot.example", "gambling", "one.example.com")
    server = web(room.folder)
    assert sync(server.url, policy, state)[0] == 0
    clock_steps(build_dir, policy, state, server.url, image, 0, 2 * YEAR_S, 0)
    assert [blocked(lindung, f"{image}-{step}", "one.example.com")["one.example.com"]
            for step in (1, 2, 3)] == [True, False, True]


def spoilt_twins(build_dir, room, tmp_path):
    """Another log with the same key and another history, as long or longer."""
    twin = rooms.Room(build_dir, tmp_path / "twin")
    room.list("hot.example", "gambling", "one.example.com")
    twin.list("hot.example", "gambling", "other.example.com")
    return twin


def test_rollback(build_dir, room, web, sync, tmp_path):
    policy, state = room.policy(tmp_path / "policy"), tmp_path / "state"
    old = tmp_path / "old"
    room.list("hot.example", "gambling", "one.example.com")
    shutil.copytree(room.folder, old)
    room.list("hot.example", "gambling", "two.example.com")
    assert sync(web(room.folder).url, policy, state)[0] == 0
    before = (state / "state").read_bytes()
    status, said, err = sync(web(old).url, policy, state)
    assert status == 1 and "rollback" in err
    assert said["outcome"] == "the log is older than what was seen of it before"
    assert said["statements"] == 5
    assert checkpoint_of(before) == checkpoint_of((state / "state").read_bytes())


def checkpoint_of(state):
    return state[state.index(b"checkpoint\n"):]


@pytest.mark.parametrize("longer", [0, 3, 260])
def test_fork(build_dir, room, web, sync, tmp_path, longer):
    policy, state = room.policy(tmp_path / "policy"), tmp_path / "state"
    twin = spoilt_twins(build_dir, room, tmp_path)
    for i in range(longer):
        twin.list("hot.example", "gambling", f"more{i}.example.com")
    assert sync(web(room.folder).url, policy, state)[0] == 0
    before = (state / "state").read_bytes()
    status, said, err = sync(web(twin.folder).url, policy, state)
    twin.close()
    assert status == 1 and "fork" in err, err
    assert said["outcome"] == "the log shows two histories"
    assert said["statements"] == 4
    assert checkpoint_of(before) == checkpoint_of((state / "state").read_bytes())
    assert (state / "fork").read_bytes() == (room.folder / "checkpoint").read_bytes() + b"\n" + \
        (tmp_path / "twin/checkpoint").read_bytes()


def test_a_mirror_with_other_entries_is_no_fork(room, web, sync, tmp_path):
    policy, state = room.policy(tmp_path / "policy"), tmp_path / "state"
    server = web(room.folder)
    assert sync(server.url, policy, state)[0] == 0
    room.list("hot.example", "gambling", "one.example.com")
    server.spoil = lambda path, body: body.replace(b"one.ex", b"two.ex") \
        if path.startswith("tile/entries/") else body
    status, said, err = sync(server.url, policy, state)
    assert status == 1 and "mirror is wrong" in err
    assert said["statements"] == 3
    server.spoil = None
    assert sync(server.url, policy, state)[1]["statements"] == 4


def test_frozen(room, web, sync, tmp_path):
    policy, state = room.policy(tmp_path / "policy", max_age="2h"), tmp_path / "state"
    server = web(room.folder)
    assert sync(server.url, policy, state)[0] == 0
    room.do("age", "10000")
    room.list("hot.example", "gambling", "one.example.com")
    status, said, err = sync(server.url, policy, state)
    assert status == 1, err
    assert said["outcome"] == "the log has not been seen to move for too long"
    assert said["statements"] == 3
    room.do("age", "0")
    room.do("refresh")
    assert sync(server.url, policy, state)[1]["statements"] == 4


def test_without_the_witness_nothing_is_believed(room, web, sync, tmp_path):
    policy = room.policy(tmp_path / "policy")
    server = web(room.folder, lambda path, body: b"\n".join(
        line for line in body.split(b"\n") if b"witness" not in line)
        if path == "checkpoint" else body)
    status, said, _ = sync(server.url, policy, tmp_path / "state")
    assert (status, said["outcome"]) == (1, "too few witnesses have signed")
    server.spoil = lambda path, body: body.replace(b"log.test.example\n3", b"log.test.example\n4") \
        if path == "checkpoint" else body
    status, said, _ = sync(server.url, policy, tmp_path / "state")
    assert (status, said["outcome"]) == (1, "a signature or proof is missing or wrong")


@pytest.mark.parametrize("how", [404, 500, rooms.reset, b"", b"no checkpoint", b"x" * 100000])
@pytest.mark.parametrize("what", ["checkpoint", "tile/"])
def test_bad_servers(room, web, sync, tmp_path, how, what):
    policy, state = room.policy(tmp_path / "policy"), tmp_path / "state"
    server = web(room.folder)
    assert sync(server.url, policy, state)[0] == 0
    room.list("hot.example", "gambling", "one.example.com")
    server.spoil = lambda path, body: how if path.startswith(what) else body
    status, said, err = sync(server.url, policy, state)
    assert status == 1 and server.url in err, err
    assert said["statements"] == 3
    server.spoil = None
    assert sync(server.url, policy, state)[1]["statements"] == 4


def test_many_entries_come_in_bundles(room, web, sync, tmp_path):
    for i in range(300):
        room.list("hot.example", "gambling", f"n{i}.example.com")
    server, policy = web(room.folder), room.policy(tmp_path / "policy")
    status, said, _ = sync(server.url, policy, tmp_path / "state")
    assert (status, said["statements"]) == (0, 303)
    assert sorted(path for path, _ in server.asked) == [
        "checkpoint", "tile/entries/000", "tile/entries/001.p/47"]
    # The log grew past what the checkpoint says: the part is gone, the whole is there.
    old = (room.folder / "checkpoint").read_bytes()
    for i in range(210):
        room.list("hot.example", "gambling", f"m{i}.example.com")
    assert not (room.folder / "tile/entries/001.p").exists()
    server.spoil = lambda path, body: old if path == "checkpoint" else body
    assert sync(server.url, policy, tmp_path / "other")[1]["statements"] == 303


def test_killed_at_any_moment(room, web, lindung, sync, tmp_path):
    """kill -9 while it works; whatever it left, the next one goes on, to the same image."""
    policy, state, chance = room.policy(tmp_path / "policy"), tmp_path / "state", random.Random(4)
    server = web(room.folder)
    names = tmp_path / "names"
    for i in range(25):
        names.write_text("".join(f"n{j}.example{i}.com\n" for j in range(2000)))
        room.block("hot.example", "gambling", names)
        worker = subprocess.Popen([str(lindung.path), "sync", "-p", policy, "-s", state,
                                   server.url], stdout=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.12)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    assert sync(server.url, policy, state, "-o", tmp_path / "a", "--at", at)[0] == 0
    assert sync(server.url, policy, tmp_path / "new", "-o", tmp_path / "b", "--at", at)[0] == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("what", ["entries", "state", "base", "block"])
def test_damage_in_the_state_is_mended(room, web, sync, tmp_path, what):
    policy, state, server = room.policy(tmp_path / "policy"), tmp_path / "state", web(room.folder)
    names = tmp_path / "names"
    names.write_text("".join(f"n{i}.example.com\n" for i in range(500)))
    room.block("hot.example", "gambling", names)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    assert sync(server.url, policy, state, "-o", tmp_path / "a", "--at", at)[0] == 0
    found = [p for p in state.rglob("*") if p.is_file() and
             (p.name.startswith(what) or p.parent.name == what)]
    assert found
    for path in found:
        octets = bytearray(path.read_bytes())
        octets[len(octets) // 2] ^= 0x20
        path.write_bytes(octets)
    assert sync(server.url, policy, state, "-o", tmp_path / "b", "--at", at)[0] == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_two_at_once_do_not_meet(room, web, sync, lindung, tmp_path):
    policy, state = room.policy(tmp_path / "policy"), tmp_path / "state"
    server = web(room.folder, lambda path, body: rooms.slow)
    first = subprocess.Popen([str(lindung.path), "sync", "-p", policy, "-s", state, server.url],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        if server.asked:
            break
        time.sleep(0.05)
    status, _, err = sync(server.url, policy, state)
    first.kill()
    first.wait()
    assert status == 1 and "another process" in err


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_full_disk_keeps_the_last_good(room, web, sync, tmp_path):
    policy, state, server = room.policy(tmp_path / "policy"), tmp_path / "state", web(room.folder)
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", state],
                      check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        room.list("hot.example", "gambling", "one.example.com")
        assert sync(server.url, policy, state)[0] == 0
        names = tmp_path / "names"
        chance = random.Random(5)
        names.write_text("".join(f"{chance.getrandbits(64):x}.example.com\n" for _ in range(60000)))
        room.block("hot.example", "gambling", names)
        before = (state / "state").read_bytes()
        status, said, err = sync(server.url, policy, state)
        assert status == 1 and "No space left" in err
        assert b"\nbase " in before
        name = before.split(b"\nbase ")[1].split()[0].decode()
        now = (state / "state").read_bytes()
        base = now.split(b"\nbase ")[1].split()[0].decode()
        assert (state / base).exists() or (state / name).exists()
    finally:
        subprocess.run(["umount", state], check=False)


def test_arguments(lindung, tmp_path):
    assert lindung("sync").returncode == 2
    assert lindung("sync", "-p", "x", "-s", tmp_path / "s", "ftp://x/").returncode == 2
    done = lindung("sync", "-p", tmp_path / "none", "-s", tmp_path / "s", "http://127.0.0.1:1/")
    assert done.returncode == 1 and "none" in done.stderr
