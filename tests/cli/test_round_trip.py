# SPDX-License-Identifier: BSD-2-Clause
"""dump(compile(x)) is x, in canonical form; the same image whatever the order and the machine."""
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess

import pytest
import yaml

CASES = pathlib.Path(__file__).parent.parent / "list" / "cases"
# What the readers make of each file stands beside it, in the format lindung: written by hand.
READ = sorted(p.name[:-4] for p in CASES.glob("*.out"))

SUFFIXES = """// VERSION: 2026-11-01_00-00-00_UTC
// ===BEGIN ICANN DOMAINS===
example
com
// ===END ICANN DOMAINS===
"""


def zstd(path):
    return subprocess.run(["zstd", "-dcq", str(path)], check=True,
                          capture_output=True).stdout.decode("utf-8").splitlines()


def joined(said):
    """What one source says of one host and category: "=h" and "*.h" are "h", which holds both."""
    plain = {e for e in said if not e.startswith(("=", "*."))}
    plain |= {e[1:] for e in said if e[0] == "=" and "*." + e[1:] in said}
    return plain | {e for e in said if e.startswith(("=", "*.")) and e.lstrip("=*.") not in plain}


def read_out(name):
    """What the reader's own test says that this file holds, but for what an image refuses."""
    said = collections.defaultdict(set)
    for line in (CASES / f"{name}.out").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        action, category, entry, sources, *target = line.split("\t")
        host = re.sub(r"^(=|\*\.)", "", entry).split("/")[0]
        if "badfilter" in action or action.startswith(("protect", "remove")) or "." not in host:
            continue
        for source in sources.split(","):
            said[action, category or "adult", source or "case", *target].add(entry)
    entries = collections.defaultdict(set)
    for (action, category, source, *target), all_of_it in said.items():
        for entry in joined(all_of_it):
            entries[action, category, entry, *target].add(source)
    return {(a, c, e, frozenset(s), *t) for (a, c, e, *t), s in entries.items()}


@pytest.mark.parametrize("name", [n for n in READ if not n.startswith(("adblock", "csv"))])
def test_what_a_reader_takes_comes_back(lindung, dumped, tmp_path, name):
    suffixes, image = tmp_path / "psl", tmp_path / "image"
    suffixes.write_text(SUFFIXES, encoding="utf-8")
    result = lindung("compile", "-o", image, "--no-protected", "-q", "--suffixes", suffixes, "-c",
                     "adult", "-f", name.split("-")[0], "-s", "case", CASES / f"{name}.in")
    assert result.returncode == 0, result.stderr
    assert dumped(image) == read_out(name)


def expected_of(lists):
    """Entries of plain lists of names, merged: done here once more, by other means."""
    sources = collections.defaultdict(set)
    for category, label, names in lists:
        for name in names:
            sources[category, name].add(label)
    return {("block", category, name, frozenset(labels))
            for (category, name), labels in sources.items()}


def starter(root):
    with open(root / "data" / "starter" / "lists.yaml", encoding="utf-8") as manifest:
        return [(e["category"], e["source"], zstd(root / "data" / "starter" / e["file"]))
                for e in yaml.safe_load(manifest)["lists"]]


def test_the_starter_lists_come_back(lindung, dumped, root, tmp_path):
    image = tmp_path / "starter.ldx"
    result = lindung("compile", "-o", image, "--no-protected", "--strict", "--manifest",
                     root / "data" / "starter" / "lists.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    expected = expected_of([(category, source, [n for n in names if n and n[0] != "#"])
                            for category, source, names in starter(root)])
    assert len(expected) > 500_000
    assert dumped(image) == expected
    assert lindung("verify", image).returncode == 0


def test_a_dump_compiles_to_the_same_image(lindung, root, tmp_path):
    first, second = tmp_path / "1.ldx", tmp_path / "2.ldx"
    manifest = root / "data" / "starter" / "lists.yaml"
    assert lindung("compile", "-q", "-o", first, "--manifest", manifest).returncode == 0
    dump = tmp_path / "dump.list"
    assert lindung("dump", first, "--output", dump).returncode == 0
    assert lindung("compile", "-q", "-o", second, dump).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    assert lindung("diff", first, second).returncode == 0


def generated(number):
    """So many names, in no order, the same each time."""
    chance = random.Random(2)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9))
             for _ in range(4000)]
    return [f"{chance.choice(words)}{i:x}.{chance.choice(words)}.example" for i in range(number)]


def test_the_same_image_from_any_order_memory_and_threads(lindung, tmp_path):
    names = generated(700_000)  # more than fits into 16 MB
    pieces = []
    for i in range(7):
        pieces.append(tmp_path / f"piece{i}.txt")
        pieces[i].write_text("\n".join(names[i::7]) + "\n", encoding="utf-8")
    seen = {}
    for number, (order, memory, threads) in enumerate([
            (pieces, "256M", 1), (pieces[::-1], "16M", 1), (pieces[3:] + pieces[:3], "16M", 2),
            (pieces[::2] + pieces[1::2], "64M", 4)]):
        image = tmp_path / f"image{number}"
        result = lindung("compile", "-o", image, "-q", "--no-protected", "-c", "scam", "-s", "all",
                         "--memory", memory, "--threads", threads, "--date", "2026-11-22", *order)
        assert result.returncode == 0, result.stderr
        seen[memory, threads] = hashlib.sha256(image.read_bytes()).hexdigest()
        image.unlink()
    assert len(set(seen.values())) == 1, seen


def shared_lists():
    folder = os.environ.get("LINDUNG_SHARED")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(
            reason="LINDUNG_SHARED does not name the folder of the real lists"))]
    return sorted((pathlib.Path(folder) / "data" / "lists").glob("*.zst"))


@pytest.mark.parametrize("path", shared_lists(), ids=lambda p: p.name if p else "none")
def test_real_lists_come_back(lindung, build_dir, dumped, tmp_path, path):
    """Against what the reader alone says, with nothing between it and here but Python."""
    image, plain = tmp_path / "image", tmp_path / "plain"
    result = lindung("compile", "-o", image, "--no-protected", "--json", "--rejects", "-c", "adult",
                     "-s", "real", path)
    assert result.returncode == 0, result.stderr
    chosen = json.loads(result.stdout)["lists"][0]["format"]
    plain.write_bytes(subprocess.run(["zstd", "-dcq", str(path)], check=True,
                                     capture_output=True).stdout)
    read = subprocess.run([build_dir / "src/list/list_tool", chosen, plain], check=True,
                          capture_output=True).stdout.decode("utf-8", "surrogateescape")
    refused = {line.rsplit(": ", 1)[1] for line in result.stderr.splitlines()
               if re.search(r":\d+: (public-suffix|single-label): ", line)}
    said = collections.defaultdict(set)
    for line in read.splitlines():
        action, category, entry, source, *target = line.split("\t")
        host = re.sub(r"^(=|\*\.)", "", entry).split("/")[0]
        assert "badfilter" not in action
        if host not in refused:
            said[action, category or "adult", source or "real", *target].add(entry)
    expected = {(action, category, entry, frozenset([source]), *target)
                for (action, category, source, *target), all_of_it in said.items()
                for entry in joined(all_of_it)}
    assert dumped(image) == expected
