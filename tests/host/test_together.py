# SPDX-License-Identifier: BSD-2-Clause
"""A party hands in by the command line, a host serves, a follower follows, an export comes out."""
import time

import pytest

import room


@pytest.fixture
def host(lindung, tmp_path):
    running = room.Host(lindung, room.home_make(lindung, tmp_path))
    yield running
    assert running.stop() == 0


def hand_in(lindung, host, folder, name, parcel):
    path = folder / f"{name}.statement"
    path.write_bytes(parcel)
    return lindung("submit", path, host.url)


def test_from_a_party_to_a_router(lindung, host, tmp_path):
    ngo = room.Key("ngo.example")
    state = tmp_path / "state"
    assert hand_in(lindung, host, tmp_path, "party", room.party_add(ngo)).returncode == 0
    block = room.block_listing(ngo, "gambling", [f"bet{i:03}.example" for i in range(500)])
    done = hand_in(lindung, host, tmp_path, "list", block)
    assert done.returncode == 0 and "1" in done.stdout, (done.stdout, done.stderr)
    done = lindung("sync", "-p", host.home / "policy", "-s", state, "-o", tmp_path / "image", host.url)
    assert done.returncode == 0, done.stderr
    assert "block" in lindung("query", tmp_path / "image", "www.bet123.example").stdout
    # The follower's export is the host's, octet for octet.
    mine = lindung("export", "-f", "hosts", "-c", "gambling", "--state", state)
    assert mine.returncode == 0, mine.stderr
    theirs = host.get("/export/gambling.hosts").body.decode()
    assert mine.stdout == theirs
    assert f"log {room.ORIGIN}, size 2, root " in theirs.splitlines()[0]
    # One more, and the follower gets it.
    assert hand_in(lindung, host, tmp_path, "more", room.listing(ngo, "gambling", "late.example")).returncode == 0
    assert lindung("sync", "-p", host.home / "policy", "-s", state, "-o", tmp_path / "image",
                   host.url).returncode == 0
    limit = time.monotonic() + 15
    while "late.example" not in host.get("/export/gambling.hosts").body.decode():
        assert time.monotonic() < limit
        time.sleep(0.5)
    assert lindung("export", "-f", "hosts", "-c", "gambling", "--state", state).stdout == \
        host.get("/export/gambling.hosts").body.decode()


def test_a_refusal_reaches_who_handed_in(lindung, host, tmp_path):
    done = hand_in(lindung, host, tmp_path, "strange", room.listing(room.Key("ngo.example"), "adult", "x.example"))
    assert done.returncode == 1 and "403" in done.stderr, done.stderr
