# SPDX-License-Identifier: BSD-2-Clause
"""data/: what people edit.  Run with pytest."""
import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "data"
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"(?=.{{1,253}}\Z)({LABEL}\.)+(?!\d+\Z){LABEL}\Z")


def load(name):
    return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tool():
    loader = importlib.machinery.SourceFileLoader("make_starter", str(ROOT / "tools/make-starter"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_starter", loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def categories():
    return load("categories.yaml")["categories"]


@pytest.fixture(scope="session")
def lists():
    found = {}
    for entry in load("starter/lists.yaml")["lists"]:
        text = subprocess.run(["zstd", "-dcq", DATA / "starter" / entry["file"]], check=True,
                              stdout=subprocess.PIPE).stdout.decode("ascii")
        assert text.endswith("\n")
        found[entry["file"]] = (entry, text[:-1].split("\n"))
    return found


def test_programs_read_them(build_dir, tmp_path):
    """What make run does first."""
    image = tmp_path / "starter.ldx"
    run = subprocess.run([build_dir / "programs/lindung", "compile", "-q", "-o", image,
                          "--manifest", DATA / "starter" / "lists.yaml"],
                         capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0 and image.exists(), run.stderr


def test_categories(categories):
    keys = [c["key"] for c in categories]
    assert len(set(keys)) == len(keys) <= 64
    for c in categories:
        assert re.fullmatch(r"[a-z0-9-]{1,32}", c["key"])
        assert c["core"] in ("content", "contact", "conduct", "contract")
        assert c["title"] and c["means"]
        assert c.get("ede", 15) in (15, 16, 17)
        assert set(c) <= {"key", "core", "title", "means", "ede", "locked", "retired"}
    assert [c["key"] for c in categories if c.get("locked")] == ["csam"]
    assert {"csam", "adult", "gambling", "phishing", "malware", "scam", "drugs", "violence", "hate",
            "selfharm", "abuse", "dating", "chat", "social", "games", "ads", "tracking", "piracy",
            "hacking", "bypass", "cheating", "fakenews", "weapons"} <= set(keys)


def test_protected(tool):
    suffixes = tool.Suffixes(tool.PSL)
    seen = set()
    countries = set()
    for group in load("protected.yaml")["protected"]:
        assert set(group) <= {"name", "why", "country", "checked", "names", "unverified"}
        assert group["why"] and group["names"]
        assert re.fullmatch(r"[A-Z]{2}|all", group["country"])
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(group["checked"]))
        countries.add(group["country"])
        for name in group["names"] + group.get("unverified", []):
            bare = name.removeprefix("=")
            assert HOST.match(bare), name
            assert suffixes.of(bare) != bare, f"{name} is a public suffix"
            assert name not in seen, f"{name} stands twice"
            seen.add(name)
    assert countries == {"AU", "KH", "ID", "MY", "NZ", "TH", "PH", "VN", "all"}


def test_protected_trees_are_not_portals():
    trees = {n for g in load("protected.yaml")["protected"] for n in g["names"] if n[0] != "="}
    portals = {"apple.com", "google.com", "microsoft.com", "googleapis.com", "gstatic.com",
               "mozilla.org", "firefox.com", "ubuntu.com", "debian.org", "digicert.com", "windows.com",
               "android.com", "amazonaws.com", "cloudflare.com", "facebook.com", "youtube.com"}
    assert not trees & portals
    for tree in trees:
        assert not any(portal.endswith("." + tree) for portal in portals)


def test_shared_targets(tool):
    """Domains, each once and with a source; what is said to be on the Public Suffix List is."""
    suffixes = set(pathlib.Path(tool.PSL).read_text(encoding="utf-8").split("\n"))
    seen = []
    for entry in load("shared-targets.yaml")["shared"]:
        assert set(entry) == {"name", "who", "source"}
        assert HOST.match(entry["name"]) and "." in entry["name"], entry
        assert entry["who"]
        if entry["source"] == "PSL":
            assert {entry["name"], "*." + entry["name"]} & suffixes, entry
        else:
            assert re.match(r"https?://[^ ]+\Z|PSL \(.* below it\)\Z", entry["source"]), entry
        seen.append(entry["name"])
    assert len(set(seen)) == len(seen) > 30


def test_encrypted_resolvers_are_listed(lists):
    """Endpoints of resolvers for everybody, over HTTPS, TLS and QUIC: category bypass."""
    entry, names = lists["bypass-ut1-doh.txt.zst"]
    listed = set(names)
    assert entry["category"] == "bypass"
    for name in ("dns.google", "cloudflare-dns.com", "one.one.one.one", "mozilla.cloudflare-dns.com",
                 "chrome.cloudflare-dns.com", "dns.quad9.net", "dns10.quad9.net", "doh.opendns.com",
                 "dns.umbrella.com", "dns.adguard-dns.com", "unfiltered.adguard-dns.com",
                 "dns.nextdns.io", "doh.cleanbrowsing.org", "freedns.controld.com",
                 "dns.mullvad.net", "doh.dns.sb", "dns.alidns.com", "doh.pub", "dot.pub",
                 "doh.360.cn", "dns.twnic.tw", "doh.dns.apple.com", "dns0.eu", "dns.switch.ch",
                 "odvr.nic.cz", "ordns.he.net", "public.dns.iij.jp", "wikimedia-dns.org"):
        labels = name.split(".")
        assert any(".".join(labels[i:]) in listed for i in range(len(labels))), name


def test_manifest(lists, categories):
    keys = {c["key"] for c in categories}
    files = {p.name for p in (DATA / "starter").glob("*.zst")}
    assert files == set(lists)
    for name, (entry, _) in lists.items():
        assert set(entry) == {"file", "category", "format", "source", "title", "licence", "url", "names"}
        assert entry["category"] in keys, name
        assert entry["format"] == "domains"
        assert re.fullmatch(r"[a-z0-9.-]+", entry["source"])
        assert re.search(r"/blob/[0-9a-f]{40}/", entry["url"])
        assert entry["licence"] in ("MIT", "BSD-3-Clause", "Unlicense", "CC-BY-SA-4.0")


def test_counts_as_in_the_readme(lists):
    readme = (DATA / "starter" / "README.md").read_text(encoding="utf-8")
    rows = {}
    for line in readme.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 8 and cells[6].replace(",", "").isdigit():
            rows[cells[0] + ".txt.zst"] = cells
    assert set(rows) == set(lists)
    for name, (entry, names) in lists.items():
        assert int(rows[name][7].replace(",", "")) == len(names) == entry["names"], name
        assert rows[name][1] == entry["category"] and rows[name][5] == entry["licence"]
    distinct = {n for _, names in lists.values() for n in names}
    assert f"| all | {len(distinct):,} |" in readme


def test_lists_are_canonical(lists, tool):
    suffixes = tool.Suffixes(tool.PSL)
    for file, (_, names) in lists.items():
        keys = [n.split(".")[::-1] for n in names]
        assert all(a < b for a, b in zip(keys, keys[1:])), f"{file} is not sorted, or repeats"
        for name in names:
            assert HOST.match(name), f"{file}: {name}"  # two labels or more, last not all digits
            assert suffixes.of(name) != name, f"{file}: {name} is a public suffix"
            assert suffixes.has_tld(name), f"{file}: {name}"


def test_lists_hold_nothing_protected(lists, tool):
    exact, trees = tool.protected_names()
    for file, (_, names) in lists.items():
        for name in names:
            assert name not in exact and not any(p in trees for p in tool.parents(name)), \
                f"{file}: {name}"


def test_sites_that_were_taken_over_are_not_protected(tool):
    """As phishing and malware lists have them, below a ministry's name."""
    exact, trees = tool.protected_names()
    for name in ("cro.moph.go.th", "www.ckh.moph.go.th", "pri.moph.go.th"):
        assert name not in exact and not any(p in trees for p in tool.parents(name)), name


def test_lists_hold_nothing_excluded(lists, tool):
    for pattern, excluded in tool.exclusions():
        files = [f for f in lists if tool.fnmatch.fnmatchcase(f.removesuffix(".txt.zst"), pattern)]
        assert files, f"starter-exclude.txt names a list that is not there: {pattern}"
        for file in files:
            for name in lists[file][1]:
                assert not tool.is_excluded(name, excluded), f"{file}: {name}"


def test_known_faults_are_gone(lists):
    held = {n for _, names in lists.values() for n in names}
    for name in ("google.com", "api.whatsapp.com", "storage.googleapis.com", "teams.microsoft.com",
                 "nvidia.com", "apple-dns.net", "yahoodns.net", "gvt2.com", "media.net", "hotjar.com",
                 "branch.io", "porn-tube-hom", "com.cn", "gob.mx", "idv.tw", "co.cz", "in.net",
                 "blogspot.com", "bet.br", "www.bing.com", "www.google.com", "yandex.by"):
        assert name not in held


def test_help_and_knowledge_stay_open(lists, tool):
    """Help, health, prevention and news that these lists hold; also under www. and the like."""
    held = {n for _, names in lists.values() for n in names}
    for name in ("gamblersanonymous.org", "800gambler.org", "actgamblingsupport.org.au",
                 "problemgamblinghelpline.ca", "gamblinghelpohio.org", "www.ca.org",
                 "www.nar-anon.org", "harmreduction.org", "parkinson.org", "illinoisaap.org",
                 "whyquit.com", "www.drugfreenj.org", "knowthescore.info", "www.oldscollege.ca",
                 "asexuality.org", "www.menshealth.com.au", "www.gaystarnews.com",
                 "img.americanmednews.com", "m.keizertimes.net", "sozluk.sourtimes.org",
                 "akronreporter.com", "southbendtimes.com"):
        assert not any(p in held for p in tool.parents(name)), name


def test_enough(lists):
    assert len({entry["category"] for entry, _ in lists.values()}) >= 8
    assert len({n for _, names in lists.values() for n in names}) >= 500_000
    assert sum(p.stat().st_size for p in (DATA / "starter").iterdir()) < 5_000_000


def test_tool_takes_out_what_it_says(tool):
    cleaner = tool.Cleaner()
    source = tool.SOURCES[0]
    cases = {"192.0.2.1": "ip", "2001:db8::1": "ip", "a.example.com:183": "port",
             "static-.xvideos-cdn.com": "not-a-name", "snapchat-com": "single-label",
             "a.nosuchtld": "no-tld", "com.cn": "public-suffix", "blogspot.com": "public-suffix",
             "www.netsafe.org.nz": "protected", "captive.apple.com": "protected",
             "x.edu.au": "authority", "x.gov": "authority", "weebly.com": "by-hand",
             "pre-teen-x.com": "sealed", "Example.com": None}
    excluded = {"weebly.com"}
    for text, reason in cases.items():
        assert cleaner.why_not(text, source, excluded)[1] == reason, text
    for text in ("weebly.com", "www.weebly.com"):
        assert cleaner.why_not(text, source, excluded)[1] == "by-hand"
    assert cleaner.why_not("cam.weebly.com", source, excluded)[1] is None
    assert cleaner.why_not("cam.weebly.com", source, {".weebly.com"})[1] == "by-hand"
    assert cleaner.why_not_by_words("akronreporter.com", "no newspaper") == "newspaper"
    assert cleaner.why_not_by_words("norton-setup.com", "no newspaper") is None
    assert cleaner.why_not("www.nøgnedamer.com", source, set()) == ("www.xn--ngnedamer-l8a.com", None)
    assert cleaner.suffixes.of("a.b.kawasaki.jp") == "b.kawasaki.jp"
    assert cleaner.suffixes.of("city.kawasaki.jp") == "kawasaki.jp"
    names, counts, lines = cleaner.clean(
        "# x\nb.a.com\na.com\nA.com\n0.0.0.0 c.com\n||d.com^\nserver=/e.com/\n\n", source)
    assert names == ["a.com", "c.com", "d.com", "e.com"] and lines == 8
    assert counts == {"comment": 2, "repeat": 1, "covered": 1}
