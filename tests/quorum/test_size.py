# SPDX-License-Identifier: BSD-2-Clause
"""What a large list costs: memory for each entry, and that one statement more costs what it speaks of,
however large the list is.  Processor time, not time of day: other tests may run beside it."""
import os

import pytest

import oracle
import world

ENTRIES = 300_000
START = 1767225600


@pytest.fixture
def large(build_dir):
    tool = world.Tool(build_dir)
    rule = oracle.Rule(agree=oracle.Group(1, [("kind", "ministry", None)]))
    policy = oracle.Policy(world.ORIGIN, [(1, {"root-1"}, oracle.NEVER)], {"gambling": rule})
    assert tool.ask("policy", world.PolicyText(tool).of(policy)) == ["ok"]
    take(tool, world.statement("party-add", "root", START, signers=("root-1",), subject="min.example",
                               kind="ministry", country="ID"))
    yield tool
    tool.close()


def take(tool, s, block=None):
    text = world.identify(tool, s, block)
    assert tool.ask("add " + ",".join(s.signers), text) == ["none"]


def cpu_s(tool):
    fields = open(f"/proc/{tool.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(tool):
    with open(f"/proc/{tool.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def test_one_more_among_many(large, build_dir):
    names = sorted((f"casino{i:06}.play{i % 977}.example" for i in range(ENTRIES)),
                   key=world.entry_order)
    stored = large.ask("block", "".join(n + "\n" for n in names))[0]
    before, began = memory(large), cpu_s(large)
    s = world.statement("list", "min.example", START + 1, category="gambling", entries=[])
    s.entries = names
    take(large, s, stored)
    took = cpu_s(large) - began
    grown = memory(large) - before
    assert len(large.ask(f"settle {START + 2}")) == ENTRIES + 1
    is_sanitized = b"__asan_init" in (build_dir / "src" / "quorum" / "quorum_tool").read_bytes()
    print(f"{took:.2f} s, {grown / ENTRIES:.0f} octets an entry")
    assert took < (60 if is_sanitized else 10)
    assert is_sanitized or grown / ENTRIES < 200, "unpacked text and growing arrays with it"

    began = cpu_s(large)
    for i in range(200):
        take(large, world.statement("list", "min.example", START + 10 + i, category="gambling",
                                    entries=[f"one{i}.example"]))
        assert len(large.ask(f"settle {START + 10 + i}")) == 2
    each = (cpu_s(large) - began) / 200
    print(f"{each * 1e6:.0f} us a statement, with its signature")
    assert each < (0.05 if is_sanitized else 0.005)
