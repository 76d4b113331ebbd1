# SPDX-License-Identifier: BSD-2-Clause
"""Mixed queries for a while, the list reloading all the time: nothing is lost, and memory is flat.

LINDUNG_SOAK_S says for how long (15 s without; `tools/test` takes five minutes under ASan when CI
is set)."""
import collections
import itertools
import os
import pathlib
import random
import select
import signal
import socket
import struct
import time

import dns.message
import dns.rcode

SECONDS = float(os.environ.get("LINDUNG_SOAK_S", "15"))
RELOAD_S = min(10.0, SECONDS / 4)
IN_FLIGHT = 64
RATE = 1000  # queries a second: other tests run beside this one
PATIENCE_S = 5
OPEN_NAMES = 5000
CLOSED = 3  # NXDOMAIN

TYPES = [1] * 12 + [28] * 6 + [65] * 3 + [16, 15, 33, 12, 255]


class Mix:
    """Queries as networks have them: few names asked often, many seldom, some odd."""

    def __init__(self, listed):
        self.rng, self.listed = random.Random(7), listed
        self.number = itertools.count()

    def name(self):
        """(name, closed or not)."""
        kind = self.rng.random()
        if kind < 0.35:
            name = self.rng.choice(self.listed)
            return (f"www{self.rng.randrange(3)}.{name}" if kind < 0.1 else name), True
        if kind < 0.85:
            rank = int(OPEN_NAMES ** self.rng.random())
            return f"host{rank}.site{rank % 89}.example", False
        if kind < 0.97:
            return f"once{next(self.number)}.open.example", False
        return self.rng.choice(["localhost", "x.onion", "1.0.0.127.in-addr.arpa", "a.local"]), None

    def query(self):
        name, closed = self.name()
        if self.rng.random() < 0.3:
            name = "".join(c.upper() if self.rng.random() < 0.5 else c for c in name)
        options = {"use_edns": 0} if self.rng.random() < 0.8 else {}
        if options and self.rng.random() < 0.3:
            options["want_dnssec"] = True
        return dns.message.make_query(name, self.rng.choice(TYPES), **options).to_wire(), closed


class Asker:
    """UDP with many under way; now and then the same over TCP."""

    def __init__(self, port, mix):
        self.port, self.mix = port, mix
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", port))
        self.waiting = {}
        self.counts = collections.Counter()
        self.wrong, self.lost = [], []

    def send(self):
        wire, closed = self.mix.query()
        ident = self.mix.rng.randrange(65536)
        if ident in self.waiting:
            return
        wire = struct.pack("!H", ident) + wire[2:]
        self.waiting[ident] = (time.monotonic(), closed, wire)
        self.sock.send(wire)
        self.counts["asked"] += 1

    def check(self, reply, closed, wire):
        rcode = reply[3] & 15
        self.counts[rcode] += 1
        if closed and rcode != CLOSED:
            self.wrong.append((rcode, wire))
        if closed is False and rcode in (1, 2, CLOSED, 4, 5):
            self.wrong.append((rcode, wire))

    def receive(self, wait_s):
        while select.select([self.sock], [], [], wait_s)[0]:
            reply = self.sock.recv(4096)
            sent = self.waiting.pop(struct.unpack("!H", reply[:2])[0], None)
            if sent:
                self.check(reply, *sent[1:])
            wait_s = 0
        now = time.monotonic()
        for ident, (at, _, wire) in list(self.waiting.items()):
            if now - at > PATIENCE_S:
                del self.waiting[ident]
                self.lost.append(wire)

    def tcp(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as sock:
            asked = [self.mix.query() for _ in range(8)]
            asked = [(struct.pack("!H", i) + wire[2:], closed)
                     for i, (wire, closed) in enumerate(asked)]
            sock.sendall(b"".join(struct.pack("!H", len(wire)) + wire for wire, _ in asked))
            with sock.makefile("rb") as stream:
                for _ in asked:
                    reply = stream.read(struct.unpack("!H", stream.read(2))[0])
                    wire, closed = asked[struct.unpack("!H", reply[:2])[0]]
                    self.check(reply, closed, wire)
            self.counts["tcp"] += len(asked)


def memory_kib(pid):
    """Of a process and its children."""
    total = 0
    for part in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        total += sum(memory_kib(child) for child in part.read_text().split())
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            total += int(line.split()[1])
    return total


def test_soak(serve, config, image, compile_image):
    listed = [f"bad{i}.listed.example" for i in range(3000)]
    compile_image(image, listed)
    config["cache"] = {"size-bytes": "2M"}
    config["threads"] = 2
    # What ASan keeps of freed memory would hide whether ours is flat.
    server = serve(config, env={"ASAN_OPTIONS": "quarantine_size_mb=8:malloc_context_size=5"})
    asker = Asker(server.port, Mix(listed))
    start = time.monotonic()
    next_reload, next_tcp, reloads, memory = start + RELOAD_S, start, 0, []
    while time.monotonic() < start + SECONDS:
        due = (time.monotonic() - start) * RATE
        while len(asker.waiting) < IN_FLIGHT and asker.counts["asked"] < due:
            asker.send()
        asker.receive(0.01)
        now = time.monotonic()
        if now >= next_tcp:
            asker.tcp()
            next_tcp = now + 0.05
            memory.append(memory_kib(server.process.pid))
        if now >= next_reload:
            reloads += 1
            compile_image(image, [*listed, f"more{reloads}.listed.example"])
            server.kill(signal.SIGHUP)
            next_reload = now + RELOAD_S
    end = time.monotonic() + PATIENCE_S + 1
    while asker.waiting and time.monotonic() < end:
        asker.receive(0.1)
    print(f"{asker.counts}, {reloads} reloads, {memory[len(memory) // 3]} to {memory[-1]} KiB")
    assert not asker.lost, f"{len(asker.lost)} lost, as {dns.message.from_wire(asker.lost[0])}"
    assert not asker.wrong, (f"{len(asker.wrong)} wrong, as {asker.wrong[0][0]} for "
                             f"{dns.message.from_wire(asker.wrong[0][1])}")
    assert reloads >= 3 and server.metrics()["lindung_list_loads_total"] >= reloads
    assert asker.counts["asked"] > 100 * SECONDS
    # Flat: what the last third takes at the most is what the second one did, but for a little.
    third = len(memory) // 3
    assert max(memory[2 * third:]) <= 1.1 * max(memory[third:2 * third]) + 1024, memory
