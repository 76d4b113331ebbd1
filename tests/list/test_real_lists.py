# SPDX-License-Identifier: BSD-2-Clause
"""Real lists: which format each is, and what it gives.

The excerpts in data/ are always read.  The whole lists that they were taken from are read where
LINDUNG_SHARED names a folder that has them as data/lists/*.zst, with a README.md whose table says
how many domains each has, counted by other means.
"""
import os
import pathlib
import re
import subprocess

import pytest

DATA = pathlib.Path(__file__).parent / "data"
SHARED = os.environ.get("LINDUNG_SHARED")

# file: format, entries, distinct domains, rejections by reason
EXCERPTS = {
    "blocklistproject-broken.dnsmasq": ("auto", 0, 0, {}),
    "blocklistproject-drugs.dnsmasq": ("dnsmasq", 27, 27, {"comment": 12, "blank": 1}),
    "blocklistproject-facebook.adblock": ("adblock", 18, 18, {"comment": 12, "blank": 1}),
    "cz-mfcr.csv": ("csv", 39, 39, {"comment": 1}),
    "cz-mfcr.txt": ("domains", 49, 49, {"blank": 11}),
    "ee-emta.abp.txt": ("adblock", 30, 30, {}),
    "ee-emta.ubl.txt": ("urls", 30, 30, {}),
    "pornhosts.hosts": ("hosts", 26, 26, {"comment": 25, "blank": 3, "local": 6}),
    "sinfonietta-pornography.hosts": ("hosts", 58, 58, {"not-a-name": 2, "ip-address": 3,
                                                        "port": 3}),
    "sinfonietta-social.hosts": ("hosts", 17, 16, {"comment": 4, "blank": 1}),
    "trustpositif-addresses.txt": ("domains", 3, 3, {"not-a-name": 1, "ip-address": 20}),
    "trustpositif-porn-cut.txt": ("domains", 30, 29, {}),
    "ut1-adult-invalid.txt": ("domains", 1, 1, {"not-a-name": 45}),
    "ut1-adult-urls.txt": ("squid", 41, 0, {"ip-address": 2}),
    "ut1-drugs.txt": ("domains", 4, 4, {"ip-address": 56}),
    "ut1-usage.txt": ("auto", 0, 0, {}),
}

# Where the format in the README's words is one of ours.
FORMATS = [
    ("names a curator rejected", "domains"), ("match patterns", "urls"), ("plain", "domains"),
    ("IPv4 addresses only", "domains"), ("hosts", "hosts"), ("AdBlock", "adblock"),
    ("RPZ", "rpz"), ("CSV", "csv"), ("dnsmasq server=", "dnsmasq"),
    ("URLs without scheme", "squid"),
    # Not one name in it: no list, whatever it was meant to be.
    ("dnsmasq, broken", "auto"), ("text", "auto"),
]



def sinfonietta(names):
    """The README takes 127.0.0.7 for a real address; for us all of 127.0.0.0/8 leads nowhere."""
    return names - {"p19-sign.tiktokcdn-us.com"}


def pornhosts(names):
    """The README counts "127.0.0.1 localhost.localdomain"; for us it is the machine itself."""
    return names | {"localhost.localdomain"}


# Where the README counts differently: what makes its count of ours, and why.
DIFFERENCES = {"social-sinfonietta.hosts": sinfonietta,
               "adult-pornhosts-strict-safesearch.hosts": pornhosts}

# Its figure for this list, 27,152, is not the number of ||name^ that it says it is: see
# test_adguard_rules, which counts them.
MISCOUNTED = {"ads-adguard-sdn.adblock"}


def read(build_dir, form, path):
    tool = build_dir / "src/list/list_tool"
    counts = subprocess.run([tool, "-q", form, path], capture_output=True, text=True, check=False,
                            timeout=300)
    values = dict(line.split(" ", 1) for line in counts.stdout.splitlines())
    if values["format"] == "auto":
        assert counts.returncode == 2 and "not a list" in counts.stderr
        return "auto", 0, set(), {}, []
    run = subprocess.run([tool, form, path], capture_output=True, check=True, timeout=300)
    entries = [line.split("\t") for line in run.stdout.decode().splitlines()]
    rejects = {key: int(value) for key, value in values.items()
               if key not in ("format", "entries", "ns-a-line")}
    assert len(entries) == int(values["entries"])
    return values["format"], len(entries), domains(entries), rejects, run.stderr.decode(errors="replace")


def domains(entries):
    """What the README counts: distinct names of two labels or more that are blocked, of RPZ the
    owner, of AdBlock ||name^."""
    mixed = any(entry[2].startswith("*.") for entry in entries) and \
        any(not entry[2].startswith(("*.", "=")) for entry in entries)
    names = {re.sub(r"^(=|\*\.)", "", entry[2]) for entry in entries
             if entry[0] == "block" and "/" not in entry[2]
             and not (mixed and entry[2].startswith(("*.", "=")))}
    return {name for name in names if "." in name}


@pytest.mark.parametrize("name", sorted(EXCERPTS))
def test_excerpt(build_dir, name):
    form, count, names, rejects, _ = read(build_dir, "auto", DATA / name)
    assert (form, count, len(names), rejects) == EXCERPTS[name]


def test_excerpts_are_complete():
    assert set(EXCERPTS) | {"README.md"} == {path.name for path in DATA.iterdir()}


def table():
    """The README's table: name, words on the format, lines, distinct domains ("-": no list)."""
    text = (pathlib.Path(SHARED) / "data/lists/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^ |]+\.(?:txt|csv|hosts|rpz|adblock|dnsmasq)[^ |]*|[^ |]+\.\d+\.txt) "
                      r"\| [^|]* \| ([^|]*) \| ([\d,]+) \| ([\d,]+|-) \|", text, re.M)
    return [(name, words, int(lines.replace(",", "")), count.replace(",", ""))
            for name, words, lines, count in rows]


needs_shared = pytest.mark.skipif(
    not SHARED, reason="LINDUNG_SHARED is not set: the whole lists are not in this repository")


@needs_shared
def test_all_lists_are_in_the_table():
    files = {path.name.removesuffix(".zst")
             for path in (pathlib.Path(SHARED) / "data/lists").glob("*.zst")}
    assert {row[0] for row in table()} == files
    assert len(files) == 70


@needs_shared
def test_whole_lists(build_dir):
    unexplained = []
    for name, words, _, count in table():
        path = pathlib.Path(SHARED) / "data/lists" / (name + ".zst")
        form, entries, names, rejects, _ = read(build_dir, "auto", path)
        wanted = next(ours for key, ours in reversed(FORMATS) if words.startswith(key))
        print(f"{name}: {form}, {entries} entries, {len(names)} domains ({count}), {rejects}")
        if form != wanted:
            unexplained.append(f"{name}: detected as {form}, is {wanted}")
        if name in DIFFERENCES:
            names = DIFFERENCES[name](names)
        if name not in MISCOUNTED and count != "-" and len(names) != int(count):
            unexplained.append(f"{name}: {len(names)} domains, not {count}")
    assert not unexplained, "\n".join(unexplained)


@needs_shared
def test_broken_dnsmasq(build_dir):
    """456,348 lines without one name: each is accounted for."""
    path = pathlib.Path(SHARED) / "data/lists/malware-blocklistproject-broken-2021.dnsmasq.zst"
    _, entries, _, rejects, _ = read(build_dir, "dnsmasq", path)
    assert (entries, rejects) == (0, {"syntax": 456348})


@needs_shared
def test_adguard_rules(build_dir):
    """Every ||name^ is taken, and nothing else as a domain with its subdomains, but for @@ and IP
    addresses.  The README's figure takes some of ||name in as well, which is a pattern: it matches
    the beginning of longer names too."""
    path = pathlib.Path(SHARED) / "data/lists/ads-adguard-sdn.adblock.zst"
    text = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.decode()
    _, _, names, _, rejected = read(build_dir, "auto", path)
    rules = {name.lower().encode("idna").decode()
             for name in re.findall(r"^\|\|([^|*^/:\s]+[^|*^/:.\s])\^\r?$", text, re.M)}
    assert names == {name for name in rules if not name.rsplit(".", 1)[1].isdigit()}
    unended = set(re.findall(r": pattern: \|\|([a-z0-9_.-]+)$", rejected, re.M))
    assert len(names) == 26992 and len(unended) == 207
    assert len(names) < 27152 < len(names | unended)
