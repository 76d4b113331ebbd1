# SPDX-License-Identifier: BSD-2-Clause
"""`lindung recheck`: what exists no more becomes dormant, and comes back."""
import json
import socket
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest


class Resolver:
    """Knows which names are gone; may say nothing, or refuse for a reason of its own."""

    def __init__(self):
        self.gone, self.blocked, self.failing, self.silent = set(), set(), set(), False
        self.asked, self.times = [], []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                wire, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text().lower().rstrip(".")
            if not self.silent:
                self.asked.append(name)
                self.times.append(time.monotonic())
                self.socket.sendto(self.answer(query, name).to_wire(), peer)

    def answer(self, query, name):
        reply = dns.message.make_response(query, recursion_available=True)
        if name in self.gone | self.blocked:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif name in self.failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        else:
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1"))
        if name in self.blocked:
            reply.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(15, "blocked")])
        return reply


@pytest.fixture
def resolver():
    playing = Resolver()
    yield playing
    playing.socket.close()


@pytest.fixture
def image(lindung, tmp_path):
    source = tmp_path / "gambling.txt"
    source.write_text("".join(f"bet{i}.example\n" for i in range(20)), encoding="utf-8")
    path = tmp_path / "base.image"
    assert lindung("compile", "-q", "-o", path, "-c", "gambling", "--no-protected", source).returncode == 0
    return path


@pytest.fixture
def recheck(lindung, tmp_path, image, resolver):
    """Run it on a day of November; gives the summary."""
    def run(day, *options, status=0):
        done = lindung("recheck", "-s", tmp_path / "recheck.sqlite", "-o", tmp_path / "dormant.list", "--json",
                       "--server", f"127.0.0.1@{resolver.port}", "--rate", "1000", "--at", f"2026-11-{day:02}",
                       *options, image)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if status == 0 else done.stderr

    return run


def dormant(tmp_path):
    lines = (tmp_path / "dormant.list").read_text().splitlines()
    assert lines[0] == "# lindung list 1"
    return [line.split("\t")[2] for line in lines[1:]]


def test_gone_for_days_is_dormant_and_comes_back(lindung, recheck, resolver, tmp_path, image):
    resolver.gone = {"bet3.example", "bet5.example"}
    first = recheck(1)
    assert (first["names"], first["asked"], first["alive"], first["gone"]) == (20, 20, 18, 2)
    # Not due on the same day; then the two alone.
    assert recheck(1)["asked"] == 0
    assert recheck(2)["asked"] == 2
    # Three times, but not yet over seven days.
    assert recheck(3)["dormant"] == 0 and not dormant(tmp_path)
    resolver.gone = {"bet3.example"}
    last = recheck(8)
    assert (last["slept"], last["dormant"]) == (1, 1) and dormant(tmp_path) == ["bet3.example"]
    overlay = tmp_path / "dormant.image"
    assert lindung("compile", "-q", "--overlay", "-o", overlay, "--no-protected",
                   tmp_path / "dormant.list").returncode == 0
    asked = lindung("query", "--overlay", overlay, image, "bet3.example", "bet5.example").stdout
    assert "bet3.example" in asked and asked.count("block") == 1, asked
    # Dormant, it is asked for once a week; it comes back when it answers.
    assert recheck(10)["asked"] == 0
    resolver.gone = set()
    back = recheck(15)
    assert (back["woke"], back["dormant"]) == (1, 0) and not dormant(tmp_path)


def test_what_a_resolver_says_of_its_own_counts_for_nothing(recheck, resolver):
    resolver.blocked = {"bet1.example"}
    resolver.failing = {"bet2.example"}
    for day in (1, 2, 9, 16, 23):
        outcome = recheck(day)
        assert outcome["dormant"] == outcome["gone"] == 0
        assert outcome["unanswered"] == 2


def test_a_resolver_that_says_nothing_ends_it(recheck, resolver, lindung, tmp_path):
    names = tmp_path / "many.txt"
    names.write_text("".join(f"many{i}.example\n" for i in range(200)), encoding="utf-8")
    big = tmp_path / "big.image"
    assert lindung("compile", "-q", "-o", big, "-c", "gambling", "--no-protected", names).returncode == 0
    resolver.silent = True
    done = lindung("recheck", "-s", tmp_path / "other.sqlite", "--server", f"127.0.0.1@{resolver.port}",
                   "--rate", "1000", big)
    assert done.returncode == 1 and "answered none" in done.stderr


def test_the_rate_and_the_number_are_kept(recheck, resolver):
    assert recheck(1, "--rate", "10", "--most", "8")["asked"] == 8
    assert len(resolver.asked) == 8
    assert resolver.times[-1] - resolver.times[0] > 0.5
    assert recheck(1, "--most", "100")["asked"] == 12
    assert sorted(resolver.asked) == sorted(f"bet{i}.example" for i in range(20))


def test_names_that_left_the_list_are_forgotten(recheck, resolver, lindung, tmp_path, image):
    resolver.gone = {"bet3.example"}
    for day in (1, 4, 8):
        recheck(day)
    assert dormant(tmp_path) == ["bet3.example"]
    source = tmp_path / "gambling.txt"
    source.write_text("bet1.example\nother.example\n", encoding="utf-8")
    assert lindung("compile", "-q", "-o", image, "-c", "gambling", "--no-protected", source).returncode == 0
    outcome = recheck(9)
    assert (outcome["names"], outcome["asked"], outcome["dormant"]) == (2, 1, 0)


@pytest.mark.parametrize("options,said", [
    (["--rate", "0"], "--rate"), (["--most", "x"], "--most"), (["--times", "1"], "--times"),
    (["--days", "0"], "--days")])
def test_bad_numbers_are_told(recheck, options, said):
    assert said in recheck(1, *options, status=2)
