# SPDX-License-Identifier: BSD-2-Clause
"""Sealing is the age v1 format: the format's own test vectors, and Debian's age, both ways."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import zlib

import pytest

VECTORS = pathlib.Path(__file__).parent / "vectors" / "age"
EFORMAT, EDAMAGED, ELIMIT, EPASSPHRASE, EDENIED = -4, -6, -7, -26, -27

# What the vectors expect, and what we say.
ERRORS = {
    "header failure": EFORMAT,
    "HMAC failure": EDAMAGED,
    "payload failure": EDAMAGED,
    "no match": EDENIED,
}
# Where we say more than the vectors do: of a file that ends before or within the payload's nonce, that
# it is cut; of a passphrase, that it is another, or that the file asks for too much.
MORE = {
    "stream_no_nonce": EDAMAGED,
    "stream_short_nonce": EDAMAGED,
    "scrypt_bad_tag": EPASSPHRASE,
    "scrypt_no_match": EPASSPHRASE,
    "scrypt_work_factor_wrong": EPASSPHRASE,
    "scrypt_work_factor_23": ELIMIT,
}


@pytest.fixture
def tool(build_dir):
    """A line to statement_tool, and what it says."""
    process = subprocess.Popen([build_dir / "src" / "log" / "statement_tool"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(*words):
        process.stdin.write(" ".join(map(str, words)) + "\n")
        process.stdin.flush()
        return process.stdout.readline().rstrip("\n")

    yield ask
    process.stdin.close()
    assert process.wait() == 0


def vectors():
    found = sorted(p for p in VECTORS.iterdir() if p.name != "README.md")
    assert len(found) > 60
    return found


@pytest.mark.parametrize("path", vectors(), ids=lambda p: p.name)
def test_vector(path, tool, tmp_path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    fields = re.findall(r"^([a-zA-Z ]+): (.*)$", head.decode(), re.MULTILINE)
    values = dict(fields)
    if values.get("compressed") == "zlib":
        body = zlib.decompress(body)
    file = tmp_path / "sealed"
    file.write_bytes(body)
    secrets = [value for key, value in fields
               if key == "identity" and value.startswith("AGE-SECRET-KEY-1")]
    secrets += ["passphrase:" + value for key, value in fields if key == "passphrase"][:1]
    said = tool("unseal", ",".join(secrets), file)
    if values["expect"] == "success":
        assert said == "ok " + values["payload"]
    else:
        # Nothing of a payload that is cut or changed is handed over, not even what stood before.
        expected = MORE.get(path.name, ERRORS[values["expect"]])
        assert said.split(" ")[0] == str(expected), said


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Keys that age-keygen makes: (secret, recipient, file)."""
    assert shutil.which("age"), "Debian's package age is missing: tools/install-packages test"
    made = []
    for i in range(3):
        file = tmp_path_factory.mktemp("keys") / f"{i}.age"
        subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
        text = file.read_text()
        made.append((re.search("AGE-SECRET-KEY-1[A-Z0-9]+", text)[0],
                     re.search("age1[a-z0-9]+", text)[0], file))
    return made


SIZES = [0, 1, 65535, 65536, 65537, 131072, 1000003]


@pytest.mark.parametrize("size", SIZES)
def test_age_opens_what_we_seal(size, tool, pairs, tmp_path):
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(os.urandom(size))
    assert tool("seal", ",".join(pair[1] for pair in pairs[:2]), plain, sealed) == "ok"
    for _, _, identity in pairs[:2]:
        result = subprocess.run(["age", "-d", "-i", identity, sealed], capture_output=True,
                                check=True)
        assert result.stdout == plain.read_bytes()
    stranger = subprocess.run(["age", "-d", "-i", pairs[2][2], sealed], capture_output=True,
                              check=False)
    assert stranger.returncode != 0


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_age_seals(size, tool, pairs, tmp_path):
    content, sealed = os.urandom(size), tmp_path / "sealed"
    recipients = [word for pair in pairs[:2] for word in ("-r", pair[1])]
    subprocess.run(["age", *recipients, "-o", sealed], input=content, check=True)
    hashed = "ok " + hashlib.sha256(content).hexdigest()
    assert tool("unseal", pairs[0][0], sealed) == hashed
    assert tool("unseal", pairs[1][0], sealed) == hashed
    assert tool("unseal", pairs[2][0] + "," + pairs[1][0], sealed) == hashed
    assert tool("unseal", pairs[2][0], sealed).startswith(f"{EDENIED} none of the keys")


def test_armour_and_passphrases_are_not_taken(tool, pairs, tmp_path):
    sealed = tmp_path / "sealed"
    subprocess.run(["age", "-a", "-r", pairs[0][1], "-o", sealed], input=b"x", check=True)
    assert tool("unseal", pairs[0][0], sealed).startswith(f"{EFORMAT} ")
