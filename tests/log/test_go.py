# SPDX-License-Identifier: BSD-2-Clause
"""Go's sumdb/note and sumdb/tlog verify what we write, and we verify what they write.

The packages are Debian's golang-go and golang-golang-x-mod-dev (tools/install-packages test).
"""
import os
import pathlib
import random
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
GOPATH = "/usr/share/gocode"
ORIGIN = "log.example/go"


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """oracle(*arguments) -> CompletedProcess"""
    if shutil.which("go") is None or not os.path.isdir(f"{GOPATH}/src/golang.org/x/mod"):
        pytest.skip("there is no Go here (golang-go, golang-golang-x-mod-dev): "
                    "nobody else has verified what we write")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "oracle"
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "GOFLAGS": "",
           "GOCACHE": str(folder / "cache"), "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", program, HERE / "oracle" / "oracle.go"], env=env, check=True)
    return lambda *arguments: run(program, *arguments)


def run(program, *arguments, **options):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, check=False, **options)


def good(result):
    assert result.returncode == 0, result.stderr
    return result.stdout.decode().strip()


@pytest.fixture(scope="module")
def ours(build_dir):
    program = build_dir / "src" / "log" / "log_tool"
    return lambda *arguments, **options: run(program, *arguments, **options)


# Both sides of every edge: one tile, a full one, one of the second level.
@pytest.mark.parametrize("count,batch", [(1, 1), (2, 1), (255, 60), (256, 256), (257, 100),
                                         (700, 33), (1000, 7)])
def test_they_verify_our_logs(oracle, ours, tmp_path, count, batch):
    key = good(ours("write", tmp_path / "log", ORIGIN, "seed", count, batch))
    said = good(oracle("verify", tmp_path / "log", key))
    assert said == good(ours("read", tmp_path / "log", key))
    assert said.startswith(f"{count} ")


def test_they_see_what_is_wrong(oracle, ours, tmp_path):
    key = good(ours("write", tmp_path / "log", ORIGIN, "seed", 300, 300))
    bundle = tmp_path / "log/tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"entry 77", b"entry 99"))
    assert oracle("verify", tmp_path / "log", key).returncode != 0
    assert ours("read", tmp_path / "log", key).returncode != 0


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 70000])
def test_we_verify_their_logs(oracle, ours, tmp_path, count):
    folder = tmp_path / "log"
    folder.mkdir()
    key = good(oracle("write", folder, ORIGIN, count))
    said = good(ours("read", folder, key))
    assert said.startswith(f"{count} ")
    if count <= 257:
        assert said == good(oracle("verify", folder, key))
    # One bit of a tile, and of an entry.
    for victim in ("tile/0", "tile/entries"):
        # The widest of the last: Go writes every part of a tile.
        path = max((p for p in (folder / victim).rglob("*") if p.is_file()),
                   key=lambda p: (str(p.parent), int(p.name)))
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert ours("read", folder, key).returncode != 0, victim
        path.write_bytes(whole)
    good(ours("read", folder, key))


@pytest.mark.parametrize("index", [0, 1, 255, 256, 699])
def test_they_verify_our_proofs(oracle, ours, tmp_path, index):
    key = good(ours("write", tmp_path / "log", ORIGIN, "seed", 700, 700))
    proof = ours("proof", tmp_path / "log", index)
    (tmp_path / "proof").write_bytes(proof.stdout)
    assert good(oracle("proof", key, tmp_path / "proof", f"entry {index}")) == "good"
    assert oracle("proof", key, tmp_path / "proof", f"entry {index + 1}").returncode != 0


TEXTS = ("one line\n", "two\nlines\n", "an empty line\n\nin it\n", "é — ütf\n", "\n")


@pytest.mark.parametrize("text", TEXTS)
def test_notes_both_ways(oracle, ours, tmp_path, text):
    (tmp_path / "text").write_text(text)
    theirs = oracle("sign", ORIGIN, tmp_path / "text")
    assert theirs.returncode == 0
    (tmp_path / "theirs").write_bytes(theirs.stdout)
    assert good(ours("check", theirs.stderr.decode().strip(), tmp_path / "theirs")) == "good"
    our = ours("sign", ORIGIN, "seed", input=text.encode())
    assert our.returncode == 0
    (tmp_path / "ours").write_bytes(our.stdout)
    key = good(ours("write", tmp_path / "log", ORIGIN, "seed", 1, 1))
    assert good(oracle("check", key, tmp_path / "ours")) == "good"


def test_the_same_notes_are_refused(oracle, ours, tmp_path):
    """Changed here and there: we take no note that they refuse.

    They take base64 with bits left over at its end, we do not; nothing else differs."""
    chance = random.Random(6962)
    key = good(ours("write", tmp_path / "log", ORIGIN, "seed", 3, 3))
    signed = (tmp_path / "log/checkpoint").read_bytes()
    files = []
    for i in range(600):
        changed = bytearray(signed)
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(changed))
            match chance.randrange(4):
                case 0:
                    changed[at] ^= 1 << chance.randrange(8)
                case 1:
                    del changed[at]
                case 2:
                    changed.insert(at, chance.choice(b"\n \x00A=+-\xe2"))
                case 3:
                    changed[at:at] = changed[:chance.randrange(len(changed))]
        files.append(tmp_path / f"note-{i}")
        files[-1].write_bytes(changed)
    # What is not signed may change: another signature, of a key that nobody knows.
    files.append(tmp_path / "more")
    files[-1].write_bytes(signed + "— other.example AAAAAAA=\n".encode())
    # Bits left over.
    files.append(tmp_path / "left-over")
    last = signed.rstrip(b"=\n")[-1:]
    table = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = table[table.index(last) ^ 1:][:1]
    files[-1].write_bytes(signed.rstrip(b"=\n")[:-1] + other + b"=\n")
    theirs = good(oracle("check", key, *files)).split()
    our = good(ours("check", key, *files)).split()
    assert len(theirs) == len(our) == len(files)
    differ = {f.name: (a, b) for f, a, b in zip(files, theirs, our) if a != b}
    assert theirs[-2] == our[-2] == "good"
    assert differ.pop("left-over") == ("good", "bad")
    for name, verdicts in differ.items():
        assert verdicts == ("good", "bad"), name
        changed = (tmp_path / name).read_bytes()
        assert len(changed) == len(signed) and changed.split(b"\n")[:-2] == signed.split(b"\n")[:-2]
    assert theirs.count("bad") > 550
