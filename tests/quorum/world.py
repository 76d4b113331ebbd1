# SPDX-License-Identifier: BSD-2-Clause
"""Statements as text, policies as text, and the tool that takes them: for the tests of this folder."""
import hashlib
import subprocess

import oracle

FIELDS = ("log", "party", "time", "action", "category", "jurisdiction", "basis", "statement", "decision",
          "reasons", "subject", "name", "kind", "country", "key", "from", "evidence", "expires", "note")
ORIGIN = "log.example"


class Tool:
    """quorum_tool, one command after the other."""

    def __init__(self, build_dir, popular=None):
        program = build_dir / "src" / "quorum" / "quorum_tool"
        self.process = subprocess.Popen([program] + ([popular] if popular else []),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keys = {}

    def ask(self, line, payload=None):
        data = b""
        if payload is not None:
            data = payload.encode()
            line = f"{line} {len(data)}"
        self.process.stdin.write(line.encode() + b"\n" + data)
        self.process.stdin.flush()
        answer = []
        for out in self.process.stdout:
            out = out.decode().rstrip("\n")
            if out == ".":
                return answer
            answer.append(out)
        raise AssertionError(f"the tool ended at: {line}")

    def key(self, name, kind=""):
        if (name, kind) not in self.keys:
            self.keys[name, kind] = self.ask(f"key {name} {kind}")[0]
        return self.keys[name, kind]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


# ---- Entries ----------------------------------------------------------------------------------

def entry_order(entry):
    host, itself, below, url = oracle.split(entry)
    rank = 3 if url else 0 if itself and below else 1 if itself else 2
    path = entry[len(host):] if url else ""
    return ("\x01".join(reversed(host.split("."))).encode(), rank, path.encode())


# ---- Statements -------------------------------------------------------------------------------

def text_of(tool, s, block=None):
    """The text of a statement; `block`: its hash, where the entries are in one."""
    lines = ["lindung statement 1"]
    for key in FIELDS:
        if key not in s.fields:
            continue
        value = s.fields[key]
        if key in ("time", "from"):
            value = oracle.shown(value, key == "time" and s.action == "appeal")
        elif key == "expires":
            value = oracle.shown(value, True)
        elif key == "key":
            value = tool.key(value)
        lines.append(f"{key}: {value}")
    if block:
        lines.append(f"entries: block sha256:{block} count {len(s.entries)}")
    elif s.entries is not None:
        lines.append(f"entries: inline {len(s.entries)}")
        lines += [" " + e for e in s.entries]
    return "\n".join(lines) + "\n"


def statement(action, party, time, signers=None, entries=None, **fields):
    """With what the format wants, where it is not given."""
    fields = {k.rstrip("_"): v for k, v in fields.items()}
    fields.update(log=fields.get("log", ORIGIN), party=party, time=time, action=action)
    if action == "appeal":
        fields["time"] -= time % oracle.DAY
    else:
        fields.setdefault("jurisdiction", "INT")
        fields.setdefault("basis", "law")
    if action in ("dispute", "decide", "appeal"):
        fields.setdefault("reasons", "because")
    if action in ("list", "endorse", "allow", "party-add"):
        fields.setdefault("expires", (time // oracle.DAY + 400) * oracle.DAY)
    if action == "party-add":
        fields.setdefault("name", "somebody")
        fields.setdefault("key", fields["subject"])
    if entries is not None:
        entries = sorted(entries, key=entry_order)
    return oracle.Statement(fields, tuple(signers or (party,)), entries)


def identify(tool, s, block=None):
    """Text and id."""
    text = text_of(tool, s, block)
    s.ident = hashlib.sha256(text.encode()).hexdigest()
    return text


# ---- Policies ---------------------------------------------------------------------------------

class PolicyText:
    """A policy as text, from an oracle.Policy."""

    def __init__(self, tool):
        self.tool = tool
        self.lines = []
        self.groups = 0

    def member(self, member):
        if member[0] == "party":
            return member[1]
        if member[0] == "group":
            return self.group(member[1])
        _, kind, country = member
        if kind is None:
            return f"country:{country}"
        return f"kind:{kind}" + (f"/{country}" if country else "")

    def group(self, group):
        members = " ".join(self.member(m) for m in group.members)
        self.groups += 1
        self.lines.append(f"group g{self.groups} {group.needed} {members}")
        return f"g{self.groups}"

    def of(self, policy):
        self.lines = ["lindung policy 1", f"log {self.tool.key(policy.origin)}", "quorum none"]
        for needed, keys, until in policy.roots:
            day = "" if until == oracle.NEVER else f"until {oracle.shown(until, True)} "
            self.lines.append(f"root {needed} {day}" + " ".join(self.tool.key(k) for k in sorted(keys)))
        if policy.popular:
            self.lines.append("popular builtin")
        self.lines += [f"operator {o}" for o in sorted(policy.operators)]
        self.lines += [f"flood {k} {n}" for k, n in policy.flood.items()]
        rules = []
        for category, rule in policy.rules.items():
            rules += [f"category {category}", f"  agree {self.group(rule.agree)}",
                      f"  sealed {rule.sealed}"]
            if rule.lives != oracle.LIFE_MOST:
                rules.append(f"  lives {rule.lives}s")
            if rule.popular:
                rules.append(f"  popular {self.group(rule.popular)}")
            if rule.suspend:
                rules.append(f"  suspend {rule.suspend[0]} {self.group(rule.suspend[1])}")
            if rule.uphold:
                rules.append(f"  uphold {self.group(rule.uphold)}")
            if rule.clock:
                rules.append(f"  clock {rule.clock}s")
        return "\n".join(self.lines + rules) + "\n"


class World:
    """The engine and the oracle, side by side."""

    def __init__(self, tool, policy):
        self.tool, self.policy = tool, policy
        self.log = oracle.Log(policy)
        self.list = {}
        self.next = None
        assert tool.ask("policy", PolicyText(tool).of(policy)) == ["ok"]

    def add(self, s, block=None):
        """To both. `block`: "block" or "late"; then its hash is returned."""
        digest = None
        if block:
            digest = self.tool.ask(block, "".join(e + "\n" for e in s.entries))[0]
        text = identify(self.tool, s, digest)
        said = self.tool.ask("add " + (",".join(s.signers) or "-"), text)[0]
        s.count = len(s.entries or ())
        self.log.add(s)
        assert said == (s.refusal or "none"), (said, s.refusal, text)
        return digest

    def settle(self, now):
        """Take the changes in; both lists must agree."""
        *changes, last = self.tool.ask(f"settle {now}")
        assert last.startswith("next "), last
        for line in changes:
            action, category, entry, sources = line.split("\t")
            was = self.list.get((category, entry))
            if action == "remove":
                assert was is not None, line
                del self.list[category, entry]
            else:
                assert was != (action, sources), f"told again: {line}"
                self.list[category, entry] = (action, sources)
        self.next = int(last[5:])
        expected = self.log.effective(now)
        assert self.list == expected, self.difference(expected)
        return self.list

    def difference(self, expected):
        cells = sorted(set(self.list) | set(expected))
        return [(c, self.list.get(c), expected.get(c)) for c in cells
                if self.list.get(c) != expected.get(c)]
