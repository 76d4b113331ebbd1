# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the command share."""
import collections

import pytest


@pytest.fixture
def compiled(lindung, tmp_path):
    """compiled("a.example\\n", "--category", "adult") -> the image's path; no names protected."""
    count = iter(range(1000))

    def make(text, *options):
        number = next(count)
        source, image = tmp_path / f"list{number}.txt", tmp_path / f"{number}.ldx"
        source.write_text(text, encoding="utf-8")
        result = lindung("compile", "-o", image, "--no-protected", "--quiet", *options, source)
        assert result.returncode == 0, result.stderr
        return image

    return make


def lines_of(text):
    """A dump without its comments: (action, category, entry, {sources}, target), sorted."""
    found = collections.Counter()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            action, category, entry, sources, *target = line.split("\t")
            found[action, category, entry, frozenset(sources.split(",")), *target] += 1
    assert all(n == 1 for n in found.values()), "a line that is there twice"
    return set(found)


@pytest.fixture
def dumped(lindung):
    """dumped(image) -> its entries, as lines_of() gives them."""
    def dump(image, *options):
        result = lindung("dump", image, *options)
        assert result.returncode == 0, result.stderr
        return lines_of(result.stdout)

    return dump
