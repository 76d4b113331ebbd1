# SPDX-License-Identifier: BSD-2-Clause
"""`lindung host`: what is handed in stands in the log, whatever happens; what is not fit does not."""
import os
import pathlib
import pwd
import random
import resource
import signal
import socket
import threading
import time

import pytest

import room
from ports import free_port


@pytest.fixture
def home(lindung, tmp_path):
    return room.home_make(lindung, tmp_path)


@pytest.fixture
def ngo():
    return room.Key("ngo.example")


@pytest.fixture
def host(lindung, home, ngo):
    """A host of a log with one party."""
    running = room.Host(lindung, home)
    assert running.submit(room.party_add(ngo)).status == 200
    yield running
    assert running.stop() == 0


def proof_index(answer):
    lines = answer.body.decode().split("\n")
    assert answer.status == 200 and lines[0] == "c2sp.org/tlog-proof@v1", answer.body
    return int(lines[1].removeprefix("index "))


def test_a_statement_and_its_receipt(host, ngo):
    note = room.listing(ngo, "gambling", "bet.example")
    answer = host.submit(note)
    assert proof_index(answer) == 1
    assert host.get(f"/receipt/{room.ident(note)}").body == answer.body
    # Said again, it is the same statement in the same place.
    assert proof_index(host.submit(note)) == 1
    assert host.size() == 2
    bundle = host.get("/tile/entries/000.p/2").body
    first = int.from_bytes(bundle[:2], "big")
    assert bundle[2 + first + 2:] == note
    assert host.get(f"/receipt/{'0' * 64}").status == 404


def test_a_block_comes_with_its_statement(host, ngo):
    names = [f"site{i:04}.example" for i in range(1000)]
    parcel = room.block_listing(ngo, "adult", names)
    assert proof_index(host.submit(parcel)) == 1
    note = parcel[:parcel.rindex(b"\n", 0, parcel.index(b"\x28\xb5\x2f\xfd")) + 1]
    block = parcel[len(note):]
    name = note.decode().split("sha256:")[1][:64]
    got = host.get(f"/block/{name}")
    assert got.body == block and "immutable" in got.headers["Cache-Control"]
    # Without it, with another, with one behind a statement that names none.
    other = room.block_listing(ngo, "adult", names[:999])
    cut = other[:other.index(b"\x28\xb5\x2f\xfd")]
    for bad in (cut, cut + block, room.listing(ngo, "adult", "x.example") + block):
        assert host.submit(bad).status in (400, 422)
    assert host.size() == 2


def test_what_is_not_fit_is_refused_with_its_reason(host, ngo):
    stranger = room.Key("stranger.example")
    forged = room.listing(ngo, "gambling", "bet.example").replace(b"bet.example", b"bad.example")
    cases = [
        (room.listing(stranger, "gambling", "bet.example"), 403),
        (forged, 403),
        (room.listing(ngo, "gambling", "bet.example", ago_s=8 * 86400), 403),
        (room.listing(ngo, "gambling", "bet.example", ago_s=-3600), 403),
        (room.listing(ngo, "gambling", "bad..name"), 400),
        (b"hello", 400),
        (b"\0" * 100, 400),
        (room.listing(ngo, "gambling", "bet.example")[:-5], 400),
    ]
    for parcel, status in cases:
        answer = host.submit(parcel)
        assert answer.status == status, (parcel, answer.status, answer.body)
        assert len(answer.body) > 10
    assert host.size() == 1


def test_the_block_of_a_stranger_is_not_looked_at(host, ngo):
    """It is refused for who says it, before the time is spent that a block takes."""
    stranger = room.Key("stranger.example")
    parcel = room.block_listing(stranger, "gambling", [f"bet{i}.example" for i in range(2000)])
    for spoilt in (parcel, parcel[:-100]):
        answer = host.submit(spoilt)
        assert answer.status == 403, answer.body
    assert not any((host.home / "log" / "block").glob("*"))
    parcel = room.block_listing(ngo, "gambling", [f"bet{i}.example" for i in range(2000)])
    assert host.submit(parcel[:-100]).status in (400, 422)


def test_many_at_once_all_stand_in_the_log(host, ngo):
    notes = [room.listing(ngo, "gambling", f"bet{i}.example") for i in range(60)]
    places = []

    def hand_in(some):
        for note in some:
            places.append(proof_index(host.submit(note)))

    threads = [threading.Thread(target=hand_in, args=(notes[i::6],)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places) == list(range(1, 61))
    assert host.size() == 61


def test_kill_9_loses_nothing_that_was_acknowledged(lindung, home, ngo):
    host = room.Host(lindung, home)
    assert host.submit(room.party_add(ngo)).status == 200
    kept, number = [], 0
    for turn in range(6):
        lethal = threading.Timer(random.Random(turn).uniform(0.02, 0.3), host.process.kill)
        lethal.start()
        while host.process.poll() is None:
            note = room.listing(ngo, "gambling", f"bet{number}.example")
            number += 1
            try:
                if host.submit(note).status in (200, 202):
                    kept.append(note)
            except (OSError, room.http.client.HTTPException):
                break
        lethal.join()
        host.process.wait()
        host.start()
    assert kept
    limit = time.monotonic() + 10
    for note in kept:
        while (answer := host.get(f"/receipt/{room.ident(note)}")).status == 202:
            assert time.monotonic() < limit
            time.sleep(0.1)
        assert answer.status == 200
    assert host.stop() == 0


def test_over_postgresql_too(lindung, home, ngo, postgresql):
    host = room.Host(lindung, home, "--store", postgresql)
    note = room.listing(ngo, "gambling", "bet.example")
    assert host.submit(room.party_add(ngo)).status == 200
    assert proof_index(host.submit(note)) == 1
    assert host.stop() == 0
    host.start()
    assert proof_index(host.get(f"/receipt/{room.ident(note)}")) == 1
    assert host.stop() == 0
    assert not (home / "store.sqlite").exists()


def test_a_store_that_is_lost_is_made_anew_from_the_log(lindung, home, ngo):
    host = room.Host(lindung, home)
    note = room.party_add(ngo)
    assert host.submit(note).status == 200
    assert host.stop() == 0
    for path in home.glob("store.sqlite*"):
        path.unlink()
    host.start()
    assert proof_index(host.get(f"/receipt/{room.ident(note)}")) == 0
    assert host.stop() == 0


def test_a_full_disk_is_told_and_lived_through(host, home, ngo):
    """No file may be written any more: nothing is acknowledged, all is served, and then it goes on."""
    before = host.get("/checkpoint").body
    limits = resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    notes = [room.listing(ngo, "gambling", f"bet{i}.example") for i in range(3)]
    for note in notes:
        answer = host.submit(note)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer.body
        assert host.get(f"/receipt/{room.ident(note)}").status == 404
    assert host.get("/checkpoint").body == before
    resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, limits)
    for i, note in enumerate(notes):
        assert proof_index(host.submit(note)) == i + 1


def test_a_log_that_cannot_grow_keeps_what_comes(host, home, ngo):
    """The store can be written and the log cannot: 202, and in the log as soon as that can be."""
    tiles = home / "log" / "tile"
    tiles.rename(tiles.with_suffix(".away"))
    tiles.touch()
    note = room.listing(ngo, "gambling", "bet.example")
    answer = host.submit(note)
    assert answer.status == 202 and f"/receipt/{room.ident(note)}".encode() in answer.body
    assert host.submit(note).status == 202
    assert "the log: " in host.said()
    tiles.unlink()
    tiles.with_suffix(".away").rename(tiles)
    limit = time.monotonic() + 20
    while host.get(f"/receipt/{room.ident(note)}").status == 202:
        assert time.monotonic() < limit
        time.sleep(0.2)
    assert proof_index(host.submit(note)) == 1


def test_a_second_host_of_the_same_log_does_not_start(lindung, host, home):
    done = lindung("host", "--listen", f"127.0.0.1@{free_port()}", home)
    assert done.returncode == 1
    assert "another" in done.stderr


def test_followers_are_told(lindung, home, ngo):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as follower:
        follower.bind(("127.0.0.1", 0))
        follower.settimeout(5)
        host = room.Host(lindung, home, "--notify", f"127.0.0.1@{follower.getsockname()[1]}")
        assert host.submit(room.party_add(ngo)).status == 200
        first, peer = follower.recvfrom(512)
        assert first[2] >> 3 & 15 == 4 and b"\x03log\x07example\x00\x00\x06\x00\x01" in first
        # Not answered it comes again; answered it does not.
        assert follower.recvfrom(512)[0] == first
        follower.sendto(first[:2] + bytes([first[2] | 0x80]) + first[3:], peer)
        time.sleep(0.2)
        follower.settimeout(2.5)
        with pytest.raises(TimeoutError):
            follower.recvfrom(512)
        assert host.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_somebody_who_may_do_little(lindung, tmp_path, home, ngo):
    nobody = pwd.getpwnam("nobody")
    for path in (home, *home.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    host = room.Host(lindung, home, "--user", "nobody")
    note = room.party_add(ngo)
    assert host.submit(note).status == 200
    assert host.get("/export/gambling.hosts").status == 200
    status = dict(line.split(":\t", 1) for line in
                  pathlib.Path(f"/proc/{host.process.pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["NoNewPrivs"] == "1"
    assert all(int(status[what], 16) == 0 for what in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"))
    assert {path.owner() for path in home.rglob("*") if path.name != "host.stderr"} == {"nobody"}
    # Nobody but root reads its memory, where the keys are.
    assert pathlib.Path(f"/proc/{host.process.pid}/mem").stat().st_uid == 0
    assert host.stop() == 0


def test_bad_arguments_are_told(lindung, tmp_path, home):
    (tmp_path / "empty").mkdir()
    for arguments, said in ((["--listen", "example"], "example"), ([tmp_path / "empty"], "lindung init"),
                            (["--witnessed", "x", home], "--witness KEY")):
        done = lindung("host", *arguments)
        assert done.returncode == 1 and said in done.stderr, done.stderr


# ---- Exports ----------------------------------------------------------------------------------

def test_exports_follow_the_log(host, ngo):
    host.submit(room.listing(ngo, "gambling", "bet.example", "casino.example"))
    answer = host.get("/export/gambling.hosts")
    lines = answer.body.decode().splitlines()
    root = host.get("/checkpoint").body.decode().split("\n")[2]
    assert lines[0] == f"# Lindung: gambling; log {room.ORIGIN}, size 2, root {root}"
    assert lines[-2:] == ["0.0.0.0 bet.example", "0.0.0.0 casino.example"]
    assert answer.headers["Lindung-Origin"] == f"log {room.ORIGIN}, size 2, root {root}"
    again = host.get("/export/gambling.hosts", If_None_Match=answer.headers["ETag"])
    assert again.status == 304 and not again.body
    part = host.get("/export/gambling.hosts", Range="bytes=0-9")
    assert part.status == 206 and part.body == answer.body[:10]
    # A category that nobody lists yet is an empty list; one that nobody knows is none.
    assert host.get("/export/adult.domains").status == 200
    assert host.get("/export/nonsense.domains").status == 404
    host.submit(room.listing(ngo, "adult", "x.example"))
    limit = time.monotonic() + 15
    while b"x.example" not in host.get("/export/adult.domains").body:
        assert time.monotonic() < limit
        time.sleep(0.5)
    assert host.get("/export/gambling.hosts").headers["ETag"] != answer.headers["ETag"]


@pytest.mark.parametrize("written", ["lindung", "hosts", "domains", "wildcard", "adblock", "dnsmasq", "unbound",
                                     "rpz", "squid", "squid-urls", "chromium", "firefox", "apple"])
def test_every_writer_has_its_export(lindung, host, ngo, written):
    host.submit(room.listing(ngo, "gambling", "bet.example", "www.casino.example/room"))
    answer = host.get(f"/export/gambling.{written}")
    assert answer.status == 200
    name = b"casino" if written == "squid-urls" else b"bet"
    assert name in answer.body
    assert answer.headers["Lindung-Origin"].startswith(f"log {room.ORIGIN}, size 2,")


# ---- Witnesses --------------------------------------------------------------------------------

def test_without_its_witnesses_a_statement_waits(lindung, tmp_path, ngo):
    """The policy wants a witness that does not answer: nothing is public, nothing is lost."""
    witness = room.Key("w1.example", kind=4)
    port = free_port()
    home = room.home_make(lindung, tmp_path)
    policy = home / "policy"
    policy.write_text(policy.read_text().replace("quorum none\n", (
        f"witness w1 {witness.verifier} http://127.0.0.1:{port}\ngroup wg 1 w1\nquorum wg\n")))
    host = room.Host(lindung, home)
    note = room.party_add(ngo)
    answer = host.submit(note)
    assert answer.status == 202 and f"/receipt/{room.ident(note)}".encode() in answer.body
    assert host.size() == 0
    host.stop(signal.SIGKILL)
    host.start()
    assert host.get(f"/receipt/{room.ident(note)}").status == 202
    # Now it is there.
    with room.Witness(witness, port) as played:
        limit = time.monotonic() + 20
        while host.get(f"/receipt/{room.ident(note)}").status == 202:
            assert time.monotonic() < limit, host.said()
            time.sleep(0.2)
        assert proof_index(host.get(f"/receipt/{room.ident(note)}")) == 0
        assert b"w1.example" in host.get("/checkpoint").body
        assert proof_index(host.submit(room.listing(ngo, "gambling", "bet.example"))) == 1
        assert played.size == 2
    assert host.stop() == 0


def test_our_witness_signs_what_continues_and_nothing_else(lindung, tmp_path, ngo):
    """A log with two witnesses, each `lindung host` without a log; one of them is down at first."""
    keys = [room.Key(f"w{i}.example", kind=4) for i in (1, 2)]
    (tmp_path / "log").mkdir()
    home = room.home_make(lindung, tmp_path / "log")
    policy = home / "policy"
    origin = policy.read_text().split("\nlog ")[1].split("\n")[0]
    witnesses = []
    for key in keys:
        folder = tmp_path / key.name
        folder.mkdir()
        witnesses.append(room.Host(lindung, folder, "--witness", key.file(folder / "w.key"),
                                   "--witnessed", origin))
    lines = "".join(f"witness w{i} {key.verifier} {witness.url}\n"
                    for i, (key, witness) in enumerate(zip(keys, witnesses)))
    policy.write_text(policy.read_text().replace(
        "quorum none\n", lines + "group wg 1 w0 w1\nquorum wg\n"))
    assert witnesses[1].stop() == 0
    host = room.Host(lindung, home)
    assert host.submit(room.party_add(ngo)).status == 200
    assert host.get("/checkpoint").body.count(b"\xe2\x80\x94 w") == 1
    assert "w2.example" in host.said()
    # The second comes back; it has seen less of the log than the first.
    witnesses[1].start()
    assert proof_index(host.submit(room.listing(ngo, "gambling", "bet.example"))) == 1
    checkpoint = host.get("/checkpoint").body
    assert checkpoint.count(b"\xe2\x80\x94 w") == 2
    place = room.hashlib.sha256(room.ORIGIN.encode()).hexdigest()
    for witness in witnesses:
        served = witness.get(f"/{place}/checkpoint").body
        assert served.startswith(checkpoint[:checkpoint.index(b"\n\n")])
        assert witness.get("/checkpoint").status == 404
        assert witness.ask("POST", "/submit", body=b"x").status == 404
        # From another old size: it says which it has.
        again = witness.ask("POST", "/add-checkpoint", body=b"old 0\n\n" + checkpoint)
        assert (again.status, again.body) == (409, b"2\n")
        assert again.headers["Content-Type"] == "text/x.tlog.size"
        assert witness.ask("POST", "/add-checkpoint", body=b"old 2\n\n" + checkpoint).status == 200
        for bad, status in ((b"old 3\n\n" + checkpoint, 400), (b"hello", 400),
                            (b"old 2\n\n" + checkpoint.replace(b"log.example", b"log.invalid"), 404),
                            (b"old 2\n\n" + checkpoint.replace(b"\n2\n", b"\n3\n"), 403)):
            assert witness.ask("POST", "/add-checkpoint", body=bad).status == status
    for running in (host, *witnesses):
        assert running.stop() == 0
