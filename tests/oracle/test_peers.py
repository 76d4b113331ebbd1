# SPDX-License-Identifier: BSD-2-Clause
"""Our answers and those of Unbound, BIND, Knot Resolver and PowerDNS, over sockets.

The starter lists and some entries made for this are compiled, and exported as a response policy zone
for the others.  Each server gets the same 20,000 questions and forwards to the same upstream.  Rcodes
and records agree; where they do not, CLASSES says why, and the difference is counted.

Without LINDUNG_PEERS_FULL=1 a tenth of the starter lists is used, so that BIND has loaded it within
seconds.
"""
import collections
import os
import pathlib
import random
import subprocess
import sys

import dns.name
import pytest

import servers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STARTER = ROOT / "data" / "starter"
FULL = os.environ.get("LINDUNG_PEERS_FULL") == "1"
SHARE = 1 if FULL else 10
QUESTIONS = 20000
LOAD_S = 300
HTTPS, MX = 65, 15
PEERS = (servers.Unbound, servers.Bind, servers.Knot, servers.PowerDns)

# action (and category, else adult), entry, target.  What each is for stands in its name.
MADE = [
    ("block", "=exact-host.made-for-peers.net", None),
    ("block", "*.below-only.made-for-peers.net", None),
    ("block", "=both-kinds.made-for-peers.net", None),
    ("block", "*.both-kinds.made-for-peers.net", None),
    ("block", "allow-under-block.net", None),
    ("allow", "open.allow-under-block.net", None),
    ("allow", "=exact-open.allow-under-block.net", None),
    ("allow", "*.below-open.allow-under-block.net", None),
    ("allow", "far.away.between.allow-under-block.net", None),
    ("block", "block-allow-block.net", None),
    ("allow", "open.block-allow-block.net", None),
    ("block", "closed.open.block-allow-block.net", None),
    ("allow", "again.closed.open.block-allow-block.net", None),
    ("allow", "allow-block-allow.net", None),
    ("block", "closed.allow-block-allow.net", None),
    ("allow", "open.closed.allow-block-allow.net", None),
    ("block", "between.net", None),
    ("block", "a.b.c.d.between.net", None),
    ("block", "x.b.c.d.between.net", None),
    ("block", "only-child.made.between-nothing.net", None),
    ("rewrite", "=rewrite-a.made-for-peers.net", "A 203.0.113.7"),
    ("rewrite", "=rewrite-aaaa.made-for-peers.net", "AAAA 2001:db8::7"),
    ("rewrite", "rewrite-tree.made-for-peers.net", "A 203.0.113.8"),
    ("rewrite", "=rewrite-name.made-for-peers.net", "CNAME safe.unlisted-of-peers.net"),
    ("block", "under.rewrite-tree.made-for-peers.net", None),
    ("block!", "important-block.net", None),
    ("allow", "not-open.important-block.net", None),
    ("allow!", "open.important-block.net", None),
    ("block", "important-allow.net", None),
    ("allow!", "open.important-allow.net", None),
    ("block", "not-closed.open.important-allow.net", None),
    ("block", "two-categories.net", None),
    ("block gambling", "two-categories.net", None),
    ("allow gambling", "not-open.two-categories.net", None),
    ("allow gambling", "open.two-categories.net", None),
    ("allow", "open.two-categories.net", None),
]
FIRST_LISTED = "allow-under-block.net"


# ---- The list, the zone, the questions -------------------------------------------------------------

def starter_names():
    """All names of the starter lists, or those whose last two labels fall into our share: a name and
    what lies below it are taken together."""
    names = set()
    for path in sorted(STARTER.glob("*.txt.zst")):
        text = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True, text=True).stdout
        names.update(line for line in text.splitlines() if line and line[0] not in "#!")
    return sorted(name for name in names
                  if servers.zlib.crc32(name.rsplit(".", 2)[-2].encode()) % SHARE == 0)


def opened(names, rng):
    """Allow entries two labels below listed names: what stands between has no entry of its own."""
    chosen = rng.sample([name for name in names if len(name) < 100], 600)
    return [f"{mark}open.between.{name}" for name, mark in zip(chosen, ("", "=", "*.") * 200)]


def own_format(names, opens):
    """The list in our own format."""
    lines = ["# lindung list 1"]
    for action, site, target in MADE:
        action, _, category = action.partition(" ")
        lines.append("\t".join([action, category or "adult", site, "made"]
                               + ([target] if target else [])))
    lines += [f"allow\tadult\t{site}\tmade" for site in opens]
    lines += [f"block\tadult\t{name}\tstarter" for name in names]
    return "".join(line + "\n" for line in lines)


def parents(name):
    while name.count(".") > 1:
        name = name.partition(".")[2]
        yield name


def changed(rng, name):
    """One letter of the first label changed, taken away or added."""
    label, _, rest = name.partition(".")
    at = rng.randrange(len(label))
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz0123456789")
    kinds = [label[:at] + letter + label[at + 1:], label[:at] + label[at + 1:],
             label[:at] + letter + label[at:]]
    return (rng.choice(kinds) or letter) + "." + rest


def questions(names, opens, rng):
    """[(kind, name, type)], QUESTIONS of them."""
    listed = set(names)
    opens = [site.lstrip("=*.") for site in opens]
    upper = sorted({parent for name in names for parent in parents(name)} - listed)
    short = [name for name in names if len(name) < 40 and "--" not in name]
    kinds = []

    def add(kind, count, make):
        kinds.extend((kind, make()) for _ in range(count))

    for _, site, _ in MADE:
        name = site.lstrip("=*.")
        for made in (name, "www." + name, "a.b." + name, "x" + name, *parents(name)):
            kinds += [("made for this", made)] * 3
    for name in ("b.c.d.between.net", "c.d.between.net", "z.c.d.between.net",
                 "away.between.allow-under-block.net", "z.between.allow-under-block.net"):
        kinds += [("made for this", name)] * 3
    add("listed", 5000, lambda: rng.choice(names))
    add("child", 4000, lambda: rng.choice(("www.", "m.", "a.b.", "_x.", "*.")) + rng.choice(names))
    add("below a listed name, opened", 1000,
        lambda: rng.choice(("", "www.")) + rng.choice(opens))
    add("between two listed names", 1000,
        lambda: rng.choice(("", "www.", "x.")) + rng.choice(opens).removeprefix("open."))
    add("parent", 1500, lambda: rng.choice(upper))
    add("near miss", 4000, lambda: changed(rng, rng.choice(names)))
    add("alias", 200, lambda: f"alias-{rng.randrange(9)}."
        f"{rng.choice((rng.choice(short), 'www.' + rng.choice(short), 'free.example.net')).replace('.', '--')}"
        ".aliases-of-peers.net")
    add("unlisted", QUESTIONS - len(kinds),
        lambda: f"{rng.choice(('', 'www.', 'nx-'))}n{rng.randrange(5000)}.unlisted-of-peers.net")
    types = [servers.A] * 14 + [servers.AAAA] * 3 + [servers.TXT, MX, HTTPS]
    return [(kind, name, rng.choice(types)) for kind, name in kinds]


@pytest.fixture(scope="module")
def upstream():
    port = servers.free_port()
    process = subprocess.Popen([sys.executable, servers.__file__, str(port)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield port
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def material(lindung, tmp_path_factory):
    """The image, the zone made of it, the questions."""
    folder = tmp_path_factory.mktemp("peers")
    names = starter_names()
    rng = random.Random("peers")
    opens = opened(names, rng)
    ALONE.update(site[2:] for site in opens if site[0] == "*")
    (folder / "list").write_text(own_format(names, opens))
    done = lindung("compile", "-q", "-o", folder / "image", "--format", "lindung", folder / "list")
    assert done.returncode == 0, done.stderr
    done = lindung("dump", folder / "image", "--format", "rpz")
    assert done.returncode == 0, done.stderr
    zone = folder / "rpz.zone"
    zone.write_text(done.stdout)
    asked = questions(names, opens, rng)
    what = (f"{len(names)} names of the starter lists, {len(opens)} opened below them, {len(MADE)} made "
            f"for this; {done.stdout.count(chr(10))} lines of zone; {len(set(asked))} distinct questions")
    return folder, zone, asked, what


def ask(server, asked):
    texts = [(dns.name.from_text(name), kind) for _, name, kind in asked]
    return [servers.said(answer) for answer in servers.ask_all(server.port, texts)]


@pytest.fixture(scope="module")
def ours(lindung, material, upstream):
    folder, zone, asked, _ = material
    server = servers.Lindung(folder / "lindung", zone, upstream)
    try:
        server.run(lindung.path, folder / "image")
        server.wait(FIRST_LISTED, LOAD_S)
        return ask(server, asked)
    finally:
        server.stop()


# ---- Why they differ --------------------------------------------------------------------------------

Difference = collections.namedtuple("Difference", "peer kind name type ours theirs")

ALL = ("Bind", "Unbound", "Knot", "PowerDns")
NODATA = ("NOERROR", ())


# Names below which another verdict holds: closed alone ("=host"), or closed while "*.name" is open.
ALONE = {site[1:] for action, site, _ in MADE if site[0] == "=" and action.startswith("block")
         } - {site[2:] for action, site, _ in MADE if site[0] == "*" and action.startswith("block")
              } | {site[2:] for action, site, _ in MADE if site[0] == "*" and action.startswith("allow")}


# (peers, why it is so, what it looks like)
CLASSES = [
    (ALL,
     "a name is closed, what is below it is not: they deny both (NXDOMAIN, RFC 8020), we say that it has "
     "no such record",
     lambda d: d.name in ALONE and d.ours == NODATA and d.theirs == ("NXDOMAIN", ())),
    (("Bind", "Unbound"),
     "an alias that leads to a closed name: it shows the alias with its NXDOMAIN; we show nothing, and "
     "do not deny what is below the alias (RFC 8020)",
     lambda d: d.kind == "alias" and d.ours == NODATA and d.theirs[0] == "NXDOMAIN"
     and [rdtype for _, rdtype, _ in d.theirs[1]] == ["CNAME"]),
    (("PowerDns",),
     "an alias that leads to a closed name: it denies the alias with all below it; we do not (RFC 8020)",
     lambda d: d.kind == "alias" and d.ours == NODATA and d.theirs[0] == "NXDOMAIN"),
    (("Knot",),
     "an alias that leads to a closed name: its policies see the name asked for alone, and let it pass",
     lambda d: d.kind == "alias" and d.ours == NODATA and d.theirs[0] == "NOERROR"),
    (("Knot",),
     "a name rewritten to another name: it takes no CNAME but those with a meaning of their own, and "
     "lets the name pass",
     lambda d: d.name.startswith("rewrite-name.") and d.theirs[0] == "NOERROR"
     and not any(rdtype == "CNAME" for _, rdtype, _ in d.theirs[1])),
]


def explain(difference):
    for row in CLASSES:
        if difference.peer in row[0] and row[2](difference):
            return row[1]
    return None


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.__name__)
def test_peer_agrees(peer, material, upstream, ours, show):
    if peer.find() is None:
        pytest.skip(f"{peer.program} is not installed")
    folder, zone, asked, what = material
    server = peer(folder / peer.program, zone, upstream)
    try:
        server.run()
        load_s = server.wait(FIRST_LISTED, LOAD_S)
        theirs = ask(server, asked)
    finally:
        server.stop()
    alike, rows, unexplained = collections.Counter(), collections.Counter(), []
    for (kind, name, rdtype), mine, other in zip(asked, ours, theirs):
        if mine == other:
            alike[kind, mine[0]] += 1
            continue
        difference = Difference(peer.__name__, kind, name, rdtype, mine, other)
        why = explain(difference)
        if why is None:
            unexplained.append(difference)
        else:
            rows[kind, why] += 1
    lines = [f"{peer.__name__}: {sum(alike.values())} of {len(asked)} answers alike", what,
             f"zone loaded in {load_s:.1f} s"]
    lines += [f"{count:6}  alike, {kind}: {rcode}" for (kind, rcode), count in sorted(alike.items())]
    lines += [f"{count:6}  unlike, {kind}: {why}" for (kind, why), count in sorted(rows.items())]
    show(lines + [f"{len(unexplained):6}  unexplained"])
    assert not unexplained, "\n".join(map(str, unexplained[:25]))
    assert sum(alike.values()) > 0.9 * len(asked)
