# SPDX-License-Identifier: BSD-2-Clause
"""What is compiled and asked: real lists, starter lists, generated names.

usage: /usr/bin/python3 bench/lists.py real|starter > MANIFEST    for lindung compile --manifest

The real lists are those of LINDUNG_SHARED (or ../shared beside the checkout): its
data/lists/README.md has the file, category and format of each.
"""
import hashlib
import os
import pathlib
import random
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What the table calls a category, and its key.  Without one in data/categories.yaml a name of our
# own, so that there are as many sets as the lists make.
CATEGORIES = {
    "ads": "ads", "adult": "adult", "abuse": "abuse", "chat": "chat", "dating": "dating",
    "drugs": "drugs", "exam cheating": "cheating", "fake news": "fakenews",
    "filter bypass": "bypass", "gambling": "gambling", "games": "games", "hacking": "hacking",
    "job search": "jobsearch", "malware": "malware", "national list": "gambling",
    "phishing": "phishing", "piracy": "piracy", "scam": "scam", "services": "services",
    "tracking": "tracking", "violence": "violence",
}
# The first words of what it calls a format.
FORMATS = (("plain", "domains"), ("hosts", "hosts"), ("AdBlock", "adblock"),
           ("dnsmasq", "dnsmasq"), ("RPZ", "rpz"), ("CSV", "csv"), ("URLs", "urls"),
           ("match patterns", "auto"), ("IPv4", "domains"))
ROW = re.compile(r"^\| ([a-z0-9][\w.-]+) \| ([^|]+) \| ([^|]+) \| [\d,]+ \|", re.MULTILINE)


def shared():
    """The folder with the shared data, or None."""
    folder = pathlib.Path(os.environ.get("LINDUNG_SHARED", ROOT.parent / "shared")) / "data"
    return folder if (folder / "lists" / "README.md").exists() else None


def real():
    """All block lists of the shared data: [{file, category, format, source}]."""
    folder = shared() / "lists"
    found = []
    for name, category, form in ROW.findall((folder / "README.md").read_text(encoding="utf-8")):
        if category.startswith("ALLOW") or form.startswith("text"):
            continue
        word = re.split(r"[,(]", category)[0].strip()
        key = next((key for start, key in FORMATS if form.startswith(start)), None)
        if word not in CATEGORIES or key is None:
            raise ValueError(f"{name}: category {category!r} or format {form!r} is in no table")
        found.append({"file": str(folder / f"{name}.zst"), "category": CATEGORIES[word],
                      "format": key, "source": name})
    missing = [entry["file"] for entry in found if not pathlib.Path(entry["file"]).exists()]
    if not found or missing:
        raise ValueError(f"the lists' README names no list, or such as are not there: {missing}")
    return found


def starter():
    """The lists that ship with the source."""
    folder = ROOT / "data" / "starter"
    lists = yaml.safe_load((folder / "lists.yaml").read_text(encoding="utf-8"))["lists"]
    return [{"file": str(folder / entry["file"]), "category": entry["category"],
             "format": entry["format"], "source": entry["source"]} for entry in lists]


def unpacked(entries):
    """The lists' text, one after another."""
    paths = [entry["file"] for entry in entries]
    return subprocess.run(["zstd", "-dcq", *paths], check=True, capture_output=True).stdout


NAME = re.compile(rb"(?<![a-z0-9._-])(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+"
                  rb"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?(?![a-z0-9_-])")


def plain_names(entries):
    """The distinct names of lists of names (not of tables, patterns or URLs), sorted."""
    names = set()
    for entry in entries:
        if entry["format"] in ("domains", "hosts", "dnsmasq", "adblock", "rpz"):
            text = re.sub(rb"(?m)^[#!;\[].*$|^@@.*$", b"", unpacked([entry]).lower())
            names.update(name for name in NAME.findall(text) if len(name) <= 253)
    return sorted(names)


def cache_folder():
    """Where what takes minutes to make is kept, outside of the tree."""
    folder = pathlib.Path(os.environ.get("LINDUNG_BENCH_CACHE", "/var/tmp/lindung-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def generate_small(count, names, path):
    """Without the shared generator: real names with letters changed.  The statistics of what is
    new in a name are not those of real ones: sizes come out larger."""
    rng = random.Random(1)
    made = set()
    letters = "etaoinshrdlucmfwypvbgkqjxz0123456789"
    while len(made) < count:
        first, _, rest = rng.choice(names).decode().partition(".")
        new = "".join(rng.choice(letters) if rng.random() < 0.4 else c for c in first)
        made.add(f"{new.strip('-') or 'x'}.{rest}")
    path.write_text("\n".join(sorted(made)) + "\n", encoding="ascii")


def generated(count, names):
    """A file with `count` generated names, made once; and by which generator."""
    folder = shared()
    script = folder / "gen_domains.py" if folder else None
    own = script is None or not script.exists()
    # The script's own bytes and those of its lists decide what comes out.
    mark = b"small" if own else script.read_bytes() + (folder / "lists" / "README.md").read_bytes()
    path = cache_folder() / f"generated-{count}-{hashlib.sha256(mark).hexdigest()[:8]}.txt"
    if not path.exists():
        print(f"bench: making {count:,} names (once; kept)", flush=True)
        part = path.with_suffix(f".{os.getpid()}")
        if own:
            generate_small(count, names, part)
        else:
            with part.open("wb") as out:
                subprocess.run(["/usr/bin/python3", script, str(count), "--lists",
                                folder / "lists"], stdout=out, check=True)
        part.rename(path)
    return path, "a small generator of its own" if own else "gen_domains.py"


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("real", "starter"):
        sys.exit(__doc__)
    yaml.safe_dump({"version": 1, "lists": real() if sys.argv[1] == "real" else starter()},
                   sys.stdout, sort_keys=False)
