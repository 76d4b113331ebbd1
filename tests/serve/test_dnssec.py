# SPDX-License-Identifier: BSD-2-Clause
"""RFC 4035 and 6840 with a signed root of our own: what is bogus is not told, and why; what is
authentic is called so to those who ask; what we make ourselves never."""
import json
import pathlib
import shutil
import subprocess
import sys

import dns.flags
import pytest

from test_process import CAN_UNSHARE

AD, CD = dns.flags.AD, dns.flags.CD
# Name, type, DO, flags; then what is wanted: rcode, flags beside QR RD RA, records of the answer, code.
CASES = [
    ("good.example", "A", False, 0, "NOERROR", [], ["A"], None),
    ("good.example", "A", False, AD, "NOERROR", ["AD"], ["A"], None),
    ("good.example", "A", True, 0, "NOERROR", ["AD"], ["A", "RRSIG"], None),
    ("good.example", "A", True, CD, "NOERROR", ["AD", "CD"], ["A", "RRSIG"], None),
    ("changed.example", "A", False, 0, "SERVFAIL", [], [], 6),
    ("changed.example", "A", True, AD, "SERVFAIL", [], [], 6),
    ("changed.example", "A", False, CD, "NOERROR", ["CD"], ["A"], None),
    ("stripped.example", "A", True, 0, "SERVFAIL", [], [], 10),
    ("stripped.example", "A", True, CD, "NOERROR", ["CD"], ["A"], None),
    ("www.expired", "A", True, 0, "SERVFAIL", [], [], 7),
    ("www.expired", "A", True, CD, "NOERROR", ["CD"], ["A", "RRSIG"], None),
    ("www.plain", "A", True, AD, "NOERROR", [], ["A"], None),
    ("nothing.example", "A", True, 0, "NXDOMAIN", ["AD"], [], None),
    # What we made of it: the signatures of what was there do not stand for it.
    ("listed.example", "A", True, AD, "NXDOMAIN", [], [], 17),
    ("listed.example", "A", True, CD, "NXDOMAIN", ["CD"], [], 17),
    ("alias.example", "A", True, AD, "NOERROR", [], [], 17),
    ("home.example", "A", True, AD, "NOERROR", [], [], 17),
]


@pytest.fixture(scope="module")
def told(build_dir, lindung, tmp_path_factory):
    if not CAN_UNSHARE or not shutil.which("named") or not shutil.which("dnssec-signzone"):
        pytest.skip("no right to make a network of its own, or BIND is not installed")
    folder = tmp_path_factory.mktemp("signed")
    (folder / "names.txt").write_text("listed.example\n")
    done = lindung("compile", "-q", "--no-protected", "-o", folder / "image", "--category", "adult",
                   folder / "names.txt")
    assert done.returncode == 0, done.stderr
    config = {"listen": ["127.0.0.1@5300"], "threads": 1, "list": {"image": str(folder / "image")},
              "upstream": {"mode": "recursion", "trust-anchor": str(folder / "anchor"),
                           "timeout-ms": 6000},
              "metrics": {"listen": ""}}
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "questions").write_text(json.dumps([case[:4] for case in CASES]))
    room = pathlib.Path(__file__).with_name("signed_room.py")
    done = subprocess.run(["unshare", "-n", sys.executable, room, lindung.path, folder / "config.yaml",
                           "5300", folder], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("where", ["from upstream", "from the cache"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_rfc4035(told, number, where):
    _, _, do, _, rcode, flags, answer, code = CASES[number]
    got = told[number][0 if where == "from upstream" else 1]
    assert got["rcode"] == rcode, got
    assert sorted(set(got["flags"]) - {"QR", "RD", "RA"}) == flags, got
    assert [rdtype for rdtype, _ in got["answer"]] == answer, got
    assert got["do"] == do
    codes = [number for number, _ in got["edes"]]
    assert codes[:1] == ([code] if code is not None else []), got
    if code == 17:
        assert got["authority"] == ["SOA"], got
