# SPDX-License-Identifier: BSD-2-Clause
"""`lindung export`: from a log, from an image, from what a follower has in force."""
import hashlib

import pytest

import room


@pytest.fixture
def home(lindung, tmp_path):
    """A log of two lists."""
    home = room.home_make(lindung, tmp_path)
    ngo = room.Key("ngo.example")
    for i, note in enumerate((room.party_add(ngo), room.listing(ngo, "gambling", "bet.example"),
                              room.listing(ngo, "adult", "=x.example", "y.example"))):
        parcel = tmp_path / f"{i}.statement"
        parcel.write_bytes(note)
        done = lindung("submit", parcel, home)
        assert done.returncode == 0, done.stderr
    return home


def root_of(home):
    return (home / "log" / "checkpoint").read_text().split("\n")[2]


def test_from_a_log(lindung, home, tmp_path):
    out = tmp_path / "out"
    done = lindung("export", "-f", "domains", "-c", "gambling", "-o", out, "--home", home)
    assert done.returncode == 0, done.stderr
    lines = out.read_text().splitlines()
    assert lines[0] == f"# Lindung: gambling; log {room.ORIGIN}, size 3, root {root_of(home)}"
    assert [line for line in lines if not line.startswith("#")] == ["bet.example"]
    done = lindung("export", "-f", "domains", "--home", home)
    assert [line for line in done.stdout.splitlines() if not line.startswith("#")] == ["bet.example", "y.example"]
    assert "names without their subdomains, left out" in done.stderr
    done = lindung("export", "-f", "firefox", "-o", tmp_path / "p.json", "--home", home)
    assert done.returncode == 0 and (tmp_path / "p.json.note.txt").exists()


def test_from_an_image(lindung, tmp_path):
    source = tmp_path / "gambling.txt"
    source.write_text("bet.example\n", encoding="utf-8")
    image = tmp_path / "an.image"
    assert lindung("compile", "-q", "-o", image, "-c", "gambling", "--no-protected", source).returncode == 0
    done = lindung("export", "-f", "hosts", "-c", "gambling", image)
    assert done.stdout.splitlines()[0] == "# Lindung: gambling"
    assert done.stdout.endswith("\n0.0.0.0 bet.example\n")
    # What a follower has in force: its images, and the checkpoint.
    (tmp_path / "base-1").write_bytes(image.read_bytes())
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    checkpoint = f"{room.ORIGIN}\n7\n{'A' * 43}=\n"
    key = room.Key(room.ORIGIN)
    (tmp_path / "state").write_bytes(
        f"lindung follow 1\nsetting {digest}\nsize 7\nbytes 1\nimages 1\nbase base-1 {digest}\ncheckpoint\n".encode()
        + key.sign(checkpoint))
    done = lindung("export", "-f", "hosts", "--state", tmp_path)
    assert done.stdout.splitlines()[0] == \
        f"# Lindung: all categories; log {room.ORIGIN}, size 7, root {'A' * 43}="


def test_what_is_wrong_is_told(lindung, home, tmp_path):
    (tmp_path / "none").mkdir()
    for arguments, status, said in (
            (["-f", "nonsense"], 2, "nonsense"), ([], 2, "--format"),
            (["-f", "hosts", "--home", home, "-c", "nonsense"], None, "nonsense"),
            (["-f", "hosts", "--state", tmp_path / "none"], 1, "state"),
            (["-f", "hosts", tmp_path / "missing"], 1, "missing")):
        done = lindung("export", *arguments)
        assert done.returncode in ([status] if status else [1, 2]) and said in done.stderr, done.stderr
