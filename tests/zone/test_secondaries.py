# SPDX-License-Identifier: BSD-2-Clause
"""Other programs follow our zones: whole, by changes, after a serial that they missed, by catalog;
with the wrong key they get nothing.  After each, they answer as we do.

LINDUNG_ZONE_NAMES: names in the list (100000; one million was tried once);
LINDUNG_ZONE_CHANGES: changes, one after the other (10; 100 were)."""
import os
import random
import time

import dns.exception
import dns.name
import dns.query
import dns.tsigkeyring
import dns.zone
import pytest

from primaries import Primary, make_key
from ports import free_port
from secondaries import (A, CATALOG, NAME, Bind, BindCatalog, Knotd, PowerDns, Unbound, ask_all,
                         said)

NAMES = int(os.environ.get("LINDUNG_ZONE_NAMES", "100000"))
CHANGES = int(os.environ.get("LINDUNG_ZONE_CHANGES", "10"))
PATIENCE_S = 180 + NAMES // 5000
RESOLVERS = [Bind, Unbound, PowerDns]


class Field:
    """A primary, and one who follows it."""

    def __init__(self, lindung, folder, peer, upstream_port, key_there=None, names=NAMES):
        key = make_key(folder, "follower.example")
        self.peer = peer(folder / "peer", free_port(), key_there or key, upstream_port)
        zone = {"keys": [str(key.path)]} if peer.signs else {"allow": ["127.0.0.1"]}
        zone["notify"] = [f"127.0.0.1@{self.peer.port}"]
        self.primary = Primary(lindung, folder / "primary", names, **zone).start()
        self.peer.primary_port = self.primary.port
        self.primary.await_zones()

    def agree(self, patience_s=PATIENCE_S):
        """Names of the list, changed ones, and others: closed there where they are closed here, once
        all of the zone is in force there (BIND knows some names earlier than others)."""
        chance = random.Random(4)
        names = chance.sample(self.primary.names, 200) + list(self.primary.changes)
        names += [f"www.{name}" for name in names[:50]]
        names += [f"open{i}.closed{i}.example" for i in range(100)]
        questions = [(dns.name.from_text(name), A) for name in names]
        ours = [said(answer)[0] for answer in ask_all(self.primary.port, questions)]
        assert ours.count("NXDOMAIN") > 200
        end = time.monotonic() + patience_s
        while True:
            theirs = [said(answer)[0] for answer in ask_all(self.peer.port, questions)]
            # What is open has no answer here, as nobody is there to ask.
            differ = [(name, a, b) for name, a, b in zip(names, ours, theirs)
                      if (a == "NXDOMAIN") != (b == "NXDOMAIN")]
            if not differ:
                return
            assert time.monotonic() < end, differ
            time.sleep(0.5)

    def stop(self):
        self.peer.stop()
        self.primary.stop()


@pytest.fixture
def field(lindung, tmp_path, upstream_port):
    made = []

    def make(peer, **options):
        if peer.find() is None:
            pytest.skip(f"{peer.program} is not installed (tools/install-packages test)")
        made.append(Field(lindung, tmp_path, peer, upstream_port, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.mark.parametrize("peer", RESOLVERS)
def test_it_follows(field, peer):
    f = field(peer)
    f.peer.run()
    took = [f.peer.wait_for(f.primary.names[-1], True, PATIENCE_S)]
    f.agree()
    wholes = f.primary.metric('lindung_zone_answers_total{kind="axfr"}')
    delays = []
    for i in range(CHANGES):
        names = {f"more{i}.example": "block adult"}
        if i % 2:
            names[f.primary.names[i]] = "remove"
        f.primary.change(**names)
        delays.append(f.peer.wait_for(f"more{i}.example", True))
    f.peer.wait_for(f.primary.names[CHANGES - 1 if CHANGES % 2 == 0 else CHANGES - 2], False)
    f.agree()
    # By what changed, not as a whole.
    assert f.primary.metric('lindung_zone_answers_total{kind="axfr"}') == wholes
    assert f.primary.metric('lindung_zone_answers_total{kind="ixfr"}') >= 1
    delays.sort()
    print(f"{peer.__name__}: {NAMES} names in {took[0]:.1f} s, {CHANGES} changes: median "
          f"{delays[len(delays) // 2]:.2f} s, longest {delays[-1]:.2f} s")


@pytest.mark.parametrize("peer", [Bind])
def test_a_missed_serial(field, peer):
    """It was away while the zone changed twice."""
    f = field(peer)
    f.peer.run()
    f.peer.wait_for(f.primary.names[-1], True, PATIENCE_S)
    f.peer.stop()
    for i in range(2):
        made = f.primary.metric("lindung_zone_makes_total")
        f.primary.change(**{f"missed{i}.example": "block gambling"})
        f.primary.await_metric("lindung_zone_makes_total", made + 1)
    wholes = f.primary.metric('lindung_zone_answers_total{kind="axfr"}')
    f.peer.run()
    f.peer.wait_for("missed1.example", True)
    f.agree()
    assert f.primary.metric('lindung_zone_answers_total{kind="axfr"}') == wholes
    assert f.primary.metric('lindung_zone_answers_total{kind="ixfr"}') >= 1


@pytest.mark.parametrize("peer", [Bind, PowerDns, Knotd])
def test_the_wrong_key(field, peer, tmp_path):
    (tmp_path / "wrong").mkdir()
    f = field(peer, key_there=make_key(tmp_path / "wrong", "follower.example"))
    f.peer.run()
    f.primary.await_metric('lindung_zone_answers_total{kind="bad-signature"}', 1)
    time.sleep(1)
    assert f.primary.metric('lindung_zone_answers_total{kind="axfr"}') == 0
    if peer.closes:
        f.peer.wait_for(f.primary.names[-1], False)


def zone_of(port, name):
    return dns.zone.from_xfr(dns.query.xfr("127.0.0.1", name, port=port, relativize=False,
                                           timeout=30), relativize=False, check_origin=True)


@pytest.mark.parametrize("peer", [Knotd, BindCatalog])
def test_the_catalog(field, peer):
    """One zone is named to it; the others follow by themselves, and follow changes."""
    f = field(peer, names=400)
    f.peer.run()

    def ours(name):
        keyring = dns.tsigkeyring.from_text({f.peer.key.name: f.peer.key.secret})
        return dns.zone.from_xfr(dns.query.xfr("127.0.0.1", name, port=f.primary.port, timeout=30,
                                               relativize=False, keyring=keyring),
                                 relativize=False)

    def same(name):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                here, there = ours(name), zone_of(f.peer.port, name)
            except (dns.exception.DNSException, OSError, EOFError):
                time.sleep(0.3)
                continue
            if here.get_soa().serial == there.get_soa().serial:
                assert set(here.nodes) == set(there.nodes)
                for node in here.nodes:
                    assert here[node] == there[node], node
                return here
            time.sleep(0.3)
        raise AssertionError(f"{name} is not the same there\n{f.peer.log_text()[-3000:]}")

    for name in (NAME, f"adult.{NAME}", f"gambling.{NAME}"):
        same(name)
    f.primary.change(**{"later.example": "block adult"})
    f.primary.await_metric("lindung_zone_makes_total", 2)
    assert dns.name.from_text(f"later.example.{NAME}") in same(NAME).nodes
    assert dns.name.from_text(f"later.example.adult.{NAME}") in same(f"adult.{NAME}").nodes
    # A category more is a zone more.
    f.primary.change(**{"third.example": "block weapons"})
    f.primary.await_metric("lindung_zone_makes_total", 3)
    assert dns.name.from_text(f"third.example.weapons.{NAME}") in same(f"weapons.{NAME}").nodes
    same(CATALOG)
