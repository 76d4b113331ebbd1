# SPDX-License-Identifier: BSD-2-Clause
"""`lindung key`: new keys, what is public of them, passphrases; never on the command line."""
import os
import pty
import re
import select
import subprocess
import time

import pytest


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def key(lindung, home):
    """Run `lindung key ...` with lines on a descriptor of its own."""

    def run(*arguments, passphrases=None):
        command = [str(lindung.path), "key", *map(str, arguments), "--home", str(home)]
        if passphrases is None:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  start_new_session=True, timeout=60, check=False)
        read, write = os.pipe()
        os.write(write, "".join(p + "\n" for p in passphrases).encode())
        os.close(write)
        try:
            return subprocess.run([*command, "--passphrase-fd", str(read)], pass_fds=[read],
                                  capture_output=True, text=True, timeout=60, check=False)
        finally:
            os.close(read)

    return run


VERIFIER = re.compile(r"hotline\.example\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n")


def test_a_new_key_is_encrypted_and_its_public_half_needs_no_passphrase(key, home):
    made = key("new", "hotline.example", passphrases=["correct horse"])
    assert made.returncode == 0, made.stderr
    assert VERIFIER.fullmatch(made.stdout)
    file = home / "keys" / "hotline.example.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (home / "keys").stat().st_mode & 0o077 == 0
    assert "argon2id" in file.read_text() and "correct horse" not in file.read_text()
    for name in (["hotline.example"], [str(file)], []):
        assert key("show", *name).stdout == made.stdout


def test_no_key_is_written_over(key, home):
    assert key("new", "--bare", "hotline.example").returncode == 0
    file = home / "keys" / "hotline.example.key"
    before = file.read_bytes()
    for arguments in (["new", "--bare", "hotline.example"],
                      ["new", "--age", "x", "--output", file]):
        again = key(*arguments)
        assert again.returncode == 1 and "is there already" in again.stderr
    assert file.read_bytes() == before


def test_another_passphrase(key, home):
    made = key("new", "hotline.example", passphrases=["correct horse"]).stdout
    file = home / "keys" / "hotline.example.key"
    before = file.read_bytes()
    refused = key("passphrase", "hotline.example", passphrases=["wrong horse", "battery staple"])
    assert refused.returncode == 1 and "passphrase does not open" in refused.stderr
    short = key("passphrase", "hotline.example", passphrases=["correct horse", "short"])
    assert short.returncode == 1 and "shorter than 8" in short.stderr
    assert file.read_bytes() == before
    changed = key("passphrase", passphrases=["correct horse", "battery staple"])
    assert changed.returncode == 0, changed.stderr
    assert file.read_bytes() != before
    assert key("show").stdout == made
    assert key("passphrase", passphrases=["correct horse", "xxxxxxxx"]).returncode == 1
    bare = key("passphrase", "--bare", passphrases=["battery staple"])
    assert bare.returncode == 0 and "encryption: none" in file.read_text()
    assert key("show").stdout == made
    assert sorted(p.name for p in file.parent.iterdir()) == ["hotline.example.key"]


def test_without_a_terminal_nothing_is_made(key, home):
    made = key("new", "hotline.example")
    assert made.returncode == 1 and "--passphrase-fd" in made.stderr
    assert not (home / "keys" / "hotline.example.key").exists()


def test_a_witness_and_a_log(key, home, tmp_path):
    witness = key("new", "--witness", "--bare", "witness.example")
    assert re.fullmatch(r"witness\.example\+[0-9a-f]{8}\+B[A-P][A-Za-z0-9+/]{42}\n", witness.stdout)
    log = key("new", "--bare", "log.example/asean")
    assert log.returncode == 1 and "--output" in log.stderr
    log = key("new", "--bare", "log.example/asean", "--output", tmp_path / "log.key")
    assert log.stdout.startswith("log.example/asean+")
    assert not list((home / "keys").glob("log*"))


def test_a_key_of_age(key, home):
    made = key("new", "--age", "hotline.example")
    assert re.fullmatch(r"age1[a-z0-9]{58}\n", made.stdout), made.stderr
    file = home / "keys" / "hotline.example.age"
    assert file.stat().st_mode & 0o777 == 0o600
    assert key("show", "--age").stdout == made.stdout
    assert key("show", "--age", "hotline.example").stdout == made.stdout
    theirs = subprocess.run(["age-keygen", "-y", file], capture_output=True, text=True, check=True)
    assert theirs.stdout == made.stdout
    # The other way round: two of theirs in one file.
    lines = [subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
             for _ in range(2)]
    other = home / "keys" / "other.age"
    other.write_text("".join(lines))
    assert sorted(key("show", "--age", "other").stdout.split()) == sorted(
        re.findall("age1[a-z0-9]+", "".join(lines)))


WRONG = [
    ([], 2, "expected new, show or passphrase"),
    (["forge", "x"], 2, "expected new, show or passphrase"),
    (["new"], 2, "Give a name"),
    (["new", "a.example", "b.example"], 2, "one key at a time"),
    (["passphrase", "--age", "x"], 2, "not encrypted here"),
    (["new", "--bare", "a b"], 1, "name"),
    (["new", "--bare", "a+b"], 1, "name"),
    (["new", "--bare", "../x"], 1, "--output"),
    (["new", "--bare", ".x"], 1, "--output"),
    (["new", "--bare", "x", "--output", "/nowhere/x.key"], 1, "/nowhere/x.key"),
    (["show", "nobody.example"], 1, "nobody.example.key"),
    (["show", "--age", "nobody.example"], 1, "nobody.example.age"),
    (["show"], 1, "there is no key"),
    (["show", "--passphrase-fd", "77"], 1, "not open"),
    (["show", "/dev/null"], 1, "/dev/null"),
]


@pytest.mark.parametrize("arguments,status,what", WRONG, ids=lambda x: " ".join(x) if isinstance(x, list) else None)
def test_what_is_wrong_is_said(key, arguments, status, what):
    result = key(*arguments)
    assert result.returncode == status
    assert what in result.stderr and result.stdout == ""


class Terminal:
    """What comes on a terminal, in order."""

    def __init__(self, fd):
        self.fd, self.seen, self.at = fd, b"", 0

    def wait(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.seen[self.at:]:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], self.seen
            self.seen += os.read(self.fd, 1024)
        self.at = self.seen.index(text, self.at) + len(text)


def test_asked_twice_on_the_terminal_without_echo(lindung, home):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(lindung.path, ["lindung", "key", "new", "hotline.example", "--home", str(home)])
    terminal = Terminal(fd)
    for prompt, answer in ((b"none): ", b"correct horse"), (b"again: ", b"correct hose"),
                           (b"differ", None), (b"none): ", b"seven77"),
                           (b"At least 8", None), (b"none): ", b"correct horse"),
                           (b"again: ", b"correct horse")):
        terminal.wait(prompt)
        if answer is not None:
            os.write(fd, answer + b"\n")
    terminal.wait(b"for others")
    # Closed before it has ended, the terminal would hang up on it.
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(fd)
    assert not any(word in terminal.seen for word in (b"horse", b"hose", b"seven77"))
    assert VERIFIER.search(terminal.seen.decode().replace("\r\n", "\n"))
    assert "argon2id" in (home / "keys" / "hotline.example.key").read_text()
