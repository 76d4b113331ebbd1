# SPDX-License-Identifier: BSD-2-Clause
"""From a statement that completes a quorum to every follower that answers "blocked"; and what a
change costs the origin, computed for 100,000 followers and tried with 10,000 pollers."""
import asyncio
import contextlib
import json
import os
import pathlib
import random
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from measure import BUILD, ROOT, Failed

FOLLOWERS = int(os.environ.get("BENCH_FOLLOWERS", 8))
NAMES = int(os.environ.get("BENCH_NAMES", 1_000_000))
CHANGES = int(os.environ.get("BENCH_CHANGES", 100))
POLLERS = int(os.environ.get("BENCH_POLLERS", 10_000))
POLLERS_S = 20      # over which they look
LOAD_RATE = 200     # queries a second to each follower meanwhile
PATIENCE_S = 20     # for one change
BAR_MS = 1000
MANY = 100_000
ORIGIN = "log.bench.example"

POLICY = """lindung policy 1
log {0}
witness w1 {2}
quorum w1
max-age 7d
root 1 {1}
popular none
group one any kind:hotline kind:ngo
group two 2 kind:hotline kind:ngo
upholder two
category gambling
  agree one
category adult
  agree two
"""


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def packet(name, number=0x1234, opcode=0, rtype=1):
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    flags = opcode << 11 | (0x400 if opcode else 0x100)
    return struct.pack("!6H", number, flags, 1, 0, 0, 0) + labels + struct.pack("!B2H", 0, rtype, 1)


class Room:
    """The log (src/process/follow_room.c)."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [BUILD / "src/process/follow_room", folder, ORIGIN], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def do(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer or answer[0] != "ok":
            raise Failed(f"follow_room: {words[0]}: {' '.join(answer)}")
        return answer[1:]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Load(threading.Thread):
    """Queries for a listed name to every follower, at a steady rate; how many had no answer."""

    def __init__(self, ports, name):
        super().__init__(daemon=True)
        self.ports, self.name = ports, name
        self.sent = self.answered = 0
        self.over = False

    def run(self):
        sockets = []
        for port in self.ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sock.connect(("127.0.0.1", port))
            sock.setblocking(False)
            sockets.append(sock)
        query, turn = packet(self.name), 0.02
        due = time.monotonic()
        while not self.over:
            for sock in sockets:
                for _ in range(int(LOAD_RATE * turn)):
                    sock.send(query)
                    self.sent += 1
            due += turn
            self.take(sockets, due)
        self.take(sockets, time.monotonic() + 3)
        for sock in sockets:
            sock.close()

    def take(self, sockets, until):
        while (left := until - time.monotonic()) > 0:
            if self.over and self.answered == self.sent:
                return
            for sock in select.select(sockets, [], [], left)[0]:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        sock.recv(1500)
                        self.answered += 1


def until_blocked(ports, name, deadline):
    """When every follower answered NXDOMAIN, each asked again and again."""
    waiting, when = {}, []
    query = packet(name)
    for port in ports:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", port))
        sock.send(query)
        waiting[sock] = port
    while waiting:
        if time.monotonic() > deadline:
            raise Failed(f"{len(waiting)} followers did not block {name}")
        for sock in select.select(list(waiting), [], [], 0.05)[0]:
            if sock.recv(1500)[3] & 15 == 3:
                when.append(time.monotonic_ns())
                del waiting[sock]
                sock.close()
        time.sleep(0.005)
        for sock in waiting:
            sock.send(query)
    return when


def stats(url):
    with urllib.request.urlopen(url + ".stats") as page:
        return json.load(page)


@contextlib.contextmanager
def followers(folder, url, policy, upstream):
    processes, ports = [], []
    for i in range(FOLLOWERS):
        ports.append(free_port(socket.SOCK_DGRAM))
        config = folder / f"follower-{i}.yaml"
        config.write_text(json.dumps({
            "listen": [f"127.0.0.1@{ports[-1]}"], "threads": 1,
            "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{upstream}"]},
            "metrics": {"listen": ""}, "cache": {"size-bytes": "1M"},
            "follow": {"url": url, "policy": str(policy), "state": str(folder / f"state-{i}"),
                       "poll-s": 3600, "notify-from": ["127.0.0.1"]}}))
        processes.append(subprocess.Popen([BUILD / "programs/lindung", "serve", "-c", config],
                                          stderr=subprocess.PIPE, text=True))
    try:
        for process in processes:
            for line in process.stderr:
                if ": ready" in line:
                    break
            else:
                raise Failed("a follower did not start")
            threading.Thread(target=process.stderr.read, daemon=True).start()
        yield ports
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)


def upstream_start():
    """Somebody who says that a name has no address: for the time before it is closed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def run():
        while True:
            query, peer = sock.recvfrom(1500)
            end = query.index(b"\0", 12) + 5
            soa = b"\xc0\x0c\0\6\0\1\0\0\0\0\0\x16\0\0" + bytes(20)
            sock.sendto(query[:2] + b"\x81\x80\0\1\0\0\0\1\0\0" + query[12:end] + soa, peer)
    threading.Thread(target=run, daemon=True).start()
    return sock.getsockname()[1]


# ---- What a change costs the origin ---------------------------------------------------------------

def request_of(path, more=""):
    """As a follower asks (tests/sync looks at the real ones)."""
    return (f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: lindung\r\nAccept: */*\r\n"
            f"{more}\r\n").encode()


async def pollers_run(port, tag, path, start):
    """Each looks once, at some moment: the checkpoint has changed, and so has a bundle's part."""
    failed = 0

    async def poller(delay):
        nonlocal failed
        await asyncio.sleep(delay)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for request in (request_of("checkpoint", f"If-None-Match: {tag}\r\n"),
                            request_of(path, f"Range: bytes={start}-\r\n")):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, IndexError):
            failed += 1
    rng = random.Random(1)
    await asyncio.gather(*(poller(rng.random() * POLLERS_S) for _ in range(POLLERS)))
    return failed


def cost(report, section, room, folder, url, port, each):
    """`each`: what one follower's share of one change was, measured."""
    checkpoint = (folder / "log/checkpoint").read_bytes()
    size = int(checkpoint.split(b"\n")[1])
    bundle = size // 256
    name = f"tile/entries/{bundle:03d}.p/"
    had = len((folder / "log" / f"{name}{size % 256}").read_bytes())
    # The same two statements as each of the changes that were measured.
    room.do("endorse", "ngo.example",
            room.do("list", "hot.example", "adult", "change101.bench.example")[1])
    before, begin = stats(url), time.monotonic()
    failed = asyncio.run(pollers_run(port, '"old"', f"{name}{size % 256 + 2}", had))
    after, seconds = stats(url), time.monotonic() - begin
    spent = {key: after[key] - before[key] for key in after}
    report.row(section, f"requests of {POLLERS:,} pollers to one change (computed: "
               f"{each['requests']:.2f} each)", "", [spent["requests"] / POLLERS], "each")
    report.row(section, f"octets to them (computed: {each['out']:,.0f} each)", "",
               [spent["out"] / POLLERS], "B each")
    report.row(section, "octets from them", "", [spent["in"] / POLLERS], "B each")
    report.row(section, "pollers that failed", "0", [failed], "", lambda v: v == 0)
    report.row(section, "requests served meanwhile", "", [spent["requests"] / seconds], "/s")
    report.row(section, f"computed for {MANY:,} followers: a change", "",
               [each["out"] * MANY / 1e6], "MB")
    report.row(section, f"computed for {MANY:,} followers: a change", "",
               [each["requests"] * MANY], "requests")


def changes(report, section, room, ports, url):
    load = Load(ports, "n1.bench.example")
    took_ms, first_ms = [], []
    load.start()
    before = stats(url)
    for i in range(CHANGES):
        name = f"change{i}.bench.example"
        statement = room.do("list", "hot.example", "adult", name)[1]
        time.sleep(0.05)
        when = int(room.do("endorse", "ngo.example", statement)[2])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for port in ports:
                sock.sendto(packet(ORIGIN, i, 4, 6), ("127.0.0.1", port))
            blocked = until_blocked(ports, name, time.monotonic() + PATIENCE_S)
        took_ms.append((max(blocked) - when) / 1e6)
        first_ms.append((min(blocked) - when) / 1e6)
        time.sleep(0.1)
    after = stats(url)
    load.over = True
    load.join()
    took_ms.sort()
    p99 = took_ms[min(len(took_ms) - 1, int(len(took_ms) * 0.99))]
    report.row(section, f"accepted to all {len(ports)} followers blocked, p99 of {CHANGES} changes",
               f"{BAR_MS} ms", [p99], "ms", lambda v: v < BAR_MS)
    report.row(section, "the same, median", "", [statistics.median(took_ms)], "ms")
    report.row(section, "the same, worst", "", [took_ms[-1]], "ms")
    report.row(section, "accepted to the first follower blocked, median", "",
               [statistics.median(first_ms)], "ms")
    report.row(section, f"queries lost, of {load.sent:,}", "0", [load.sent - load.answered], "",
               lambda v: v == 0)
    share = CHANGES * len(ports)
    each = {key: (after[key] - before[key]) / share for key in after}
    report.row(section, "requests to the origin, a change and follower", "", [each["requests"]], "")
    report.row(section, "octets from the origin, a change and follower", "", [each["out"]], "B")
    return each


def follow(report):
    section = f"follow: {NAMES:,} names, {FOLLOWERS} followers under load"
    with tempfile.TemporaryDirectory(prefix="lindung-follow-") as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o755)
        room = Room(folder / "log")
        keys = room.do("keys")
        (folder / "policy").write_text(POLICY.format(*keys))
        room.do("party", "hot.example", "hotline", "ID")
        room.do("party", "ngo.example", "ngo", "TH")
        names = folder / "names"
        with names.open("w") as out:
            for i in range(NAMES):
                out.write(f"n{i}.bench.example\n" if i < 10 else f"n{i}.site{i % 9973}.example\n")
        room.do("block", "hot.example", "gambling", names)
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        origin = subprocess.Popen([sys.executable, ROOT / "bench/origin.py", folder / "log",
                                   str(port)])
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    stats(url)
                    break
                time.sleep(0.05)
            begin = time.monotonic()
            with followers(folder, url, folder / "policy", upstream_start()) as ports:
                report.row(section, "from nothing to all in force", "",
                           [time.monotonic() - begin], "s")
                each = changes(report, section, room, ports, url)
            cost(report, "follow: what a change costs the origin", room, folder, url, port, each)
        finally:
            origin.terminate()
            origin.wait()
            room.close()
