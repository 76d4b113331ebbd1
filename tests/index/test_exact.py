# SPDX-License-Identifier: BSD-2-Clause
"""No listed name is missed, no unlisted one is closed: the index against the sorted text.

The starter lists always; the real lists where LINDUNG_SHARED names a folder that has them as
data/lists/*.zst.  LINDUNG_RANDOM: how many random names are asked about beside the listed ones, their
children, parents and near misses (10^6; the bar is 10^7).
"""
import os
import pathlib
import re
import subprocess

import pytest

RANDOM = int(os.environ.get("LINDUNG_RANDOM", "1000000"))
SHARED = os.environ.get("LINDUNG_SHARED")


def entries(build_dir, path, category, allow, out):
    """Append what list_tool, which knows nothing of the index, reads in a list."""
    tool = build_dir / "src" / "list" / "list_tool"
    done = subprocess.run([tool, "auto", path], text=True, errors="replace",
                          capture_output=True, check=False)
    # 2: of no format at all, not one name in it.
    assert done.returncode == 0 or (done.returncode == 2 and done.stdout == ""), done.stderr
    count = 0
    for line in done.stdout.splitlines():
        action, own, rest = line.split("\t", 2)
        if allow and action.startswith("block"):
            action = "allow" + action[5:]
        out.write(f"{action}\t{own or category}\t{rest}\n")
        count += 1
    return count


def category_keys(root):
    """Keys of data/categories.yaml."""
    text = (root / "data" / "categories.yaml").read_text(encoding="utf-8")
    keys = re.findall(r"^ *- *key: *([a-z0-9-]+)", text, re.M)
    assert len(keys) > 10
    return keys


def categorised(paths, keys):
    """A category for each list: that of its file's name if there is one, else any."""
    for number, path in enumerate(paths):
        word = re.split(r"[-.]", path.name)[0]
        yield path, word if word in keys else keys[number % len(keys)], word == "allow"


def check(lindung, build_dir, tmp_path, lists, *options):
    """lists: (path, category, allow)."""
    image, text, suffixes = tmp_path / "image.ldx", tmp_path / "text", tmp_path / "suffixes"
    # Without public suffixes and protected names: what they refuse is another test's.
    suffixes.write_text("// ===BEGIN ICANN DOMAINS===\ninvalid\n// ===END ICANN DOMAINS===\n")
    arguments = ["compile", "-q", "-o", image, "--no-protected", "--suffixes", suffixes, *options]
    with open(text, "w", encoding="utf-8") as out:
        for path, category, allow in lists:
            if entries(build_dir, path, category, allow, out) == 0:
                continue
            # Groups of options hold for the lists behind them: an allow list stands last.
            arguments += ["--category", category, *(["--allow"] if allow else []), path]
    done = lindung(*arguments)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([build_dir / "src" / "index" / "exact_tool", image, text, str(RANDOM)],
                          text=True, capture_output=True, check=False, timeout=3000)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.search(r"(\d+) lines, (\d+) names and URLs asked, (\d+) of them at random, 0 wrong",
                       done.stdout)
    return [int(c) for c in counts.groups()]


def test_starter(lindung, build_dir, root, tmp_path):
    """Every starter list, its category from its file's name."""
    folder = root / "data" / "starter"
    lists = list(categorised(sorted(folder.glob("*.zst")), category_keys(root)))
    lines, asked, at_random = check(lindung, build_dir, tmp_path, lists)
    assert lines > 600_000 and at_random > RANDOM * 0.99 and asked > 6 * lines


@pytest.mark.skipif(SHARED is None, reason="LINDUNG_SHARED is not set")
@pytest.mark.parametrize("options", [(), ("--memory", "16M", "--threads", "1")])
def test_real_lists(lindung, build_dir, root, tmp_path, options):
    """All real lists at once, the allow lists for every category; also in little memory."""
    folder = pathlib.Path(SHARED) / "data" / "lists"
    lists = sorted(categorised(sorted(folder.glob("*.zst")), category_keys(root)),
                   key=lambda each: each[2])
    lists = [(path, "*" if allow else category, allow) for path, category, allow in lists]
    lines, _, at_random = check(lindung, build_dir, tmp_path, lists, *options)
    assert lines > 2_000_000 and at_random > RANDOM * 0.99
