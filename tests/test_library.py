# SPDX-License-Identifier: BSD-2-Clause
"""liblindung needs libc alone, and shows nothing but its interface."""
import json
import pathlib
import re
import subprocess

import pytest

from test_layers import SYSTEM, includes_of

FOLDERS = ("base/", "name/", "index/")
# Of list/ only the shape of an entry: a header without code.
HEADERS = ("list/entry.h",)


@pytest.fixture(scope="module")
def targets(build_dir):
    text = subprocess.run(["meson", "introspect", "--targets", str(build_dir)], check=True,
                          capture_output=True, text=True).stdout
    return {(t["name"], t["type"]): t for t in json.loads(text)}


@pytest.fixture(scope="module")
def library(targets):
    """The shared library's file."""
    names = [n for n, kind in targets if kind == "shared library"]
    assert names == ["lindung"], "one shared library, liblindung"
    return pathlib.Path(targets["lindung", "shared library"]["filename"][0])


def sources(targets, name, kind):
    return [pathlib.Path(s) for group in targets[name, kind]["target_sources"]
            for s in group["sources"]]


def test_it_needs_libc_alone(library):
    dynamic = subprocess.run(["readelf", "-d", str(library)], check=True, capture_output=True,
                             text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    assert "libc.so.6" in needed
    assert not {n for n in needed if not n.startswith(("libc.so.", "ld-linux", "libasan",
                                                       "libubsan", "libgcc_s"))}


def test_it_shows_its_interface_alone(library, root):
    symbols = subprocess.run(["nm", "-D", "--defined-only", str(library)], check=True,
                             capture_output=True, text=True).stdout
    shown = {line.split()[-1] for line in symbols.splitlines()
             if line.split()[-2] in "TDBRVW"} - {"_init", "_fini"}
    shown = {name for name in shown if not name.startswith("__")}
    declared = set(re.findall(r"\b(lindung_\w+)\(", "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((root / "include" / "lindung").glob("*.h")))))
    assert shown == declared, sorted(shown ^ declared)


def test_its_sources_reach_nothing_else(targets, root):
    files = [s for name in ("base", "name", "index") for s in
             sources(targets, name, "static library")]
    assert len(files) > 6
    src = root / "src"
    seen, wrong = set(), []
    queue = list(files)
    while queue:
        path = queue.pop()
        for kind, name in includes_of(path):
            target = path.parent / name if (path.parent / name).exists() else src / name
            if kind == "<":
                if not name.startswith("lindung/") and not SYSTEM.fullmatch(name):
                    wrong.append(f"{path.relative_to(root)}: <{name}>")
            elif not str(target.relative_to(src)).startswith(FOLDERS + HEADERS):
                wrong.append(f'{path.relative_to(root)}: "{name}"')
            elif target not in seen:
                seen.add(target)
                queue.append(target)
    assert wrong == []
