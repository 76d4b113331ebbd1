# SPDX-License-Identifier: BSD-2-Clause
"""The programs of parties and operators, as people meet them: the first use, mistakes, Ctrl-C, what is
there already, no network, backups."""
import json
import os
import pty
import random
import re
import select
import signal
import socket
import subprocess
import tarfile
import time

import pytest

from ports import free_port
from house import ORIGIN, POLICY, START, House, Key, age_keygen

DAY = "2026-11-{:02d}T08:00:00Z".format


@pytest.fixture
def house(lindung, tmp_path):
    """A log with five parties."""
    return House(lindung, tmp_path)


def on_terminal(lindung, arguments, *answers, environment=None, interrupt=False):
    """Run lindung with a terminal of its own, answer each prompt; returns (status, what was shown)."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(environment or {})
        os.execv(lindung.path, [str(lindung.path), *map(str, arguments)])
    shown, waiting, deadline = b"", list(answers), time.monotonic() + 60
    while True:
        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            os.kill(child, signal.SIGKILL)
            break
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if shown.rstrip(b" ").endswith((b":", b"[y/N]")):
            if waiting:
                os.write(terminal, waiting.pop(0).encode() + b"\n")
                shown += b"\n"
            elif interrupt:
                os.write(terminal, b"\x03")
                interrupt = False
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return status, shown.decode(errors="replace")


# ---- The first use -----------------------------------------------------------------------------


def test_a_new_user_gets_from_nothing_to_a_closed_site(lindung, tmp_path):
    """With passphrases on the terminal, never echoed."""
    here = {"HOME": str(tmp_path)}
    status, shown = on_terminal(
        lindung, ["init", "--origin", "log.home.example", "--roots", "1", tmp_path / "log"],
        "log passphrase", "log passphrase", "root passphrase", "root passphrase", environment=here)
    assert status == 0 and "Next:" in shown, shown
    assert "-k root-1 --party-key" in shown and "root-2" not in shown
    nobody = lindung("status", tmp_path / "log")
    assert nobody.returncode == 0 and "nobody yet" in nobody.stdout
    assert "log passphrase" not in shown and "root passphrase" not in shown
    assert (tmp_path / "log/keys/log.key").stat().st_mode & 0o777 == 0o600
    status, shown = on_terminal(lindung, ["key", "new", "ministry.home.example"], "party passphrase",
                                "party passphrase", environment=here)
    assert status == 0, shown
    verifier = re.search(r"ministry\.home\.example\+\S+", shown).group(0)
    status, shown = on_terminal(
        lindung, ["party", "add", "--home", tmp_path / "log", "-k", "root-1", "--party-key", verifier,
                  "--name", "Home Ministry", "--kind", "ministry", "--country", "NZ", "-j", "NZ", "-b",
                  "an act", "-e", time.strftime("%Y-12-31"), "--submit"],
        "root passphrase", "y", "log passphrase", environment=here)
    assert status == 0 and "Number 0 in the log" in shown, shown
    home = tmp_path / ".config/lindung"
    (home / "policy").write_bytes((tmp_path / "log/policy").read_bytes())
    (home / "log.url").write_text(f"{tmp_path}/log\n")
    status, shown = on_terminal(
        lindung, ["list", "-c", "gambling", "-j", "NZ", "-b", "an act", "-e",
                  time.strftime("%Y-12-31"), "--submit", "casino.example"],
        "party passphrase", "y", "log passphrase", environment=here)
    assert status == 0 and "would close 1 more" in shown, shown
    status, shown = on_terminal(lindung, ["why", "casino.example"], environment=here)
    assert status == 0 and shown.startswith("Closed: casino.example, in gambling"), shown


def test_a_wrong_passphrase_says_so_and_no_is_no(lindung, tmp_path):
    here = {"HOME": str(tmp_path)}
    status, _ = on_terminal(lindung, ["init", "--origin", "log.home.example", "--roots", "1",
                                      tmp_path / "log"], "log passphrase", "log passphrase", "", "",
                            environment=here)
    assert status == 0
    add = ["party", "add", "--home", tmp_path / "log", "-k", "root-1", "--party-key",
           "a.example+00000000+AA", "--name", "A", "--kind", "ngo", "--country", "NZ", "-j", "NZ", "-b",
           "an act", "-e", "2030-01-01"]
    status, shown = on_terminal(lindung, add, environment=here)
    assert status == 1 and "lindung party:" in shown
    status, shown = on_terminal(lindung, ["key", "passphrase", "--home", tmp_path / "log", "log"],
                                "another passphrase", environment=here)
    assert status == 1 and "passphrase" in shown
    status, shown = on_terminal(lindung, ["party", "revoke", "--home", tmp_path / "log", "-k", "root-1",
                                          "-j", "NZ", "-b", "an act", "a.example"], "n",
                                environment=here)
    assert status == 1 and "not confirmed" in shown
    assert not list(tmp_path.glob("*.statement"))


def test_ctrl_c_at_a_passphrase_leaves_nothing_and_the_terminal_as_it_was(lindung, tmp_path):
    status, shown = on_terminal(lindung, ["init", "--origin", "log.home.example", tmp_path / "log"],
                                "log passphrase", interrupt=True)
    assert status == -signal.SIGINT, shown
    assert not list(tmp_path.iterdir())


def test_without_a_terminal_nothing_is_confirmed(house, tmp_path):
    result = subprocess.run(
        ["setsid", "-w", house.lindung.path, "list", "--home", house.folder / "ngo.example", "-c",
         "gambling", "-j", "INT", "-b", "x", "-e", "2027-01-01", "--at", DAY(3), "casino.example"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "--yes" in result.stderr
    assert not list(tmp_path.glob("*.statement"))


# ---- What is there already, and mistakes ---------------------------------------------------------


def test_a_second_init_leaves_the_first_alone(house):
    before = sorted(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
    again = house.run("init", "--origin", "log.other.example", "--bare", house.home, check=False)
    assert again.returncode == 1 and "there already" in again.stderr
    assert before == sorted(p.read_bytes() for p in house.home.rglob("*") if p.is_file())
    assert [path.name for path in house.folder.glob("house.*")] == ["house.example"]


def test_an_init_that_fails_leaves_nothing(lindung, tmp_path):
    (tmp_path / "bad.policy").write_text("category gambling\n  agree nobody-at-all\n")
    failed = lindung("init", "--origin", "log.x.example", "--bare", "--policy", tmp_path / "bad.policy",
                     tmp_path / "log")
    assert failed.returncode == 1 and "policy" in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.policy"]


def test_a_statement_is_not_written_over_another(house, tmp_path):
    path = tmp_path / "x.statement"
    house.list("ngo.example", "gambling", "casino.example", "-o", path, at=DAY(3), submit=False)
    before = path.read_bytes()
    again = house.list("ngo.example", "gambling", "bet.example", "-o", path, at=DAY(3), submit=False,
                       check=False)
    assert again.returncode == 1 and "there already" in again.stderr
    assert path.read_bytes() == before


MISTAKES = [
    (["list"], "what harm"),
    (["list", "-c", "gambling", "x.example"], "where does the ground hold"),
    (["list", "-c", "gambling", "-j", "ID", "-b", "x", "x.example"], "until when"),
    (["list", "-c", "gambling", "-j", "ID", "-b", "x", "-e", "2027-01-01"], "which websites"),
    (["endorse", "-j", "ID", "-b", "x", "-e", "2027-01-01"], "which statement"),
    (["decide", "-j", "ID", "-b", "x", "-r", "y", "12345678"], "--uphold or --reject"),
    (["dispute", "-j", "ID", "-b", "x", "12345678"], "why?"),
    (["party"], "add, revoke, sign or list"),
    (["party", "add"], "which key"),
    (["init", "DIR"], "what is the log called"),
    (["init", "--origin", "x", "--roots", "2", "--needed", "3", "DIR"], "only 2 root keys"),
    (["submit"], "which statements"),
    (["why"], "which website"),
    (["why", "a..b"], "a..b"),
    (["status", "--days", "soon"], "--days"),
    (["backup"], "into which file"),
    (["restore"], "from which file"),
    (["list", "--at", "yesterday", "-c", "gambling", "-j", "ID", "-b", "x", "-e", "2027-01-01",
      "x.example"], "--at"),
    (["list", "--passphrase-fd", "77", "-c", "gambling", "-j", "ID", "-b", "x", "-e", "2027-01-01",
      "x.example"], "not open"),
    (["list", "--no-such-option"], "no-such-option"),
]


@pytest.mark.parametrize("arguments,what", MISTAKES)
def test_wrong_usage_says_what_is_wrong_and_exits_2(lindung, tmp_path, monkeypatch, arguments, what):
    monkeypatch.setenv("LINDUNG_HOME", str(tmp_path / "home"))
    result = lindung(*arguments)
    assert result.returncode == 2 and what in result.stderr, result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("entry,what", [
    ("com", "single label"), ("co.uk", "public suffix"), ("192.0.2.1", "IP address"),
    ("not a name", "not"), ("x" * 300 + ".example", "past 63"), ("a.example\nb.example", "control"),
])
def test_an_entry_that_no_list_can_have_is_named(house, entry, what):
    refused = house.list("ngo.example", "gambling", entry, at=DAY(3), check=False)
    assert refused.returncode == 1 and what in refused.stderr, refused.stderr


def test_lines_of_a_file_that_are_no_entries_are_counted(house, tmp_path):
    (tmp_path / "hosts").write_text("# mine\n0.0.0.0 casino.example\n0.0.0.0 bet.example\n"
                                    "0.0.0.0 co.uk\n0.0.0.0 casino.example\n")
    shown = house.run("list", "--home", house.folder / "ngo.example", "-c", "gambling", "-j", "INT",
                      "-b", "x", "-e", "2027-01-01", "-f", tmp_path / "hosts", "--dry-run", "--at",
                      DAY(3)).stdout
    assert "entries: inline 2" in shown and "Left out: 1, a public suffix" in shown
    assert not list(tmp_path.glob("*.statement"))


def test_an_unknown_and_an_ambiguous_key_are_told_apart(house):
    (house.folder / "ngo.example/keys/two.key").write_bytes(
        (house.folder / "ngo.example/keys/own.key").read_bytes())
    refused = house.list("ngo.example", "gambling", "casino.example", at=DAY(3), check=False)
    assert refused.returncode == 1 and "own.key two.key" in refused.stderr
    refused = house.list("ngo.example", "gambling", "casino.example", "-k", "three", at=DAY(3),
                         check=False)
    assert refused.returncode == 1 and "three.key" in refused.stderr
    house.list("ngo.example", "gambling", "casino.example", "-k", "own", at=DAY(3))


def test_who_holds_one_root_key_passes_the_file_on(house, tmp_path):
    path = tmp_path / "x.statement"
    house.join("new.example", submit=False)
    add = ["party", "add", "--home", house.folder / "roots", "-k", "root-1", "--name", "New", "--kind",
           "ngo", "--country", "TH", "--party-key", house.keys["new.example"].verifier, "-j", "INT",
           "-b", "x", "-e", "2028-01-01", "--yes", "--at", DAY(3), "-o", path]
    shown = house.run(*add).stdout
    assert "too few root keys" in shown
    assert house.submit(path, at=DAY(3)).returncode == 1
    sign = ["party", "sign", "--home", house.folder / "roots", "--yes", "--at", DAY(3), path, "-k"]
    again = house.run(*sign, "root-1", check=False)
    assert again.returncode == 1 and "signed it already" in again.stderr
    house.run(*sign, "root-3")
    assert house.submit(path, at=DAY(3)).returncode == 0
    listed = house.run("party", "list", "--home", house.home, "--json", "--at", DAY(3)).stdout
    assert "new.example" in [json.loads(line)["party"] for line in listed.splitlines()]


def test_without_a_network_one_signs_and_hands_in_later(house, tmp_path):
    home = house.folder / "ngo.example"
    (home / "log.url").write_text("http://127.0.0.1:9/\n")
    shown = house.run("list", "--home", home, "-c", "gambling", "-j", "INT", "-b", "x", "-e",
                      "2027-01-01", "--yes", "--at", DAY(3), "-o", tmp_path / "x.statement",
                      "casino.example").stdout
    assert "not known here" in shown and "127.0.0.1:9" in shown
    told = house.run("why", "--home", home, "--at", DAY(3), "casino.example", check=False)
    assert told.returncode == 1 and "127.0.0.1:9" in told.stderr
    assert house.submit(tmp_path / "x.statement", at=DAY(4)).returncode == 0


def test_a_large_list_goes_through_as_a_block(house, tmp_path):
    (tmp_path / "names.txt").write_text("".join(f"site{i}.example\n" for i in range(5000)))
    listed = house.say("ngo.example", "list", "-c", "gambling", "-e", "2027-01-01", "-f",
                       tmp_path / "names.txt", at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    status = json.loads(house.run("status", "--home", house.home, "--json", "--at", DAY(3)).stdout)
    assert status["in-effect"] == 5000 and status["waiting"] == []
    assert "site4711.example, in gambling" in house.why("www.site4711.example", at=DAY(3)) or \
        "Closed" in house.why("www.site4711.example", at=DAY(3))


# ---- Sealed --------------------------------------------------------------------------------------


def test_a_sealed_list_is_told_of_to_who_has_the_key_alone(house):
    recipient = age_keygen(house.folder / "isp.example/keys/open.age")
    listed = house.list("ngo.example", "csam", "abuse.example", "--seal-to", recipient, at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    told = house.why("abuse.example", at=DAY(3))
    assert told.startswith("Open") and "says nothing" in told
    told = house.why("abuse.example", at=DAY(3), home=house.folder / "isp.example")
    assert told.startswith("Open")
    told = house.run("why", "--sealed", "--home", house.folder / "isp.example", "--at", DAY(3),
                     "abuse.example").stdout
    assert told.startswith("Closed: abuse.example, in csam") and "ngo.example" in told
    report = house.audit(at=DAY(3)).stdout
    assert "sealed" in report and "abuse.example" not in report
    for path in house.home.rglob("*"):
        assert not path.is_file() or b"abuse.example" not in path.read_bytes(), path


# ---- Reports ---------------------------------------------------------------------------------------


def test_an_audit_as_json_says_the_same(house):
    house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    lines = [json.loads(line) for line in
             house.run("audit", "--home", house.home, "--json", "--at", DAY(3)).stdout.splitlines()]
    assert lines[-1]["sound"] is True and lines[-1]["statements"] == len(lines) - 1 == 6
    assert [line["action"] for line in lines[:-1]] == 5 * ["party-add"] + ["list"]


def test_an_audit_finds_a_changed_statement(house):
    house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    bundle = next((house.log / "tile" / "entries").rglob("6"))
    bundle.chmod(0o644)
    bundle.write_bytes(bundle.read_bytes().replace(b"casino.example", b"school.example"))
    found = house.audit(at=DAY(3), check=False)
    assert found.returncode == 1
    assert "What was found" not in found.stdout or "No fault" not in found.stdout


def test_an_audit_finds_every_change_of_a_public_file(house):
    """Bits turned, something put behind, cut, taken away: also of what nobody needs to read, as the
    parts that a tile was, and a sealed block."""
    key = age_keygen(house.folder / "age" / "keys" / "own.age")
    house.list("ngo.example", "gambling", "casino.example", "--seal-to", key, at=DAY(3))
    house.list("ngo.example", "gambling", *(f"casino-{i}.example" for i in range(600)), at=DAY(3))
    house.audit(at=DAY(3))
    files = [path for path in house.log.rglob("*") if path.is_file() and ".private" not in path.parts]
    assert len(files) == 1 + 2 * 7 + 2, files
    chance = random.Random(4)
    unseen = []
    for path in files:
        before = path.read_bytes()
        turned = bytearray(before)
        turned[chance.randrange(len(before))] ^= 1 << chance.randrange(8)
        for after in (bytes(turned), before + b"\0", before + before, before[:-1], b""):
            path.write_bytes(after)
            if house.audit(at=DAY(3), check=False).returncode != 1:
                unseen.append((path, len(before), len(after)))
        path.write_bytes(before)
    for path in files:
        if path.parent.name == "000.p" and path.name != "7":
            continue  # may be gone
        path.rename(path.with_suffix(".away"))
        if house.audit(at=DAY(3), check=False).returncode != 1:
            unseen.append((path, "gone"))
        path.with_suffix(".away").rename(path)
    assert not unseen
    house.audit(at=DAY(3))


def test_the_directory_of_a_log_stands_for_its_home(house, tmp_path, monkeypatch):
    """Without a home of one's own, and whichever of the two is named."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    house.list("ngo.example", "gambling", "casino.example")
    for where in (house.home, f"{house.home}/", house.log, f"{house.log}/"):
        assert "ngo.example" in house.run("party", "list", "--at", START, where).stdout
        assert "6" in house.run("status", "--at", START, where).stdout
        assert "No fault" in house.run("audit", "--at", START, where).stdout
        assert "ngo.example" in house.run("why", "--at", START, "--log", where,
                                          "casino.example").stdout
    monkeypatch.chdir(house.home)
    assert "No fault" in house.run("audit", "--at", START, "log").stdout
    assert "No fault" in house.run("audit", "--at", START, ".").stdout


def test_what_was_signed_before_a_crash_is_not_taken_twice(house, tmp_path):
    """Nobody was told that it is in the log; handed in again it is known."""
    old = (house.log / "checkpoint").read_bytes()
    path = tmp_path / "x.statement"
    house.list("ngo.example", "gambling", "-o", path, "casino.example", submit=False)
    assert house.submit(path, check=True).stdout.endswith("number 5 in the log\n")
    # As a crash leaves it between the signature and the public checkpoint.
    (house.log / ".private/pending").write_bytes((house.log / "checkpoint").read_bytes())
    (house.log / "checkpoint").write_bytes(old)
    again = house.submit(path)
    assert again.returncode == 1 and "already" in again.stderr
    assert "No fault" in house.audit().stdout


# ---- Backups ------------------------------------------------------------------------------------------


def backed_up(house, path, *options, passphrase="correct horse"):
    """A backup of the operator's home."""
    return house.run("backup", "--home", house.home, "--passphrase-fd", "0", "--at", START, *options,
                     path, stdin=f"{passphrase}\n", check=False)


def test_a_backup_restores_everything_and_goes_on(house, tmp_path):
    listed = house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    assert backed_up(house, tmp_path / "x.backup").returncode == 0
    assert (tmp_path / "x.backup").stat().st_mode & 0o777 == 0o600
    refused = house.run("restore", "--home", house.home, "--passphrase-fd", "0", tmp_path / "x.backup",
                        stdin="correct horse\n", check=False)
    assert refused.returncode == 1 and "left alone" in refused.stderr
    wrong = house.run("restore", "--home", tmp_path / "again", "--passphrase-fd", "0",
                      tmp_path / "x.backup", stdin="wrong horse\n", check=False)
    assert wrong.returncode == 1 and not (tmp_path / "again").exists()
    house.home.rename(tmp_path / "gone")
    restored = house.run("restore", "--home", house.home, "--passphrase-fd", "0",
                         tmp_path / "x.backup", stdin="correct horse\n")
    assert "6 statements" in restored.stdout and "fork" in restored.stdout
    house.endorse("hotline.example", listed, at=DAY(3))
    assert house.audit(at=DAY(3)).returncode == 0


def test_a_backup_keeps_what_a_witness_has_signed(house, tmp_path):
    """`lindung host --witness` has it there; a witness that forgets it may sign a fork."""
    state = house.home / "witness" / ("ab" * 32) / "checkpoint"
    state.parent.mkdir(parents=True)
    state.write_text("what it signed last\n", encoding="ascii")
    assert backed_up(house, tmp_path / "x.backup").returncode == 0
    restored = house.run("restore", "--home", tmp_path / "again", "--passphrase-fd", "0",
                         tmp_path / "x.backup", stdin="correct horse\n")
    again = tmp_path / "again" / state.relative_to(house.home)
    assert again.read_bytes() == state.read_bytes()
    assert "witness" in restored.stdout


def test_what_is_restored_is_its_owners_alone_wherever_it_stands(house, tmp_path):
    """But for the public part of the log; in a place named .../logs/, and with a slash behind it."""
    place = tmp_path / "logs" / "again"
    place.parent.mkdir()
    assert backed_up(house, tmp_path / "x.backup").returncode == 0
    house.run("restore", "--home", f"{place}/", "--passphrase-fd", "0", tmp_path / "x.backup",
              stdin="correct horse\n")
    assert [path.name for path in place.parent.iterdir()] == ["again"]
    modes = {name: (place / name).stat().st_mode & 0o777
             for name in (".", "keys", "log", "log/tile", "log/tile/entries", "log/.private")}
    assert modes == {".": 0o755, "keys": 0o700, "log": 0o755, "log/tile": 0o755,
                     "log/tile/entries": 0o755, "log/.private": 0o700}


@pytest.mark.parametrize("at", [0, 30, 200, -1])
def test_a_backup_that_was_changed_or_cut_is_refused(house, tmp_path, at):
    path = tmp_path / "x.backup"
    backed_up(house, path)
    sealed = bytearray(path.read_bytes())
    sealed[at] ^= 1
    path.write_bytes(sealed)
    refused = house.run("restore", "--home", tmp_path / "again", "--passphrase-fd", "0", path,
                        stdin="correct horse\n", check=False)
    assert refused.returncode != 0 and not list(tmp_path.glob("again*"))
    sealed[at] ^= 1
    path.write_bytes(sealed[:-1])
    refused = house.run("restore", "--home", tmp_path / "again", "--passphrase-fd", "0", path,
                        stdin="correct horse\n", check=False)
    assert refused.returncode == 1 and not list(tmp_path.glob("again*"))


def test_age_and_tar_read_a_backup_for_a_recipient(house, tmp_path):
    recipient = age_keygen(tmp_path / "id.age")
    assert backed_up(house, tmp_path / "x.backup", "-r", recipient).returncode == 0
    subprocess.run(["age", "-d", "-i", tmp_path / "id.age", "-o", tmp_path / "x.tar",
                    tmp_path / "x.backup"], check=True)
    with tarfile.open(tmp_path / "x.tar") as tar:
        names = tar.getnames()
        assert names[0] == "lindung-backup" and "keys/log.key" in names and "policy" in names
        assert tar.extractfile("policy").read() == (house.home / "policy").read_bytes()
    house.run("restore", "--home", tmp_path / "again", "-i", tmp_path / "id.age",
              tmp_path / "x.backup")
    assert (tmp_path / "again/keys/log.key").read_bytes() == \
        (house.home / "keys/log.key").read_bytes()


def test_a_tar_that_leaves_its_place_is_refused(house, tmp_path):
    recipient = age_keygen(tmp_path / "id.age")
    for name in ("../out", "/out", "a/../../out", "a//b", "./a"):
        (tmp_path / "head").write_text("lindung backup 1\nmade by hand\n")
        with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            tar.add(tmp_path / "head", "lindung-backup")
            info = tarfile.TarInfo(name)
            tar.addfile(info)
        subprocess.run(["age", "-r", recipient, "-o", tmp_path / "x.backup", tmp_path / "x.tar"],
                       check=True)
        refused = house.run("restore", "--home", tmp_path / "again", "-i", tmp_path / "id.age",
                            tmp_path / "x.backup", check=False)
        assert refused.returncode == 1 and not list(tmp_path.glob("again*")), name
        (tmp_path / "x.backup").unlink()


def test_a_backup_of_version_1_restores(house, root, tmp_path):
    """Written by the first version that could; whatever comes later reads it."""
    kept = root / "tests/log/backup-1.age"
    restored = house.run("restore", "--home", tmp_path / "again", "--passphrase-fd", "0", kept,
                         stdin="a backup of version 1\n")
    assert "made 2026-11-02T08:00:00Z" in restored.stdout
    assert house.run("audit", "--home", tmp_path / "again", "--at", DAY(4)).returncode == 0


def wait_for_port(port):
    """Until somebody listens there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nobody listens")


def test_what_goes_into_a_directory_is_shown_to_the_witnesses_first(lindung, tmp_path):
    """With `lindung host` as a witness; by the clock of the day, which it signs."""
    witness, port = Key("w.witness.example", kind=4), free_port()
    witness.save(tmp_path / "witness.key")
    policy = re.sub("^popular", f"witness   w {witness.verifier} http://127.0.0.1:{port}\n"
                    "quorum    w\nmax-age   1d\npopular", POLICY, flags=re.MULTILINE)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    arguments = [lindung.path, "host", "--listen", f"127.0.0.1@{port}", "--witness",
                 tmp_path / "witness.key", "--witnessed", Key(ORIGIN).verifier, tmp_path / "witness"]
    (tmp_path / "witness").mkdir()
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as host:
        try:
            wait_for_port(port)
            house = House(lindung, tmp_path, policy=policy, start=now)
            house.list("ngo.example", "gambling", "casino.example")
            status = json.loads(house.run("status", "--home", house.home, "--json").stdout)
            assert status["witnesses"] == [{"witness": "w.witness.example", "signed": True}]
            assert status["statements"] == 6
        finally:
            host.terminate()
    # Without its witness the log acknowledges nothing, and says why.
    refused = house.list("ngo.example", "gambling", "bet.example", check=False)
    assert refused.returncode == 1 and "witness" in refused.stderr
