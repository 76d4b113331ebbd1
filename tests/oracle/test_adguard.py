# SPDX-License-Identifier: BSD-2-Clause
"""What our readers take and AdGuard's programs drop, and the reverse: a table without an unexplained
row.

The oracles are the npm packages in npm/package-lock.json (@adguard/hostlist-compiler, which checks
and normalises lists, and @adguard/agtree, which parses rules); `npm ci` brings them.  The excerpts of
tests/list are always compared; with LINDUNG_SHARED the whole lists too.
"""
import collections
import os
import pathlib
import shutil
import subprocess

import pytest

import adguard

TESTS = pathlib.Path(__file__).parent.parent
NPM = adguard.FOLDER / "npm"
SHARED = os.environ.get("LINDUNG_SHARED")
READ_BY_ADGUARD = ("hosts", "domains", "adblock")


@pytest.fixture(scope="module", autouse=True)
def packages():
    """npm ci, unless it was done for this very lock file."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm: AdGuard's programs are not compared with")
    lock, done = NPM / "package-lock.json", NPM / "node_modules" / ".lindung-lock"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return
    result = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NPM,
                            capture_output=True, text=True, check=False, timeout=300)
    if result.returncode != 0:
        pytest.skip("npm ci cannot install AdGuard's programs: " + result.stderr.strip()[-300:])
    done.write_bytes(lock.read_bytes())


def side(difference):
    if difference.ours is None:
        return "they alone"
    return "we alone" if difference.theirs is None else "both, unlike"


class Table:
    """Rows of differences, counted."""

    def __init__(self):
        self.lines = self.alike = 0
        self.rows = collections.Counter()
        self.examples = {}
        self.unexplained = []

    def add(self, path, lines):
        for line in lines:
            self.lines += 1
            found = list(adguard.differences(line))
            self.alike += not found
            for difference in found:
                row = adguard.explain(difference)
                if row is None:
                    self.unexplained.append(f"{path.name}: {difference.oracle}: {line.text!r}: "
                                            f"{line.ours} {line.reasons}, they {difference.theirs}")
                    continue
                key = (difference.oracle, side(difference), row[1], row[2])
                self.rows[key] += 1
                self.examples.setdefault(key, line.text)

    def text(self, title):
        yield f"AdGuard, {title}: {self.lines} lines, {self.alike} read alike by all three"
        for key, count in sorted(self.rows.items()):
            oracle, who, what, why = key
            yield f"{count:6}  {oracle}, {who}: {what}, as {self.examples[key][:60]!r}"
            yield f"        {why}"
        yield f"{len(self.unexplained):6}  unexplained"
        yield from self.unexplained

    def check(self):
        assert not self.unexplained, f"{len(self.unexplained)} differences are explained by no class"


def compare(table, build_dir, path, tmp_path, form=None):
    form = form or adguard.detected(build_dir, path)
    if form == "auto":
        return
    if form not in READ_BY_ADGUARD:
        path, form = adguard.as_rules(build_dir, form, path, tmp_path / (path.name + ".txt")), "adblock"
    table.add(path, adguard.read(build_dir, form, path, tmp_path))


def test_excerpts(build_dir, tmp_path, show):
    table = Table()
    for path in sorted((TESTS / "list" / "data").iterdir()):
        if path.name != "README.md":
            compare(table, build_dir, path, tmp_path)
    show(list(table.text("excerpts of real lists")))
    table.check()
    assert table.lines > 500


def test_odd_lines(build_dir, tmp_path, show):
    table = Table()
    for path in sorted((TESTS / "list" / "cases").glob("adblock-*.in")):
        compare(table, build_dir, path, tmp_path, "adblock")
    for form in READ_BY_ADGUARD:
        compare(table, build_dir, adguard.FOLDER / f"lines.{form}", tmp_path, form)
    show(list(table.text("lines made for this")))
    table.check()
    seen = {what for _, _, what, _ in table.rows}
    classes = {row[1] for row in adguard.CLASSES}
    if not adguard.NEW_SUFFIXES:
        classes.remove(adguard.NEWER)
    assert seen == classes, "a class that no line shows"


@pytest.mark.skipif(not SHARED, reason="LINDUNG_SHARED is not set: the whole lists are not here")
def test_whole_lists(build_dir, tmp_path, show):
    table = Table()
    for path in sorted((pathlib.Path(SHARED) / "data" / "lists").glob("*.zst")):
        compare(table, build_dir, path, tmp_path)
    show(list(table.text("whole lists")))
    table.check()
    assert table.lines > 1_500_000
