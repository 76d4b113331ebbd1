# SPDX-License-Identifier: BSD-2-Clause
"""query, dump, verify, diff, edit; and the examples of the library."""
import json
import os
import random
import subprocess

import pytest

LISTS = """# lindung list 1
block\tgambling\tcasino.example.com\tut1,emta
allow\tgambling\thelp.casino.example.com\tline
block\tadult\t=cam.example.com\tut1
block\tadult\tphotos.example.com/user/1\tut1
rewrite\tsearch\t=www.search.example.com\tsafe\tCNAME strict.search.example.com
block\tscam\txn--bcher-kva.example.com\tx
"""


@pytest.fixture
def image(compiled):
    return compiled(LISTS)


def test_query_for_people(lindung, image):
    result = lindung("query", image, "www.casino.example.com")
    assert result.returncode == 1
    assert result.stdout == ("blocked    www.casino.example.com  gambling  by casino.example.com"
                             "  (emta, ut1)\n")
    assert lindung("query", image, "other.example.com").stdout == "allowed    other.example.com\n"


@pytest.mark.parametrize("names,status", [
    (["other.example.com"], 0), (["casino.example.com"], 1), (["help.casino.example.com"], 0),
    (["a.cam.example.com"], 0), (["CAM.example.com."], 1), (["photos.example.com"], 0),
    (["http://photos.example.com/user/1/x"], 1), (["www.search.example.com"], 0),
    (["b\u00fccher.example.com"], 1), (["https://b\u00fccher.example.com:80/a?b"], 1),
    (["other.example.com", "casino.example.com"], 1), (["casino.example.com", ".."], 2),
    (["a" * 64 + ".com"], 2),
])
def test_query_exit_codes(lindung, image, names, status):
    assert lindung("query", image, *names).returncode == status


def test_query_reads_names_from_standard_input(lindung, image):
    result = lindung("query", "--json", image, "-",
                     stdin="casino.example.com\r\n\n  other.example.com\n\x1b[2J.example.com")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [a["verdict"] for a in answers] == ["block", "allow", "allow"]
    assert "\x1b" not in result.stdout
    plain = lindung("query", image, "-", stdin="\x1b[2J.example.com\n")
    assert "\x1b" not in plain.stdout and "\\x1b[2J" in plain.stdout


def test_query_as_json(lindung, image):
    answer = json.loads(lindung("query", "--json", "--explain", image,
                                "help.casino.example.com").stdout)
    assert answer["verdict"] == "allow" and answer["allowed"] == ["gambling"]
    assert answer["entry"] == "help.casino.example.com" and answer["sources"] == ["line"]
    assert [(r["entry"], r["decides"]) for r in answer["reasons"]] == [
        ("help.casino.example.com", True), ("casino.example.com", False),
        ("casino.example.com", False)]
    answer = json.loads(lindung("query", "--json", image, "www.search.example.com").stdout)
    assert (answer["verdict"], answer["target"]) == ("rewrite", "CNAME strict.search.example.com")


def test_query_of_some_categories(lindung, image):
    assert lindung("query", "-c", "adult", image, "casino.example.com").returncode == 0
    assert lindung("query", "-c", "adult,gambling", image, "casino.example.com").returncode == 1
    result = lindung("query", "-c", "vegetables", image, "casino.example.com")
    assert result.returncode == 2 and "vegetables" in result.stderr and "gambling" in result.stderr


def test_dump_in_other_formats(lindung, image, tmp_path):
    result = lindung("dump", "-f", "domains", image)
    assert [n for n in result.stdout.splitlines() if n[0] != "#"] == ["xn--bcher-kva.example.com"]
    assert "exceptions, left out" in result.stderr and "by URL, left out" in result.stderr
    for name in ("chromium", "firefox"):
        output = tmp_path / f"{name}.json"
        assert lindung("dump", "-f", name, "--output", output, image).returncode == 0
        json.loads(output.read_text(encoding="utf-8"))
        assert "entries written" in (tmp_path / f"{name}.json.note.txt").read_text(encoding="utf-8")
    result = lindung("dump", "-f", "hosts", "-c", "adult", "--sink", "192.0.2.9", image)
    assert "192.0.2.9 cam.example.com" in result.stdout
    assert "casino" not in result.stdout
    result = lindung("dump", "-c", "adult", image)
    assert "cam.example.com" in result.stdout and "casino" not in result.stdout


def test_dump_refuses_to_cut_unless_told(lindung, compiled, tmp_path):
    image = compiled("\n".join(f"n{i}.example.com" for i in range(1500)) + "\n", "-c", "adult")
    output = tmp_path / "policy.json"
    result = lindung("dump", "-f", "chromium", "--output", output, image)
    assert result.returncode == 1 and not output.exists()
    assert lindung("dump", "-f", "chromium", "--cut", "--output", output, image).returncode == 0
    assert len(json.loads(output.read_text(encoding="utf-8"))["URLBlocklist"]) == 1000


def test_verify(lindung, image):
    result = lindung("verify", "--json", image)
    facts = json.loads(result.stdout)
    assert result.returncode == 0 and facts["whole"]
    assert facts["categories"] == {"adult": 2, "gambling": 2, "scam": 1, "search": 1}
    assert facts["sources"] == {"ut1": 3, "emta": 1, "line": 1, "safe": 1, "x": 1}
    assert (facts["keys"], facts["entries"]) == (6, 6)
    assert "gambling" in lindung("verify", image).stdout


def test_images_that_are_none(lindung, image, tmp_path):
    good = image.read_bytes()
    chance = random.Random(1)
    newer = bytearray(good)
    newer[8] = 9
    bad = {"empty": b"", "text": b"a.example.com\n" * 500, "cut": good[:-64], "head": good[:300],
           "newer": bytes(newer)}
    for i in range(60):
        changed = bytearray(good)
        changed[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
        bad[f"bit{i}"] = bytes(changed)
    path = tmp_path / "bad.ldx"
    for name, content in bad.items():
        path.write_bytes(content)
        result = lindung("verify", path)
        padding = name.startswith("bit") and result.returncode == 0
        assert padding or (result.returncode == 1 and "bad.ldx" in result.stderr), name
        if not name.startswith("bit"):
            for command in (["query", path, "a.com"], ["diff", path, image]):
                assert lindung(*command).returncode == 2, (name, command)
            assert lindung("dump", path).returncode == 1
        else:  # wrong answers at worst
            for command in (["query", path, "casino.example.com"], ["dump", path]):
                assert lindung(*command).returncode in (0, 1, 2), (name, command)
    assert lindung("verify", tmp_path / "missing").returncode == 1


def test_no_bit_outside_padding_changes_unseen(lindung, image, tmp_path):
    good, path, unseen = image.read_bytes(), tmp_path / "bad.ldx", []
    for at in random.Random(3).sample(range(len(good)), 300):
        changed = bytearray(good)
        changed[at] ^= 0xff
        path.write_bytes(changed)
        if lindung("verify", path).returncode == 0:
            unseen.append(at)
    # What no hash covers is the fill between sections, which says nothing.
    assert all(good[at] == 0 for at in unseen)


def test_diff(lindung, compiled):
    old = compiled("a.example.com\nb.example.com\n", "-c", "adult", "-s", "x")
    new = compiled("a.example.com\nc.example.com\nc.example.com/p\n", "-c", "adult", "-s", "x")
    result = lindung("diff", old, new)
    assert result.returncode == 1
    assert result.stdout.splitlines()[:3] == ["-\tblock\tadult\tb.example.com\tx",
                                              "+\tblock\tadult\tc.example.com\tx",
                                              "+\tblock\tadult\tc.example.com/p\tx"]
    *changes, summary = map(json.loads, lindung("diff", "--json", old, new).stdout.splitlines())
    assert [(c["change"], c["entry"]) for c in changes] == [
        ("went", "b.example.com"), ("came", "c.example.com"), ("came", "c.example.com/p")]
    assert summary == {"came": 2, "went": 1, "sealed_old": 0, "sealed_new": 0,
                       "categories": {"adult": {"came": 2, "went": 1}}}
    assert json.loads(lindung("diff", "--json", "-s", old, new).stdout) == summary
    assert lindung("diff", new, new).returncode == 0


def test_edit(lindung, compiled, dumped, tmp_path):
    base = compiled("# lindung list 1\nblock\tgambling\tcasino.example.com\tut1\n"
                    "block\tscam\tcasino.example.com\tx\nblock\tgambling\tbet.example.com\tut1\n")
    overlay = tmp_path / "overlay.ldx"
    edit = lambda *words: lindung("edit", "-o", overlay, "--base", base, *words)
    assert edit("add", "adult", "casino.example.com").returncode == 0
    with_base = dumped(base, "-o", overlay)
    assert ("block", "adult", "casino.example.com", frozenset({"edit"})) in with_base
    assert ("block", "scam", "casino.example.com", frozenset({"x"})) in with_base
    assert len(with_base) == 4
    assert edit("allow", "gambling", "casino.example.com", "allow", "*",
                "school.bet.example.com").returncode == 0
    ask = lambda *words: lindung("query", "-o", overlay, *words).returncode
    assert ask("-c", "gambling", base, "casino.example.com") == 0
    assert ask("-c", "scam", base, "casino.example.com") == 1
    assert ask(base, "school.bet.example.com") == 0 and ask(base, "bet.example.com") == 1
    assert edit("remove", "casino.example.com", "remove", "nothing.example.com").returncode == 0
    assert ask(base, "casino.example.com") == 0
    assert {e[:3] for e in dumped(overlay)} == {("remove", "*", "casino.example.com"),
                                                ("allow", "*", "school.bet.example.com")}
    assert edit("add", "scam", "casino.example.com").returncode == 0
    assert {e[:3] for e in dumped(base, "-o", overlay) if "casino" in e[2]} == {
        ("block", "scam", "casino.example.com")}


@pytest.mark.parametrize("entry,says", [
    ("co.uk", "public suffix"), ("com", "single label"), ("kidshelpline.com.au", "protected"),
    ("192.0.2.1", "IP address"), ("a..b", "not a domain name")])
def test_edit_refuses_what_compile_refuses(lindung, tmp_path, entry, says):
    overlay = tmp_path / "overlay.ldx"
    assert lindung("edit", "-o", overlay, "add", "adult", "a.example.com").returncode == 0
    before = overlay.read_bytes()
    result = lindung("edit", "-o", overlay, "add", "adult", entry)
    assert result.returncode == 1 and says in result.stderr
    assert overlay.read_bytes() == before
    overlay.write_bytes(before[:-1])
    assert lindung("edit", "-o", overlay, "add", "adult", "b.example.com").returncode == 1
    assert overlay.read_bytes() == before[:-1]


def test_edits_are_as_one_image_from_scratch(lindung, compiled, tmp_path):
    """Any edits over a base answer as the same entries compiled anew."""
    chance = random.Random(5)
    names = ["a.com", "b.a.com", "c.b.a.com", "=a.com", "*.b.a.com", "x.com", "=y.x.com"]
    site = lambda entry: entry.lstrip("=*").lstrip(".")
    for _ in range(6):
        model = {(site(e), e, c): "block" for e in names for c in ("adult", "scam")
                 if chance.random() < .4}
        text = lambda m: "# lindung list 1\n" + "".join(
            f"{action}\t{c}\t{e}\tx\n" for (_, e, c), action in m.items())
        base, overlay = compiled(text(model)), tmp_path / f"o{chance.random()}"
        for _ in range(8):
            entry, category = chance.choice(names), chance.choice(["adult", "scam"])
            action = chance.choice(["add", "allow", "remove"])
            if action == "remove":
                words = [action, entry]
                model = {k: v for k, v in model.items() if k[0] != site(entry)}
            else:
                words = [action, category, entry]
                model[site(entry), entry, category] = "block" if action == "add" else "allow"
            result = lindung("edit", "-o", overlay, "-b", base, "--source", "x", *words)
            assert result.returncode == 0, result.stderr
        scratch = compiled(text(model))
        asked = [f"{p}{site(n)}" for n in names for p in ("", "www.")]
        # Sets: the numbers of categories, and with them their order, are each image's own.
        keep = lambda a: (a["verdict"], set(a["blocked"]), set(a["allowed"]))
        answers = [[keep(json.loads(line)) for line in lindung(
            "query", "--json", *options, "-", stdin="\n".join(asked)).stdout.splitlines()]
            for options in ((scratch,), ("-o", overlay, base))]
        assert answers[0] == answers[1], model
        assert len(answers[0]) == len(asked)


@pytest.mark.skipif("asan" in os.environ.get("LINDUNG_BUILD", ""),
                    reason="a library with sanitizers needs a program with them")
def test_the_examples(root, build_dir, image, tmp_path):
    library = build_dir / "src" / "liblindung.so.0"
    program = tmp_path / "closed"
    subprocess.run(["cc", "-Wall", "-Werror", "-o", program, root / "examples" / "closed.c",
                    "-I", root / "include", library], check=True)
    names = ["www.casino.example.com", "other.example.com"]
    expected = "www.casino.example.com: closed\nother.example.com: open\n"
    run = lambda *command: subprocess.run(
        [*map(str, command), image, *names], capture_output=True, text=True, check=True,
        env=dict(os.environ, LD_LIBRARY_PATH=str(library.parent), LIBLINDUNG=str(library))).stdout
    assert run(program) == expected
    assert run("/usr/bin/python3", root / "examples" / "closed.py") == expected
