# SPDX-License-Identifier: BSD-2-Clause
"""Statements: ours and a reader written from formats/statement.md agree on every text."""
import pathlib
import random
import re
import subprocess
import unicodedata

import pytest

import statement_reader

VECTORS = pathlib.Path(__file__).parent / "vectors" / "statements.txt"


def vectors():
    """(name, is it good, what is expected, octets)."""
    for record in re.split(rb"^=== ", VECTORS.read_bytes(), flags=re.MULTILINE)[1:]:
        head, _, body = record.partition(b"\n")
        body = re.sub(rb"\\x(..)", lambda m: bytes([int(m[1], 16)]), body.split(b"\\z")[0])
        good, rest = head.decode().split(" ", 1)
        name, expected = re.split(": | ", rest, maxsplit=1)
        yield name, good == "good", expected, body


@pytest.fixture(scope="module")
def ask(build_dir):
    """What statement_tool says to many lines at once."""

    def run(lines):
        result = subprocess.run([build_dir / "src" / "log" / "statement_tool"],
                                input="\n".join(lines) + "\n", text=True, capture_output=True,
                                check=True)
        said = result.stdout.splitlines()
        assert len(said) == len(lines)
        return said

    return run


def compare(ask, texts):
    """Both readers' word on each text; returns how many were good."""
    good = 0
    for text, said in zip(texts, ask([f"statement {text.hex()}" for text in texts])):
        try:
            theirs = "ok " + statement_reader.read(text)
            good += 1
        except statement_reader.Refused as refused:
            theirs = f"no {refused}"
        assert said == theirs or (said[:3] == theirs[:3] == "no "), (text, said, theirs)
    return good


def test_vectors(ask):
    found = list(vectors())
    assert len(found) > 150
    assert compare(ask, [v[3] for v in found]) == sum(v[1] for v in found)


PIECES = [b"\n", b" ", b": ", b"0", b"1", b"z", b"A", b".", b"-", b"=", b"*.", b"/", b"%41", b"%C3",
          b"root", b"inline ", b"block ", b"sealed ", b"2000000", b"2026-11-22", b"T07:00:00Z", b"\xcc\x81",
          b"\xe2\x80\xae", b"\xff", b"list", b"allow", b"appeal", b"endorse", b"a.example", b"?", b"#", b"_"]


def mutated(rng, text, all_lines):
    """One or two small changes: octets, lines taken out, doubled, exchanged or of another text."""
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.randrange(6)
        at = rng.randrange(len(text))
        lines = text.split(b"\n")
        line = rng.randrange(len(lines))
        if kind == 0:
            text = text[:at] + rng.choice(PIECES) + text[at + 1:]
        elif kind == 1:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 2:
            text = text[:at] + text[at + rng.randrange(1, 4):]
        elif kind == 3:
            text = b"\n".join(lines[:line] + lines[line + 1:])
        elif kind == 4:
            text = b"\n".join(lines[:line] + [rng.choice(all_lines)] + lines[line + 1:])
        else:
            other = rng.randrange(len(lines))
            lines[line], lines[other] = lines[other], lines[line]
            text = b"\n".join(lines)
        text = text or b"\n"
    return text


def test_changed_texts(ask):
    rng = random.Random(20261122)
    texts = [v[3] for v in vectors() if v[1] and len(v[3]) < 4096]
    lines = [line for text in texts for line in text.split(b"\n")]
    changed = [mutated(rng, rng.choice(texts), lines) for _ in range(20000)]
    good = compare(ask, changed)
    assert 500 < good < 19000, "both kinds are tried"


def test_text_for_people_is_what_unicode_says(ask):
    """Every character, alone, and with an accent behind it."""
    if unicodedata.unidata_version != "14.0.0":
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}, the format has 14.0")
    codes = [c for c in range(0x20000) if not 0xd800 <= c < 0xe000]
    codes += [*range(0x2f800, 0x2fa20), 0x30000, 0x3134a, 0x3134b, 0xe0001, 0xe0100, 0xe0101,
              0xf0000, 0x10fffd, 0x10ffff]
    texts = [chr(c) for c in codes] + [chr(c) + "\u0301" for c in codes]
    said = ask([f"prose {text.encode().hex()}" for text in texts])
    wrong = [text for text, answer in zip(texts, said)
             if (answer == "ok") != statement_reader.is_prose(text)]
    assert wrong == []


def test_the_table_of_characters_is_fresh(root):
    if unicodedata.unidata_version != "14.0.0":
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}")
    made = subprocess.run(["/usr/bin/python3", root / "tools" / "prose-table"], text=True,
                          capture_output=True, check=True).stdout
    assert made == (root / "src" / "name" / "prose_table.h").read_text(encoding="utf-8")


def test_order_of_entries(ask):
    rng = random.Random(4)
    labels = ["a", "b", "a-b", "ab", "a_b", "z9", "xn--80ak6aa92e", "example", "0"]
    entries = set()
    while len(entries) < 3000:
        host = ".".join(rng.choice(labels) for _ in range(rng.randrange(2, 5)))
        entries.add(rng.choice(["", "", "=", "*."]) + host if rng.random() < 0.6 else
                    host + "/" + "/".join(rng.choice(labels) for _ in range(rng.randrange(3))))
    entries = sorted(entries)
    said = ask([f"entry {entry.encode().hex()}" for entry in entries])
    taken = [(answer[3:], entry) for answer, entry in zip(said, entries) if answer != "no"]
    assert len(taken) > 1000
    ours = [entry for _, entry in sorted((bytes.fromhex(key), entry) for key, entry in taken)]
    assert ours == sorted(ours, key=statement_reader.order_of)
    for answer, entry in zip(said, entries):
        try:
            statement_reader.order_of(entry)
            assert answer != "no", entry
        except statement_reader.Refused:
            assert answer == "no", entry
