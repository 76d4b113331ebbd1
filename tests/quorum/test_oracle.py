# SPDX-License-Identifier: BSD-2-Clause
"""Random logs: the engine, which touches only what a statement speaks of, against the oracle, which
works everything out anew at every step.

LINDUNG_QUORUM_LOGS: how many logs (300); LINDUNG_QUORUM_SEED: the first of their seeds (1).
"""
import os
import random

import pytest

import oracle
import world

LOGS = int(os.environ.get("LINDUNG_QUORUM_LOGS", "300"))
SEED = int(os.environ.get("LINDUNG_QUORUM_SEED", "1"))
DAY = oracle.DAY
START = 1767225600  # 2026-01-01

PARTIES = ("a.example", "b.example", "c.example", "d.example", "e.example", "op.example")
KINDS = ("ministry", "hotline", "police", "ngo")
COUNTRIES = ("ID", "MY", "INT")
CATEGORIES = ("gambling", "adult", "other", "none")
ENTRIES = ("one.example", "=one.example", "*.one.example", "www.one.example", "sub.one.example",
           "one.example/path", "one.example/path/deeper", "two.example", "m.two.example",
           "three.test", "bank.test", "www.bank.test", "test-host.three.test")
POPULAR = {"bank.test", "www.deep.one.example"}


class Maker:
    """One random log."""

    def __init__(self, tool, seed):
        self.r = random.Random(seed)
        self.world = world.World(tool, self.policy())
        self.now = START
        self.late = []
        self.there = set()  # hashes of blocks
        self.said = {}
        self.versions = {}

    # ---- policies

    def group(self, depth=0):
        members = []
        for _ in range(self.r.randint(1, 3)):
            kind = self.r.random()
            if kind < 0.4:
                member = ("party", self.r.choice(PARTIES))
            elif kind < 0.7 or depth > 1:
                member = ("kind", *self.r.choice([(self.r.choice(KINDS), None),
                                                  (None, self.r.choice(COUNTRIES)),
                                                  (self.r.choice(KINDS), self.r.choice(COUNTRIES))]))
            else:
                member = ("group", self.group(depth + 1))
            if member not in members:
                members.append(member)
        loose = any(m[0] == "kind" for m in members)
        return oracle.Group(self.r.randint(1, 3 if loose else len(members)), members)

    def easy(self):
        """Mostly such that something takes effect."""
        if self.r.random() < 0.7:
            return oracle.Group(self.r.choice((1, 1, 2)), [("kind", k, None) for k in KINDS])
        return self.group()

    def maybe(self, value, chance=0.6):
        return value() if self.r.random() < chance else None

    def policy(self):
        rules = {}
        for category in CATEGORIES[:2] + (("*",) if self.r.random() < 0.5 else ()):
            rules[category] = oracle.Rule(
                agree=self.easy(), popular=self.maybe(self.group, 0.4),
                suspend=self.maybe(lambda: (self.r.randint(1, 2), self.easy())),
                uphold=self.maybe(self.easy, 0.8), clock=self.maybe(lambda: self.r.choice((DAY, 3 * DAY))),
                lives=self.r.choice((oracle.LIFE_MOST, 5 * DAY)))
        flood = {kind: most for kind, most in (("statements", 6), ("listed", 8), ("disputed", 5))
                 if self.r.random() < 0.3}
        roots = [(2, {"root-1", "root-2", "root-3"}, oracle.NEVER)]
        if self.r.random() < 0.2:
            roots = [(1, {"root-1"}, START + 5 * DAY), (1, {"root-2"}, oracle.NEVER)]
        return oracle.Policy(world.ORIGIN, roots, rules, set(POPULAR), {"op.example"}, flood)

    # ---- statements

    def time(self):
        return self.now - (self.r.randint(1, 2 * DAY) if self.r.random() < 0.07 else 0) + (
            self.r.randint(1, DAY) if self.r.random() < 0.07 else 0)

    def party_add(self, subject):
        version = self.versions.get(subject, 0)
        if self.r.random() < 0.7:
            version += 1
        elif self.r.random() < 0.2:
            version = max(1, version - 1)
        self.versions[subject] = version = max(version, 1)
        time = self.time()
        return world.statement(
            "party-add", "root", time, signers=self.roots(), subject=subject,
            kind=self.r.choice(KINDS), country=self.r.choice(COUNTRIES),
            key=subject if version == 1 else f"{subject}/{version}",
            expires=(time // DAY + self.r.choice((2, 8, 300, 300, 300, 300, 300))) * DAY)

    def roots(self):
        return ("root-2",) if self.r.random() < 0.06 else self.r.choice((
            ("root-1", "root-2"), ("root-2", "root-3"), ("root-1", "root-2", "root-3")))

    def revoke(self):
        return world.statement("party-revoke", "root", self.time(), signers=self.roots(),
                               subject=self.r.choice(PARTIES),
                               from_=self.now - self.r.randint(-DAY, 4 * DAY))

    def signers(self, party):
        known = self.world.log.parties.get(party)
        if known and known["key"] and self.r.random() < 0.95:
            return (known["key"],)
        return (party,)

    def some(self, of=ENTRIES):
        return self.r.sample(sorted(set(of)), self.r.randint(1, min(4, len(set(of)))))

    def speaking(self, actions):
        """A statement to speak of: mostly one that fits."""
        there = [s for s in self.world.log.entries if s.action in actions and s.ident]
        good = [s for s in there if s.refusal is None]
        there = good if good and self.r.random() < 0.95 else there
        there = there or [s for s in self.world.log.entries if s.ident]
        return self.r.choice(there) if there else None

    def claim(self, party):
        time = self.time()
        return world.statement(
            self.r.choice(("list", "list", "list", "allow")), party, time, signers=self.signers(party),
            entries=self.some(),
            category=self.r.choice(CATEGORIES[:3] if self.r.random() < 0.1 else CATEGORIES[:2]),
            expires=(time // DAY + self.r.choice((1, 2, 5, 300))) * DAY)

    def reply(self, party, action):
        claims = oracle.CLAIMS
        of = {"endorse": claims, "dispute": claims, "appeal": claims,
              "withdraw": claims + ("endorse", "dispute", "appeal"), "decide": ("dispute", "appeal")}
        target = self.speaking(of[action] if self.r.random() < 0.95 else ("decide", "withdraw", "party-add"))
        if target is None:
            return self.claim(party)
        if action == "withdraw" and self.r.random() < 0.9 and target.party != "root":
            party = target.party
        time = self.time()
        fields = {"statement": target.ident}
        if action == "decide":
            fields["decision"] = self.r.choice(("uphold", "uphold", "reject"))
        if action == "endorse":
            fields["expires"] = (time // DAY + self.r.choice((1, 3, 300))) * DAY
        entries = None
        if action != "decide" and self.r.random() < 0.4:
            entries = self.some((target.entries or list(ENTRIES)) + [self.r.choice(ENTRIES)])
        return world.statement(action, party, time, signers=self.signers(party), entries=entries, **fields)

    def statement(self):
        chance = self.r.random()
        if chance < 0.05:
            return self.party_add(self.r.choice(PARTIES))
        if chance < 0.07:
            return self.revoke()
        party = self.r.choice(PARTIES)
        if chance < 0.38:
            return self.claim(party)
        action = self.r.choices(("endorse", "dispute", "appeal", "withdraw", "decide"), (6, 3, 1, 2, 4))[0]
        return self.reply("op.example" if action == "appeal" and self.r.random() < 0.9 else party, action)

    # ---- playing

    def add(self, s):
        block = self.r.choice((None, None, "block", "late")) if s.entries else None
        if self.r.random() < 0.03 and self.world.log.entries:
            was, block = self.r.choice(list(self.said.values()))
            s = oracle.Statement(dict(was.fields), was.signers, getattr(was, "promised", was.entries))
        if self.r.random() < 0.01:
            s.fields["log"] = "another.example"
        digest = self.world.add(s, block)
        self.said[s.index] = (s, block and "block")
        if block == "late" and digest not in self.there and s.refusal is None:
            # Not there for either of them until it comes.
            s.promised, s.entries = s.entries, []
            self.late.append((digest, s))
        elif block == "block":
            self.there.add(digest)

    def come(self):
        digest, s = self.late.pop(self.r.randrange(len(self.late)))
        same = [o for o in self.late if o[0] == digest]
        assert self.world.tool.ask(f"come {digest}") == ["0"]
        self.there.add(digest)
        for _, other in same + [(digest, s)]:
            other.entries = other.promised
        self.late = [o for o in self.late if o[0] != digest]

    def play(self, steps):
        for subject in self.r.sample(PARTIES, len(PARTIES)):
            self.add(self.party_add(subject))
        for _ in range(steps):
            self.now += self.r.choice((1, 60, 3600, DAY // 2, DAY))
            for _ in range(self.r.choice((1, 1, 1, 3))):
                self.add(self.statement())
            if self.late and self.r.random() < 0.5:
                self.come()
            self.world.settle(self.now)
            if self.r.random() < 0.3:
                self.wait()
        while self.late:
            self.come()
        self.world.settle(self.now)

    def wait(self):
        """Nothing changes before it is said that something may; then the clock alone goes on."""
        due = self.world.next
        if due == 2**63 - 1 or due > self.now + 10 * DAY:
            return
        before = dict(self.world.list)
        assert due > self.now
        assert self.world.settle(due - 1) == before
        self.world.settle(due)
        self.now = due


@pytest.fixture(scope="module")
def tool(build_dir, tmp_path_factory):
    popular = tmp_path_factory.mktemp("popular") / "popular.txt"
    popular.write_text("\n".join(sorted(POPULAR)) + "\n")
    tool = world.Tool(build_dir, str(popular))
    yield tool
    tool.close()


def listing(made):
    """What `list` prints: sorted, and the same as the sum of the changes."""
    lines = made.world.tool.ask("list")
    cells = [tuple(line.split("\t")) for line in lines]
    assert cells == sorted(cells, key=lambda c: (world.entry_order(c[2]), c[1])), "out of order"
    return {(c, e): (a, s) for a, c, e, s in cells}


def stories(made):
    """What `why` tells of each name agrees with what is in effect; returns how many entries it told."""
    told = 0
    for host, path in (("x.one.example", ""), ("www.one.example", "/path/deeper"), ("three.test", ""),
                       ("one.example", "/path/x"), ("www.bank.test", ""), ("m.two.example", "")):
        here, covered = None, set()
        for line in made.world.tool.ask(f"why {host} {path}".strip()) + ["0\t\t\t"]:
            if "\t" not in line:
                index, standing = line.split(" ")
                counting.discard(int(index) if standing == "counts" else None)
                assert made.world.log.entries[int(index)].refusal is None
                continue
            assert here is None or not counting, f"{here}: not told of {counting}"
            action, category, here, sources = line.split("\t")
            counting = {int(s.split(":")[1]) for s in sources.split(",") if s}
            if here:
                told += 1
                covered.add((category, here))
                effect = made.world.list.get((category, here), ("remove", ""))
                assert (action, sources) == effect
        for category, entry in made.world.list:
            at, itself, below, url = oracle.split(entry)
            covers = (url and path and f"/{entry.split('/', 1)[1]}" in (path, "/path") and (
                host == at or host.endswith("." + at))) or (itself and at == host) or (
                below and host.endswith("." + at))
            assert not covers or (category, entry) in covered, (host, path, entry)
    return told


def test_random_logs(tool):
    effective = changes = refused = told = 0
    for seed in range(SEED, SEED + LOGS):
        made = Maker(tool, seed)
        try:
            made.play(30)
            assert listing(made) == made.world.list
            told += stories(made)
            assert tool.ask(f"again {made.now}") == ["same"], "from scratch it is another list"
        except AssertionError as e:
            raise AssertionError(f"seed {seed}: {e}") from e
        effective += len(made.world.list)
        refused += sum(s.refusal is not None for s in made.world.log.entries)
        changes += len(made.world.log.entries)
    print(f"{LOGS} logs, {changes} statements, {refused} of them in vain, {effective} entries at the end")
    assert told > LOGS, "too few stories"
    assert effective > LOGS / 4, "the logs say too little to test anything"
