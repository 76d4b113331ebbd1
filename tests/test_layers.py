# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom: data goes round the loop in one direction (ARCHITECTURE.md).

Reads every #include of src/, include/, programs/ and fuzz/.  The tables below are the rule.
"""
import pathlib
import re
import shutil

import pytest

# Ground floor: what each of its folders may include, beside itself.
GROUND = {
    "base": set(),
    "name": {"base"},
    "wire": {"base", "name"},
    "store": {"base"},
    "net": {"base"},
    "conf": {"base", "net"},
}

# The loop: a folder may include those before it, and the ground floor.
LOOP = ("list", "log", "quorum", "index", "profile", "upstream", "resolver", "zone", "evidence",
        "pages", "process")

# What a folder must not reach, neither itself nor through what it includes.  What the evidence
# is made of can name neither a client nor who it came from.
OUT_OF_REACH = {"evidence": ("resolver/", "net/", "sys/socket.h")}

# Which folder knows which library: everybody else goes through its headers.
LIBRARIES = {
    "idn2.h": {"name"},
    "libpsl.h": {"name"},
    "uninorm.h": {"name"},
    "unistr.h": {"name"},
    "sqlite3.h": {"store"},
    "libpq-fe.h": {"store"},
    "openssl/": {"net"},
    "nghttp2/": {"net"},
    "curl/": {"net"},
    "event2/": {"net"},
    "unbound.h": {"upstream"},
    "unbound-event.h": {"upstream"},
    "yaml.h": {"conf"},
    "zlib.h": {"list"},
    "zstd.h": {"list"},
    "zstd_errors.h": {"list"},
    "jansson.h": {"programs"},
    "sodium.h": {"log"},
    "seccomp.h": {"process"},
}

# libc and the kernel: for everybody (but see OUT_OF_REACH).
SYSTEM = re.compile(r"""(
    assert|ctype|dirent|endian|errno|fcntl|float|ftw|getopt|grp|inttypes|libgen|limits|locale|math|poll|pthread
    |pwd|sched|search|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio
    |stdlib|string|strings|syslog|termios|threads|time|uchar|unistd|wchar
    |immintrin|arpa/inet|net/if|netinet/\w+|sys/\w+|linux/\w+)\.h""", re.VERBOSE)


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes_of(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def may_include(folder):
    """Our folders that this folder of src/ may include."""
    if folder in GROUND:
        return GROUND[folder] | {folder}
    return set(GROUND) | set(LOOP[:LOOP.index(folder) + 1])


def quoted_violation(root, path, folder, name):
    """One #include "..." of ours."""
    if (path.parent / name).exists() and "/" not in name:
        return None
    target = name.split("/")[0]
    if not (root / "src" / name).exists():
        return f'"{name}" is no file of src/'
    if folder is not None and target not in may_include(folder):
        return f'"{name}": {folder}/ may not include {target}/'
    return None


def angle_violation(path, folder, name):
    """One #include <...>: the public headers, libc, or a library with its owner."""
    if name.startswith("lindung/") or SYSTEM.fullmatch(name):
        return None
    if name == "cmocka.h":
        good = path.name.endswith("_test.c") or path.name.startswith("test_")
        return None if good else "<cmocka.h> outside of a test"
    for library, owners in LIBRARIES.items():
        if name == library or (library.endswith("/") and name.startswith(library)):
            if folder in owners:
                return None
            return f"<{name}>: only {', '.join(sorted(owners))} may know this library"
    return f"<{name}> is in no table of tests/test_layers.py"


def reached(root, path, seen):
    """Every name that `path` includes, itself or through our headers, into `seen`."""
    for _, name in includes_of(path):
        if name in seen:
            continue
        seen.add(name)
        for target in (root / "src" / name, root / "include" / name, path.parent / name):
            if target.is_file():
                reached(root, target, seen)
                break
    return seen


def violations(root):
    """All of them in the tree at `root`, as "file: what"."""
    found = []
    src = root / "src"
    for folder in sorted(p.name for p in src.iterdir() if p.is_dir()):
        if folder not in GROUND and folder not in LOOP:
            found.append(f"src/{folder}: a folder that no table names")
    files = [p for top in ("src", "include", "programs", "fuzz", "man", "examples")
             for p in sorted((root / top).rglob("*.[ch]"))]
    for path in files:
        top, *rest = path.relative_to(root).parts
        folder = rest[0] if top == "src" and len(rest) > 1 else None
        if folder is not None and folder not in GROUND and folder not in LOOP:
            continue
        for kind, name in includes_of(path):
            if top in ("include", "examples") and kind == '"':
                what = f'"{name}": the public headers stand on their own'
            elif kind == '"':
                what = quoted_violation(root, path, folder, name)
            else:
                what = angle_violation(path, folder or top, name)
            if what:
                found.append(f"{path.relative_to(root)}: {what}")
        for forbidden in OUT_OF_REACH.get(folder, ()):
            found += [f"{path.relative_to(root)}: {folder}/ reaches {name}"
                      for name in sorted(reached(root, path, set()))
                      if name == forbidden or (forbidden[-1] == "/" and name.startswith(forbidden))]
    return found


def test_the_tree_keeps_the_layers(root):
    assert violations(root) == []


@pytest.fixture
def tree(root, tmp_path):
    """A copy of our C files, to plant violations in."""
    for top in ("src", "include", "programs", "fuzz", "man"):
        shutil.copytree(root / top, tmp_path / top,
                        ignore=lambda folder, names: [
                            n for n in names
                            if not n.endswith((".c", ".h")) and not pathlib.Path(folder, n).is_dir()])
    for folder in ("evidence", "log", "store"):
        (tmp_path / "src" / folder).mkdir(exist_ok=True)
    assert violations(tmp_path) == []
    return tmp_path


PLANTED = [
    ("src/base/x.c", '#include "name/name.h"', "base/ may not include name/"),
    ("src/name/x.h", '#include "wire/dns.h"', "name/ may not include wire/"),
    ("src/net/x.c", '#include "name/name.h"', "net/ may not include name/"),
    ("src/list/x.c", '#include "resolver/resolver.h"', "list/ may not include resolver/"),
    ("src/upstream/x.c", '# include "resolver/resolver.h"', "upstream/ may not include resolver/"),
    ("src/list/x.c", "#include <openssl/ssl.h>", "only net may know this library"),
    ("src/resolver/x.c", "#include <unbound.h>", "only upstream may know this library"),
    ("src/log/x.c", "#include <sqlite3.h>", "only store may know this library"),
    ("programs/x.c", "#include <yaml.h>", "only conf may know this library"),
    ("fuzz/x.c", "#include <zstd.h>", "only list may know this library"),
    ("src/wire/x.c", "#include <pcre2.h>", "is in no table"),
    ("src/wire/x.c", "#include <cmocka.h>", "outside of a test"),
    ("src/wire/x.c", '#include "wire/none.h"', "is no file of src/"),
    ("include/lindung/x.h", '#include "base/span.h"', "the public headers stand on their own"),
    ("src/evidence/x.c", "#include <sys/socket.h>", "evidence/ reaches sys/socket.h"),
    ("src/evidence/x.c", '#include "resolver/resolver.h"', "evidence/ reaches resolver/resolver.h"),
    ("src/evidence/x.c", '#include "net/address.h"', "evidence/ reaches net/address.h"),
    # Through another header.
    ("src/evidence/x.c", '#include "conf/conf.h"', "evidence/ reaches net/address.h"),
    ("src/party/x.c", "", "src/party: a folder that no table names"),
]


@pytest.mark.parametrize("place,line,expected", PLANTED)
def test_a_planted_violation_is_found(tree, place, line, expected):
    path = tree / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"/* planted */\n{line}\n")
    found = violations(tree)
    assert found and any(expected in violation for violation in found), found


def test_what_is_allowed_is_not_found(tree):
    for place, line in (("src/resolver/x.c", '#include "wire/dns.h"\n#include <sys/socket.h>'),
                        ("src/wire/x_test.c", "#include <cmocka.h>"),
                        ("src/evidence/x.c", '#include "base/span.h"'),
                        ("programs/x.c", '#include "resolver/resolver.h"')):
        (tree / place).write_text(f"{line}\n")
    assert violations(tree) == []
