# SPDX-License-Identifier: BSD-2-Clause
"""The effective list, written from formats/policy.md: naive, everything from scratch each time.

It knows nothing of signed notes: who signed is told.  Entries are text, as in statements.
"""
import dataclasses
import datetime

DAY = 86400
NEVER = float("inf")
LIFE_MOST = 3653 * DAY
CLAIMS = ("list", "allow")


@dataclasses.dataclass
class Group:
    needed: int
    members: list  # ("party", id) ("kind", kind, country) ("group", Group)


@dataclasses.dataclass
class Rule:
    agree: Group
    lives: float = LIFE_MOST
    popular: Group = None
    suspend: tuple = None  # (N, Group)
    uphold: Group = None
    clock: float = None
    sealed: str = "allowed"


@dataclasses.dataclass
class Policy:
    origin: str
    roots: list  # (N, {name of key}, until)
    rules: dict
    popular: set = dataclasses.field(default_factory=set)
    operators: set = dataclasses.field(default_factory=set)
    flood: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Statement:
    """As it was written; `signers` are names of keys, `entries` None or a list."""
    fields: dict
    signers: tuple
    entries: list = None
    ident: str = ""
    count: int = 0  # entries that it says it has; a block may not be there yet
    # worked out
    index: int = 0
    refusal: str = None
    void: bool = False
    too_much: bool = False

    def __getattr__(self, name):
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None


def names(member, party):
    if member[0] == "party":
        return party["id"] == member[1]
    if member[0] == "kind":
        return (member[1] in (None, party["kind"])) and (member[2] in (None, party["country"]))
    return False


def satisfies(parties, group):
    """`parties`: list of dicts, each once."""
    direct = [p for p in parties if any(names(m, p) for m in group.members)]
    rest = [p for p in parties if p not in direct]
    inner = [m[1] for m in group.members if m[0] == "group"]
    return len(direct) + sum(satisfies(rest, g) for g in inner) >= group.needed


def is_member(party, group):
    return any(names(m, party) or (m[0] == "group" and is_member(party, m[1])) for m in group.members)


def split(entry):
    """host, covers itself, covers below, is a URL"""
    if "/" in entry:
        return entry.split("/", 1)[0], False, False, True
    if entry.startswith("="):
        return entry[1:], True, False, False
    if entry.startswith("*."):
        return entry[2:], False, True, False
    return entry, True, True, False


def is_well_known(policy, entry):
    host, _, below, url = split(entry)
    if url:
        return False
    names_of_it = {host}
    for front in ("www.", "m."):
        if host.startswith(front):
            names_of_it.add(host[len(front):])
    return bool(names_of_it & policy.popular) or (
        below and any(name.endswith("." + host) for name in policy.popular))


class Log:
    """What is in order, looked at once, in the order of the log."""

    def __init__(self, policy):
        self.policy = policy
        self.entries = []
        self.parties = {}
        self.keys = {}  # key name -> [party, revoked]
        self.idents = {}

    # ---- what is in order

    def rule(self, category):
        return self.policy.rules.get(category) or self.policy.rules.get("*")

    def add(self, s):
        s.index = len(self.entries)
        self.entries.append(s)
        s.refusal = self.check(s)
        if s.refusal is None:
            self.idents[s.ident] = s
            self.take(s)

    def check_root(self, s):
        if not any(s.time < until and len(keys & set(s.signers)) >= n
                   for n, keys, until in self.policy.roots):
            return "root-signatures"
        if s.ident in self.idents:
            return "repeated"
        party = self.parties.get(s.subject)
        if party and s.time < party["root_time"]:
            return "backdated"
        if s.action == "party-revoke":
            return None if party else "unknown-party"
        had = self.keys.get(s.key)
        if had and (had[1] or had[0] != s.subject):
            return "used-key"
        return None

    def check(self, s):
        if s.log != self.policy.origin:
            return "other-log"
        if s.action in ("party-add", "party-revoke"):
            return self.check_root(s)
        party = self.parties.get(s.party)
        if party is None:
            return "unknown-party"
        if party["key"] is None:
            return "revoked-party"
        if party["key"] not in s.signers:
            return "signature"
        if s.ident in self.idents:
            return "repeated"
        floor = max(party["since"], party["last"])
        if s.action == "appeal":
            floor -= floor % DAY
        if s.time < floor:
            return "backdated"
        if s.time >= party["until"]:
            return "expired-key"
        refusal = self.check_claim(s) if s.action in CLAIMS else self.check_target(s, party)
        return refusal or self.check_flood(s, party)

    def check_claim(self, s):
        rule = self.rule(s.category)
        if rule is None:
            return "no-rule"
        return "clear" if rule.sealed == "required" else None

    def target(self, s):
        return self.idents.get(s.fields.get("statement"))

    def base(self, s):
        while s.action not in CLAIMS:
            s = self.target(s)
        return s

    def check_target(self, s, party):
        target = self.target(s)
        if target is None:
            return "unknown-target"
        may = {"endorse": CLAIMS, "dispute": CLAIMS, "appeal": CLAIMS,
               "withdraw": CLAIMS + ("endorse", "dispute", "appeal"),
               "decide": ("dispute", "appeal")}
        if target.action not in may[s.action]:
            return "wrong-target"
        if s.action == "withdraw" and target.party != s.party:
            return "not-own"
        if s.action == "appeal" and s.party not in self.policy.operators:
            return "not-operator"
        if s.action == "decide":
            own = target if s.decision == "uphold" else self.base(target)
            if own.party == s.party:
                return "own-favour"
        return None

    def check_flood(self, s, party):
        if s.action in ("withdraw", "appeal"):
            return None
        day = party["days"].setdefault(s.time // DAY, {"statements": 0, "listed": 0, "disputed": 0})
        most = self.policy.flood
        if "statements" in most and day["statements"] >= most["statements"]:
            return "flood"
        day["statements"] += 1
        brings, kind = 0, None
        if s.action in CLAIMS:
            kind, brings = "listed", s.count
        elif s.action == "dispute":
            kind, brings = "disputed", s.count if s.entries is not None else self.target(s).count
        if kind:
            day[kind] += brings
            s.too_much = kind in most and day[kind] > most[kind]
        return None

    def take(self, s):
        if s.action == "party-add":
            party = self.parties.setdefault(s.subject, {"id": s.subject, "days": {}})
            party.update(key=s.key, kind=s.kind, country=s.country, since=s.time, root_time=s.time,
                         until=s.expires, last=-NEVER, days={})
            self.keys.setdefault(s.key, [s.subject, False])
        elif s.action == "party-revoke":
            party = self.parties[s.subject]
            party["key"] = None
            party["root_time"] = s.time
            for had in self.keys.values():
                had[1] |= had[0] == s.subject
            for other in self.entries[:s.index]:
                if other.refusal is None and other.fields.get("party") == s.subject and \
                        other.time >= s.fields["from"]:
                    other.void = True
        elif s.action != "appeal":
            self.parties[s.party]["last"] = s.time

    # ---- what takes effect

    def speaks_of(self, s, entry):
        if s.action in CLAIMS:
            return entry in s.entries
        target = self.target(s)
        return (s.entries is None or entry in s.entries) and self.speaks_of(target, entry)

    def is_withdrawn(self, s, entry, now):
        return any(w.action == "withdraw" and self.target(w) is s and self.speaks_of(w, entry)
                   for w in self.there(now))

    def there(self, now):
        return [s for s in self.entries if s.refusal is None and not s.void and s.time <= now and
                s.action not in ("party-add", "party-revoke")]

    def is_valid(self, party, now):
        return party["key"] is not None and now < party["until"]

    def decided(self, x, rule, now):
        if rule.uphold is None:
            return None
        last = {}
        for s in self.there(now):
            if s.action == "decide" and self.target(s) is x:
                last[s.party] = s.decision
                of_it = [self.parties[p] for p, d in last.items() if d == s.decision]
                if satisfies(of_it, rule.uphold):
                    return s.decision, s.index
        return None

    def side(self, action, category, entry, now):
        """Sources of the side, or None."""
        rule = self.rule(category)
        about = [s for s in self.entries if s.refusal is None and
                 s.action in CLAIMS + ("endorse", "dispute", "appeal") and
                 self.base(s).action == action and self.base(s).category == category and
                 self.speaks_of(s, entry)]
        objections = [s for s in about if s.action in ("dispute", "appeal")]
        decisions = {s.index: self.decided(s, rule, now) for s in objections}
        ended = max([d[1] for d in decisions.values() if d and d[0] == "uphold"], default=0)
        rejected = {s.party for s in objections if s.action == "dispute" and s.index > ended and
                    decisions[s.index] and decisions[s.index][0] == "reject"}
        there = [s for s in about if s in self.there(now) and s.index > ended and
                 not self.is_withdrawn(s, entry, now) and not self.base(s).void and
                 self.is_valid(self.parties[s.party], now)]
        pending = [s for s in there if s in objections and decisions[s.index] is None]
        if self.is_suspended(rule, pending, rejected, now):
            return None
        counting = [s for s in there if s not in objections and now < s.expires and
                    now < s.time + rule.lives]
        held = [s for s in counting if s.too_much and not any(
            e.action == "endorse" and self.target(e) is s and e.party != s.party for e in counting)]
        counting = [s for s in counting if s not in held]
        parties = [self.parties[p] for p in sorted({s.party for s in counting})]
        if not satisfies(parties, rule.agree):
            return None
        if action == "list" and rule.popular and is_well_known(self.policy, entry) and \
                not satisfies(parties, rule.popular):
            return None
        return [f"{s.party}:{s.index}" for s in sorted(counting, key=lambda s: s.index)[:4]]

    def is_suspended(self, rule, pending, rejected, now):
        def of_group(s):
            return rule.suspend is not None and is_member(self.parties[s.party], rule.suspend[1])
        disputes = [s for s in pending if s.action == "dispute" and of_group(s)]
        by = {s.party for s in disputes if not s.too_much} - rejected
        if rule.suspend is not None and len(by) >= rule.suspend[0]:
            return True
        aged = disputes + [s for s in pending if s.action == "appeal"]
        return rule.clock is not None and any(s.time + rule.clock <= now for s in aged)

    def effective(self, now):
        """{(category, entry): (action, sources)}"""
        found = {}
        cells = {(s.category, e) for s in self.entries if s.refusal is None and s.action in CLAIMS
                 for e in s.entries}
        for category, entry in cells:
            for action, word in (("allow", "allow"), ("list", "block")):
                sources = self.side(action, category, entry, now)
                if sources:
                    found[category, entry] = (word, ",".join(sources))
                    break
        return found


def shown(time, day_alone=False):
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d" if day_alone else "%Y-%m-%dT%H:%M:%SZ")
