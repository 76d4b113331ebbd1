# SPDX-License-Identifier: BSD-2-Clause
"""Attacks on a log and a list of many, one test a row of doc/threats.md, by the programs alone."""
import calendar
import hashlib
import re
import shutil
import subprocess
import time

import pytest

from house import ORIGIN, POLICY, House, Key, Web

DAY = "2026-11-{:02d}T08:00:00Z".format


@pytest.fixture
def house(lindung, tmp_path):
    """A log with five parties."""
    return House(lindung, tmp_path)


def blocked(house, name, at, **more):
    """Whether the name is closed in some category at that time."""
    text = house.why(name, at=at, **more)
    assert re.search(r"^(Closed|Open)", text, re.MULTILINE), text
    return re.search(r"^Closed", text, re.MULTILINE) is not None


def fields(party, time, action, *lines, log=ORIGIN):
    """The text of a statement by hand."""
    return "".join(f"{line}\n" for line in (
        "lindung statement 1", f"log: {log}", f"party: {party}", f"time: {time}",
        f"action: {action}", *lines)).encode()


def by_hand(path, key, text, block=b""):
    """A parcel that none of our programs made."""
    path.write_bytes(key.sign(text) + block)
    return path


def zstd(data, *options):
    """Packed by the zstd program, with the size in its header."""
    return subprocess.run(["zstd", "-q", "-19", *options, f"--stream-size={len(data)}", "-c"],
                          input=data, capture_output=True, check=True).stdout


GROUND = ("category: gambling", "jurisdiction: INT", "basis: agreement of 2026",
          "expires: 2027-06-01")


def test_a_stolen_party_key_closes_nothing_alone_and_is_revoked_backwards(house):
    listed = house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    assert blocked(house, "casino.example", DAY(4))
    # The thief has hotline.example's key from the 4th on.
    house.list("hotline.example", "gambling", "rival.example", at=DAY(4))
    assert not blocked(house, "rival.example", DAY(4))
    good = house.list("ministry.example", "gambling", "bet.example", at=DAY(4))
    house.endorse("hotline.example", good, at=DAY(4))
    assert blocked(house, "bet.example", DAY(5))
    house.revoke("hotline.example", at=DAY(5), since="2026-11-04T00:00:00Z")
    # What it said means nothing, and what rested on that neither; others may stand in for it.
    assert not blocked(house, "bet.example", DAY(5))
    house.endorse("isp.example", good, at=DAY(6))
    assert blocked(house, "bet.example", DAY(6))
    refused = house.list("hotline.example", "gambling", "more.example", at=DAY(6), check=False)
    assert refused.returncode == 1 and "revoked" in refused.stderr


def test_a_list_that_names_a_help_line_or_a_bank_closes_neither(lindung, tmp_path, root):
    (tmp_path / "popular.txt").write_text("bank.example\n", encoding="ascii")
    policy = POLICY.replace("popular   none", f"popular   {tmp_path}/popular.txt")
    policy = policy.replace("  sealed   allowed\ncategory phishing",
                            "  popular  state\n  sealed   allowed\ncategory phishing")
    house = House(lindung, tmp_path, policy=policy)
    line = re.search(r"^      - ([a-z.]+)", (root / "data/protected.yaml").read_text("utf-8"),
                     re.MULTILINE).group(1)
    refused = house.list("ngo.example", "gambling", line, at=DAY(3), check=False)
    assert refused.returncode == 1 and "protected" in refused.stderr
    shown = house.run("list", "--home", house.folder / "ngo.example", "-c", "gambling", "-j", "INT",
                      "-b", "agreement of 2026", "-e", "2027-06-01", "--dry-run", "--at", DAY(3),
                      "bank.example").stdout
    assert "Well known" in shown and "bank.example" in shown
    listed = house.list("ngo.example", "gambling", "bank.example", "casino.example", at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    assert blocked(house, "casino.example", DAY(3))
    assert not blocked(house, "bank.example", DAY(3))


def test_a_protected_name_stays_open_whatever_was_signed(house, tmp_path, root):
    line = re.search(r"^      - ([a-z.]+)", (root / "data/protected.yaml").read_text("utf-8"),
                     re.MULTILINE).group(1)
    text = fields("ngo.example", DAY(3), "list", *GROUND, "entries: inline 1", f" {line}")
    parcel = by_hand(tmp_path / "x", house.keys["ngo.example"], text)
    assert house.submit(parcel, at=DAY(3)).returncode == 0
    listed = hashlib.sha256(text).hexdigest()
    house.endorse("hotline.example", listed, at=DAY(3))
    told = house.why(line, at=DAY(3))
    assert told.startswith("Open") and "protected" in told


def test_the_attack_table_names_its_tests(root):
    """Every row has a test that is there, and every test of this file a row."""
    table = (root / "doc" / "threats.md").read_text("utf-8")
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    here = (root / "tests" / "log" / "test_threats.py").read_text("utf-8")
    tests = set(re.findall(r"^def (test_\w+)", here, re.MULTILINE))
    tests -= {"test_the_attack_table_names_its_tests"}
    assert tests <= set(re.findall(r"`(test_\w+)`", table))
    files = [*(root / "tests").rglob("*.py"), *(root / "src").rglob("*_test.c")]
    everywhere = "\n".join(path.read_text("utf-8") for path in files)
    for row in rows:
        named = re.findall(r"`([\w/.]+)`", row.split("|")[3])
        assert named, row
        for name in named:
            assert (root / name).exists() if "/" in name else f"{name}(" in everywhere, row


def test_a_block_of_another_hash_is_refused_and_found(house, tmp_path):
    content = b"".join(f"a{i:03}.example\n".encode() for i in range(300))
    packed = zstd(content)
    text = fields("ngo.example", DAY(3), "list", *GROUND,
                  f"entries: block sha256:{hashlib.sha256(packed).hexdigest()} count 300")
    other = by_hand(tmp_path / "other", house.keys["ngo.example"], text, zstd(content + b"b.example\n"))
    refused = house.submit(other, at=DAY(3))
    assert refused.returncode == 1 and "hash" in refused.stderr
    missing = by_hand(tmp_path / "missing", house.keys["ngo.example"], text)
    assert "block" in house.submit(missing, at=DAY(3)).stderr
    good = by_hand(tmp_path / "good", house.keys["ngo.example"], text, packed)
    assert house.submit(good, at=DAY(3)).returncode == 0
    assert house.audit(at=DAY(4)).returncode == 0
    stored = next((house.log / "block").iterdir())
    stored.chmod(0o644)
    stored.write_bytes(packed[:-1] + bytes([packed[-1] ^ 1]))
    found = house.audit(at=DAY(4), check=False)
    assert found.returncode == 1 and "block" in found.stdout


def test_a_decompression_bomb_is_refused_before_it_unpacks(house, tmp_path, build_dir):
    bomb = zstd(bytes(300 * 1024 * 1024))
    assert len(bomb) < 100_000
    text = fields("ngo.example", DAY(3), "list", *GROUND,
                  f"entries: block sha256:{hashlib.sha256(bomb).hexdigest()} count 300")
    parcel = by_hand(tmp_path / "bomb", house.keys["ngo.example"], text, bomb)
    # The shadow memory of a sanitizer takes terabytes of addresses.
    limit = "unlimited" if "asan" in build_dir.name else "600000"
    refused = subprocess.run(
        ["bash", "-c", f'ulimit -v {limit}; exec "$@"', "-", str(house.lindung.path), "submit", "--at",
         DAY(3), str(parcel), str(house.home)], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "unpacks to" in refused.stderr, refused.stderr


def test_a_statement_for_another_log_means_nothing_here(house, tmp_path):
    text = fields("ngo.example", DAY(3), "list", *GROUND, "entries: inline 1", " casino.example",
                  log="log.elsewhere.example")
    refused = house.submit(by_hand(tmp_path / "x", house.keys["ngo.example"], text), at=DAY(3))
    assert refused.returncode == 1 and "another log" in refused.stderr


def test_the_same_statement_twice_counts_once(house, tmp_path):
    text = fields("ngo.example", DAY(3), "list", *GROUND, "entries: inline 1", " casino.example")
    parcel = by_hand(tmp_path / "x", house.keys["ngo.example"], text)
    assert house.submit(parcel, at=DAY(3)).returncode == 0
    refused = house.submit(parcel, at=DAY(3))
    assert refused.returncode == 1 and "already" in refused.stderr


@pytest.mark.parametrize("time,what", [
    ("2026-11-03T08:11:00Z", "ahead"),
    ("2026-10-26T07:00:00Z", ""),
])
def test_a_clock_that_is_wrong_gets_nothing_in(house, tmp_path, time, what):
    text = fields("ngo.example", time, "list", *GROUND, "entries: inline 1", " casino.example")
    refused = house.submit(by_hand(tmp_path / "x", house.keys["ngo.example"], text), at=DAY(3))
    assert refused.returncode == 1 and what in refused.stderr


def test_what_a_party_says_is_not_backdated(house, tmp_path):
    house.list("ngo.example", "gambling", "casino.example", at=DAY(5))
    text = fields("ngo.example", DAY(4), "list", *GROUND, "entries: inline 1", " bet.example")
    refused = house.submit(by_hand(tmp_path / "x", house.keys["ngo.example"], text), at=DAY(5))
    assert refused.returncode == 1 and "lies before" in refused.stderr


def test_a_flood_stops_at_the_policys_limit(lindung, tmp_path):
    house = House(lindung, tmp_path, policy=POLICY.replace(
        "popular   none", "popular   none\nflood     statements 10"))
    for i in range(10):
        house.list("ngo.example", "gambling", f"a{i}.example", at=f"2026-11-03T08:00:{i:02}Z")
    refused = house.list("ngo.example", "gambling", "b.example", at="2026-11-03T08:01:00Z",
                         check=False)
    assert refused.returncode == 1 and "on that day" in refused.stderr
    house.list("hotline.example", "gambling", "b.example", at="2026-11-03T08:01:00Z")
    house.list("ngo.example", "gambling", "b.example", at=DAY(4))


@pytest.mark.parametrize("look_alike", [
    "hоtline.example",  # a Cyrillic o
    "hotline.example.",
    "Hotline.example",
    "hotline\u200b.example",
    "xn--htline-d4a.example",
])
def test_a_look_alike_of_a_party_is_no_party_or_another(house, look_alike):
    key = Key(look_alike)
    refused = house.run("party", "add", "--home", house.folder / "roots", "-k", "root-1", "-k",
                        "root-2", "--name", "Hotline of Examples", "--kind", "hotline", "--country",
                        "ID", "--party-key", key.verifier, "-j", "INT", "-b", "agreement of 2026",
                        "-e", "2028-01-01", "--yes", "--submit", "--at", DAY(3), check=False)
    if look_alike.startswith("xn--"):
        # An id in ASCII is what it is; it counts for itself, and is shown as it stands.
        assert refused.returncode == 0
        listed = house.run("party", "list", "--home", house.home, "--at", DAY(3)).stdout
        assert look_alike in listed and "hotline.example" in listed
    else:
        assert refused.returncode == 1, refused.stdout
        assert refused.stderr.isascii() or "hоtline" not in refused.stderr


def test_an_expired_root_takes_nobody_in(lindung, tmp_path):
    house = House(lindung, tmp_path)
    path = house.home / "policy"
    policy = path.read_text("ascii")
    path.write_text(re.sub(r"^root 2 ", "root 2 until 2026-11-10 ", policy, flags=re.MULTILINE),
                    "ascii")
    house.settle(house.folder / "roots")
    house.join("other.example", at=DAY(9))
    refused = house.join("late.example", at=DAY(11), check=False)
    assert refused.returncode == 1 and "root" in refused.stderr
    # Who was taken in stays in.
    listed = house.list("ngo.example", "gambling", "casino.example", at=DAY(12))
    house.endorse("other.example", listed, at=DAY(12))
    assert blocked(house, "casino.example", DAY(12))


def test_an_appeal_that_nobody_answers_suspends(house):
    listed = house.list("ngo.example", "gambling", "shop.example", "casino.example", at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    appeal = house.say("house.example", "appeal", "-r", "we sell flowers", listed, "shop.example",
                       at=DAY(4))
    assert blocked(house, "shop.example", DAY(17))
    assert "appeal" in house.run("status", "--home", house.home, "--at", DAY(17)).stdout
    assert not blocked(house, "shop.example", DAY(19))
    assert blocked(house, "casino.example", DAY(19))
    # An ISP is no judge here, and who listed it none in its own favour.
    house.say("ministry.example", "decide", "--reject", "-r", "it is a casino", appeal, at=DAY(20))
    house.say("isp.example", "decide", "--reject", "-r", "seen", appeal, at=DAY(20))
    own = house.say("ngo.example", "decide", "--reject", "-r", "seen", appeal, at=DAY(20),
                    check=False)
    assert own.returncode == 1 and "own favour" in own.stderr
    assert not blocked(house, "shop.example", DAY(20))
    house.say("hotline.example", "decide", "--reject", "-r", "seen", appeal, at=DAY(20))
    assert blocked(house, "shop.example", DAY(20))


def seconds(text):
    """Since 1970."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def follower(house, web, name="follower"):
    """A home that has the policy, and the URL."""
    home = house.folder / name
    house.settle(home)
    (home / "log.url").write_text(f"{web.url}\n", "ascii")
    return home


@pytest.fixture
def two_histories(lindung, tmp_path):
    """Two logs of one key: the second tells something else after the parties were taken in."""
    houses = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        houses.append(House(lindung, tmp_path / name))
    one, two = houses
    one.endorse("hotline.example", one.list("ngo.example", "gambling", "casino.example", at=DAY(3)),
                at=DAY(3))
    two.endorse("hotline.example", two.list("ngo.example", "gambling", "news.example", at=DAY(3)),
                at=DAY(3))
    two.list("isp.example", "gambling", "other.example", at=DAY(3))
    return one, two


def test_a_stolen_log_key_cannot_rewrite_what_was_seen(two_histories):
    one, two = two_histories
    with Web(one.log) as web:
        home = follower(one, web)
        assert blocked(one, "casino.example", DAY(4), home=home)
        web.folder = two.log  # the thief has the key, and signs another history
        told = one.run("why", "--home", home, "--at", DAY(4), "casino.example", check=False)
        assert told.returncode == 1 and "two histories" in told.stderr, told.stderr
        assert one.audit(at=DAY(4), home=home, check=False).returncode == 1
        web.folder = one.log
        assert blocked(one, "casino.example", DAY(4), home=home)


def test_a_mirror_that_goes_back_is_not_believed(house, tmp_path):
    house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    shutil.copytree(house.log, tmp_path / "old")
    house.list("ngo.example", "gambling", "bet.example", at=DAY(4))
    with Web(house.log) as web:
        home = follower(house, web)
        house.why("bet.example", at=DAY(4), home=home)
        web.folder = tmp_path / "old"
        told = house.run("why", "--home", home, "--at", DAY(4), "bet.example", check=False)
        assert told.returncode == 1 and "rolled back" in told.stderr, told.stderr


def test_a_mirror_that_lies_is_not_believed_and_nothing_of_it_is_kept(house):
    listed = house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    bundle = next((house.log / "tile" / "entries").rglob("7"))
    true = bundle.read_bytes()
    with Web(house.log) as web:
        home = follower(house, web)
        bundle.chmod(0o644)
        bundle.write_bytes(true.replace(b"casino.example", b"school.example"))
        told = house.run("why", "--home", home, "--at", DAY(4), "school.example", check=False)
        assert told.returncode == 1 and "checkpoint" in told.stderr
        bundle.write_bytes(true)
        assert blocked(house, "casino.example", DAY(4), home=home)


@pytest.fixture
def watched(lindung, tmp_path):
    """Two histories of one log, a policy that asks for one of two witnesses."""
    witnesses = [Key(f"witness-{i}.example", kind=4) for i in (1, 2)]
    lines = "".join(f"witness   w{i} {witness.verifier}\n" for i, witness in enumerate(witnesses))
    house = House(lindung, tmp_path)
    path = house.home / "policy"
    text = path.read_text("ascii")
    text = re.sub("^quorum none\n", f"{lines}group     watch 1 w0 w1\nquorum    watch\nmax-age   3d\n",
                  text, flags=re.MULTILINE)
    listed = house.list("ngo.example", "gambling", "casino.example", at=DAY(3))
    house.endorse("hotline.example", listed, at=DAY(3))
    path.write_text(text, "ascii")
    return house, witnesses


def cosign(house, witness, when):
    """Put a witness's line under the checkpoint."""
    path = house.log / "checkpoint"
    note = path.read_bytes()
    text = note[:note.index(b"\n\n") + 1]
    path.chmod(0o644)
    path.write_bytes(note + witness.cosign(text, seconds(when)))


def test_a_history_that_no_witness_has_seen_is_not_believed(watched):
    """So that a log cannot show one thing to one ISP and another to the next."""
    house, witnesses = watched
    with Web(house.log) as web:
        home = follower(house, web, "isp")
        told = house.run("why", "--home", home, "--at", DAY(4), "casino.example", check=False)
        assert told.returncode == 1 and "witness" in told.stderr
        cosign(house, Key("witness-1.example", "a thief's", kind=4), DAY(4))
        told = house.run("why", "--home", home, "--at", DAY(4), "casino.example", check=False)
        assert told.returncode == 1 and "witness" in told.stderr
        cosign(house, witnesses[1], DAY(4))
        assert blocked(house, "casino.example", DAY(4), home=home)


def test_a_stale_mirror_shows_as_frozen(watched):
    house, witnesses = watched
    cosign(house, witnesses[0], DAY(4))
    with Web(house.log) as web:
        home = follower(house, web)
        assert blocked(house, "casino.example", DAY(6), home=home)
        told = house.run("why", "--home", home, "--at", DAY(8), "casino.example", check=False)
        assert told.returncode == 1 and "the mirror is stale" in told.stderr, told.stderr
        cosign(house, witnesses[1], DAY(8))
        assert blocked(house, "casino.example", DAY(8), home=home)
