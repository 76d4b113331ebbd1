# SPDX-License-Identifier: BSD-2-Clause
"""What formats/index.md says is what the program writes: a reader made from that page alone
(reader.py) finds in real images what was put into them, and judges as the program does."""
import json
import random
import struct

import pytest
import reader

NO_SUFFIXES = "// ===BEGIN ICANN DOMAINS===\ninvalid\n// ===END ICANN DOMAINS===\n"
ACTIONS = ("block", "allow", "rewrite", "remove")
KEYS = ["adult", "gambling", "drugs", "scam"]


def compile_list(lindung, tmp_path, lines, *options):
    """An image of these lines in our own format."""
    source, image, suffixes = tmp_path / "l.list", tmp_path / "i.ldx", tmp_path / "suffixes"
    source.write_text("# lindung list 1\n" + "".join(line + "\n" for line in lines))
    suffixes.write_text(NO_SUFFIXES)
    done = lindung("compile", "-q", "-o", image, "--no-protected", "--suffixes", suffixes,
                   "--date", "2026-11-22", *options, source)
    assert done.returncode == 0, done.stderr
    return image


def stand(image):
    """Every entry of an image as a line without sources, to its sources."""
    entries = {}
    before = b""
    labels = set()
    for key, number in image.keys():
        assert before < key, "keys rise"
        before = key
        labels.add(key.partition(b"/")[0].count(b"\x01") + 1)
        for rule in image.tuples[number]:
            what = "protect" if rule.flags & 4 else ACTIONS[rule.action]
            line = (what + "!" * (rule.flags & 1), rule.category.decode(),
                    reader.key_to_entry(key, rule.scope), rule.target.decode())
            entries.setdefault(line, set()).add(rule.source.decode())
    if labels:
        assert (image.labels_min, image.labels_max) == (min(labels), max(labels))
    return entries


def listed(text):
    """The same from lines in our own format.  What one source says of a name itself and of those
    below it is one entry for both."""
    scopes = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        action, category, entry, sources, *target = line.split("\t")
        scope = {"=": 1, "*": 2}.get(entry[0], 3)
        entry = entry.removeprefix("=").removeprefix("*.")
        for source in sources.split(","):
            key = (action, category, entry, "".join(target), source)
            scopes[key] = scopes.get(key, 0) | scope
    entries = {}
    for (action, category, entry, target, source), scope in scopes.items():
        mark = {1: "=", 2: "*."}.get(scope, "")
        entries.setdefault((action, category, mark + entry, target), set()).add(source)
    return entries


def random_lines(rng, count, names):
    """Entries of every kind."""
    for _ in range(count):
        action = rng.choice(["block"] * 8 + ["block!", "allow", "allow!", "rewrite"])
        entry = rng.choice(["", "", "", "=", "*."]) + rng.choice(names)
        target = ""
        if action == "rewrite":
            target = f"\tA 192.0.2.{rng.randrange(1, 9)}"
        elif rng.random() < 0.1:
            path = "".join(rng.choice("abcXYZ019-_~!()") for _ in range(rng.choice([1, 9, 300])))
            entry = entry.removeprefix("=").removeprefix("*.") + "/" + path
        yield f"{action}\t{rng.choice(KEYS)}\t{entry}\ts{rng.randrange(5)}{target}"


def names_make(rng, count):
    """Hosts that are parents and siblings of each other."""
    names = ["example.com"]
    while len(names) < count:
        label = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789")
                        for _ in range(rng.choice([1, 3, 12, 40])))
        parent = rng.choice(names + ["com", "net", "co.uk"])
        if len(parent) < 200:
            names.append(label + "." + parent)
    return names


def check_image(lindung, path, expected, asked):
    """Entries, look-ups and verdicts of an image."""
    image = reader.Image(path.read_bytes())
    assert stand(image) == expected
    dump = lindung("dump", path)
    assert dump.returncode == 0, dump.stderr
    assert listed(dump.stdout) == expected
    keys = dict(image.keys())
    assert len(keys) == image.count
    for key in list(keys)[::max(1, len(keys) // 300)]:
        assert image.may_hold(key)
        assert image.find(key) == keys[key], key
        assert image.find(key + b"\x01x") == keys.get(key + b"\x01x")
    answers = lindung("query", "--json", path, "-", stdin="\n".join(asked) + "\n").stdout
    answers = [json.loads(line) for line in answers.splitlines()]
    assert len(answers) == len(asked)
    for host, answer in zip(asked, answers):
        protected, blocked, allowed, target = reader.judge(image, host)
        assert answer["query"] == host
        assert answer["protected"] == protected
        assert set(answer["blocked"]) == {b.decode() for b in blocked}, host
        assert set(answer["allowed"]) == {a.decode() for a in allowed}, host
        assert answer.get("target", "") == target.decode(), host
    return image


@pytest.mark.parametrize("count", [0, 1, 16, 17, 32, 33, 700, 6000])
def test_random_lists(lindung, tmp_path, count):
    """Entries of every kind; where blocks, halves and groups begin; URLs among names."""
    rng = random.Random(count)
    names = names_make(rng, count // 2 + 2)
    lines = list(random_lines(rng, count, names))
    path = compile_list(lindung, tmp_path, lines)
    asked = rng.sample(names, min(len(names), 100))
    asked += ["x." + name for name in asked] + ["not-there.com", "com", "x"]
    image = check_image(lindung, path, listed("\n".join(lines)), asked)
    # 2026-11-22, as python counts days.
    assert (image.date, image.flags) == (20779, 2 if any("/" in x for x in lines) else 0)


def test_wide_groups(lindung, tmp_path):
    """Blocks that reach further than 16 bits, halves longer than an octet can say."""
    rng = random.Random(5)
    lines = []
    for i in range(520):
        path = "".join(rng.choice("abcXYZ0189-_~!()") for _ in range(3000 if i % 3 else 5))
        lines.append(f"block\tadult\th{i % 90}.example.com/{path}\ts")
    path = compile_list(lindung, tmp_path, lines)
    image = check_image(lindung, path, listed("\n".join(lines)), ["h1.example.com"])
    assert len(image.sections["offsets"]) % 64 == (4 * 2 + 2 * 17) % 64
    assert len(image.sections["offsets"]) > 4 * 2 + 2 * 17


def test_many_tuples(lindung, tmp_path):
    """More sets of rules than have codes."""
    lines = [f"block\tadult\tn{i}.com\ts{i % 2600}" for i in range(5200)]
    path = compile_list(lindung, tmp_path, lines)
    image = check_image(lindung, path, listed("\n".join(lines)), ["n7.com"])
    assert len(image.tuples) == 2600 and image.escape < 2600


def test_overlay(lindung, tmp_path):
    """What is removed stands in an overlay."""
    lines = ["remove\tadult\texample.com\ts", "block\tadult\twww.example.com\ts",
             "remove\tadult\tx.org/a\ts"]
    path = compile_list(lindung, tmp_path, lines, "--overlay")
    image = reader.Image(path.read_bytes())
    assert image.flags == 3
    assert stand(image) == listed("\n".join(lines))


def test_starter_list(lindung, root, tmp_path):
    """A real list, through the program alone and through the reader."""
    path = tmp_path / "starter.ldx"
    done = lindung("compile", "-q", "-o", path, "--category", "gambling",
                   root / "data" / "starter" / "gambling-ut1.txt.zst")
    assert done.returncode == 0, done.stderr
    dump = listed(lindung("dump", path).stdout)
    assert len(dump) > 10_000
    rng = random.Random(6)
    hosts = [entry for _, _, entry, _ in dump if "/" not in entry and entry[0] not in "=*"]
    asked = rng.sample(hosts, 40)
    check_image(lindung, path, dump, asked + ["x." + host for host in asked])


def test_damage_is_found(lindung, tmp_path):
    """Each section's hash, by changing an octet of it."""
    path = compile_list(lindung, tmp_path, list(random_lines(random.Random(7), 50,
                                                             ["a.com", "b.org"])))
    data = path.read_bytes()
    for number, name in enumerate(reader.SECTIONS):
        offset, size = struct.unpack_from("<QQ", data, 64 + 24 * number)
        if size == 0:
            continue
        bad = bytearray(data)
        bad[offset] ^= 1
        with pytest.raises(reader.Damaged, match=name):
            reader.Image(bytes(bad))
        path.write_bytes(bad)
        assert lindung("verify", path).returncode != 0
