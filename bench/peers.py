# SPDX-License-Identifier: BSD-2-Clause
"""Ours beside the servers that Debian packages: one list, one load generator, one run.

One core is the server's, the other the load generator's and the upstream's.  All servers stay up,
and each round asks one after the other.  The ceiling is an echo that sends as many bytes as our
answers have."""
import base64
import bisect
import contextlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time

import servers
from measure import BUILD, Failed, Noise, run
from serve import LOAD_CORE, SERVER_CORE, ask, free_port, program

ROUNDS, SECONDS = 5, 1
STARTS = int(os.environ.get("BENCH_STARTS", "2"))
CACHED_NAMES = 1000
SAMPLE = 200_000
RELOADS = int(os.environ.get("BENCH_RELOADS", "2"))
RELOAD_RATE = 2000
START_PATIENCE_S, RELOAD_PATIENCE_S = 300, 120
RELOAD_TIME_MAX_S = RELOAD_PATIENCE_S + 20
NXDOMAIN = 3
SECTION = "peers"
TOOLS = BUILD / "bench"


# ---- What is asked ------------------------------------------------------------------------------

def zipf(names, count, rng):
    """`count` draws, the k-th name with a weight of 1/k."""
    order = rng.sample(names, len(names))
    sums = list(itertools.accumulate(1 / k for k in range(1, len(order) + 1)))
    return [order[bisect.bisect(sums, rng.random() * sums[-1])] for _ in range(count)]


def questions_write(names, folder):
    rng = random.Random(1)
    kinds = {
        "blocked": rng.sample(names, min(SAMPLE, len(names))),
        "zipf": zipf(names, SAMPLE, rng),
        "cached": [f"host{i}.open-{i % 97}.example" for i in range(CACHED_NAMES)],
    }
    paths = {}
    for kind, asked in kinds.items():
        paths[kind] = folder / f"{kind}.txt"
        paths[kind].write_text("\n".join(asked) + "\n", encoding="ascii")
    return paths, kinds["cached"]


def certificate_make(folder):
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key),
                    "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL)
    return {"certificate": certificate, "key": key}


# ---- Memory -------------------------------------------------------------------------------------

def field_kib(path, name):
    with contextlib.suppress(OSError):
        for line in pathlib.Path(path).read_text("ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
    return 0


def shmem_kib():
    """Memory of the whole machine that belongs to files without a name."""
    return field_kib("/proc/meminfo", "Shmem")


def memory_bytes(server, shmem_before):
    """What the server's processes hold, with what it keeps in files without a name."""
    own = sum(field_kib(f"/proc/{pid}/status", "RssAnon")
              + field_kib(f"/proc/{pid}/status", "RssFile") for pid in server.pids())
    return 1024 * (own + max(0, shmem_kib() - shmem_before))


class Peak:
    """The most that a server held while this ran, looked at every few milliseconds."""

    def __init__(self, server, shmem_before):
        self.server, self.shmem, self.most, self.ended = server, shmem_before, 0, False
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended:
            self.most = max(self.most, memory_bytes(self.server, self.shmem))
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()


# ---- The run ------------------------------------------------------------------------------------

def until_closed(server, name, patience_s, begin):
    """Seconds from `begin` until a fresh name below `name` is closed."""
    os.sched_setaffinity(0, {LOAD_CORE})
    labels = b"".join(bytes([len(part)]) + part for part in name.encode().split(b"."))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", server.port))
            sock.settimeout(0.002)
            for number in itertools.count():
                if time.monotonic() > begin + patience_s or server.process.poll() is not None:
                    raise Failed(f"{server.label} does not close {name}: {server.log_tail()}")
                fresh = b"u%d" % number
                with contextlib.suppress(OSError):
                    sock.send(bytes([number >> 8 & 255, number & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
                                     len(fresh)]) + fresh + labels + b"\0\0\1\0\1")
                    if sock.recv(1500)[3] & 15 == NXDOMAIN:
                        return time.monotonic() - begin
                time.sleep(0.001)
    finally:
        os.sched_setaffinity(0, {SERVER_CORE, LOAD_CORE})
    raise AssertionError("not reached")


class Contest:
    """All servers on one list."""

    def __init__(self, report, names, folder, tls):
        self.report, self.names, self.folder, self.tls = report, names, folder, tls
        self.live, self.empty_bytes, self.serial = [], {}, itertools.count()

    def row(self, server, what, values, unit, best=min):
        label = server if isinstance(server, str) else server.label
        self.report.row(SECTION, f"{label}: {what}", "", values, unit, best=best)

    def make(self, kind, names, encrypted=False):
        folder = self.folder / f"{kind.label.replace(' ', '-')}-{next(self.serial)}"
        tls = {**self.tls, "dot": free_port(), "doh": free_port()} if encrypted else None
        server = kind(folder, free_port(), tls)
        begin = time.monotonic()
        server.prepare(names)
        server.prepared_s = time.monotonic() - begin
        return server

    def start(self, kind, names, mark, encrypted=False):
        """Started, and the seconds until the list's last name was closed."""
        server = self.make(kind, names, encrypted)
        Noise.wait()
        server.shmem = shmem_kib()
        begin = time.monotonic()
        server.start(SERVER_CORE)
        try:
            server.started_s = until_closed(server, mark, START_PATIENCE_S, begin)
        except Failed:
            server.stop()
            raise
        time.sleep(1)
        server.bytes = memory_bytes(server, server.shmem)
        return server

    def load(self, kind, starts):
        """One of the servers: how it starts, and what the list costs it."""
        # With TLS, too, as below: only the list is to make the difference.
        one = self.start(kind, ["only.example"], "only.example", kind.encrypted)
        one.stop()
        started, prepared = [], []
        for i in range(starts):
            server = self.start(kind, self.names, self.names[-1], kind.encrypted)
            started.append(server.started_s)
            prepared.append(getattr(server, "compiled_s", server.prepared_s))
            if i + 1 < starts:
                server.stop()
        self.live.append(server)
        self.row(server, "start to the first closed name", started, "s")
        self.row(server, "making its files of the list", prepared, "s")
        self.row(server, "memory for the list",
                 [(server.bytes - one.bytes) / len(self.names)], "bytes a name")
        server.list_bytes = (server.bytes - one.bytes) / len(self.names)
        server.bare_bytes = one.bytes
        server.started, server.prepared = started, prepared

    def stop(self):
        for server in self.live:
            server.stop()

    def rates(self, kind, path, echoes):
        """Queries a second of all, round by round in turn."""
        targets = [f"{key}:{port}:{process.pid}:{path}" for key, (port, process) in echoes.items()]
        targets += [f"{server.label}:{server.port}:{'+'.join(map(str, server.pids()))}:{path}"
                    for server in self.live]
        result = json.loads(run([TOOLS / "bench_load", LOAD_CORE, ROUNDS, SECONDS,
                                 *targets]).output)
        for key, of in result.items():
            self.row(key, f"{kind}", [rate / 1000 for rate in of["qps"]], "thousand q/s", max)
            wrong = sum(count for code, count in of["rcodes"].items()
                        if int(code) != (0 if kind == "cached" else NXDOMAIN))
            if key not in echoes and (wrong or of["lost"]):
                self.report.note(f"{key}, {kind}: {wrong:,} other rcodes, {of['lost']:,} lost, of "
                                 f"{sum(of['rcodes'].values()):,}")
        return result

    def latency(self, rate, path, echoes):
        """At one rate for all, round by round."""
        ports = {**{key: port for key, (port, _) in echoes.items()},
                 **{server.label: server.port for server in self.live}}
        p99 = {key: [] for key in ports}
        for _ in range(ROUNDS):
            for key, port in ports.items():
                got = json.loads(run([TOOLS / "bench_rate", LOAD_CORE, f"{rate:.0f}", SECONDS,
                                      port, path]).output)
                p99[key].append(got["p99_us"])
        for key, values in p99.items():
            self.row(key, f"p99 at {rate / 1000:.0f} thousand q/s", values, "us")
        return p99

    def reload_once(self, server, number, paths):
        mark = f"mark{number}.example"
        if server.port in self.echo_ports:
            return None
        server.swap([*self.names, mark])
        Noise.wait()
        shmem = server.shmem
        with Peak(server, shmem) as peak, subprocess.Popen(
                [TOOLS / "bench_rate", str(LOAD_CORE), str(RELOAD_RATE), str(RELOAD_TIME_MAX_S),
                 str(server.port), paths["blocked"], paths["cached"]],
                stdout=subprocess.PIPE, text=True) as probe:
            try:
                time.sleep(1)
                begin = time.monotonic()
                server.reload()
                seconds = until_closed(server, mark, RELOAD_PATIENCE_S, begin)
                time.sleep(1)
            finally:
                probe.terminate()
            got = json.loads(probe.stdout.read())
        return {"seconds": seconds, "peak": peak.most, "list_peak": peak.most - server.bare_bytes,
                **got}

    def reloads(self, paths, echoes):
        self.echo_ports = {port for port, _ in echoes.values()}
        floor = []
        for _ in range(RELOADS):
            got = json.loads(run([TOOLS / "bench_rate", LOAD_CORE, RELOAD_RATE, 5,
                                  next(iter(self.echo_ports)), paths["blocked"]]).output)
            floor.append(got["most_us"] / 1000)
        self.row("echo", "slowest answer at 2,000 q/s (the noise)", floor, "ms")
        results = {}
        for server in self.live:
            if not server.has_reload:
                continue
            try:
                rounds = [self.reload_once(server, i, paths) for i in range(RELOADS)]
            except (Failed, subprocess.CalledProcessError) as error:
                self.report.note(f"{server.label}: no reload: {error}")
                continue
            results[server.label] = rounds
            for what, key, scale, unit in (
                    ("reload: until the new list is in force", "seconds", 1, "s"),
                    ("reload: queries lost", "lost", 1, ""),
                    ("reload: slowest answer", "most_us", 1000, "ms"),
                    ("reload: peak memory", "peak", 2**20, "MiB")):
                self.row(server, what, [got[key] / scale for got in rounds], unit)
        return floor, results

    def encrypted(self, path):
        """Over kept connections: {transport: {label: [q/s]}}."""
        modes = encrypted_questions(path)
        rates = {mode: {} for mode in modes}
        for _ in range(ROUNDS):
            for server in (server for server in self.live if server.tls):
                for mode, (measured, questions) in modes.items():
                    rates[mode].setdefault(server.label, []).append(
                        measured(server.tls[mode], questions))
        for mode, labels in rates.items():
            for label, values in labels.items():
                self.row(label, f"{mode}, kept connections, blocked",
                         [rate / 1000 for rate in values], "thousand q/s", max)
        return rates


def dot_rate(port, path):
    """By dnsperf."""
    text = run(["taskset", "-c", str(LOAD_CORE), "dnsperf", "-m", "dot", "-s", "127.0.0.1", "-p",
                str(port), "-d", path, "-l", str(2 * SECONDS), "-c", "4", "-q", "128", "-T",
                "1"]).output
    found = re.search(r"Queries per second:\s+([\d.]+)", text)
    if found is None:
        raise Failed("dnsperf says no rate")
    return float(found[1])


def doh_rate(port, path):
    """By h2load, with GET; what is not answered 200 does not count."""
    text = run(["taskset", "-c", str(LOAD_CORE), "h2load", "-D", str(2 * SECONDS), "-c", "4", "-m",
                "32", "-t", "1", "-B", f"https://127.0.0.1:{port}", "-i", path]).output
    rate = re.search(r"finished in [^,]*, ([\d.]+) req/s", text)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    if rate is None or codes is None or int(codes[1]) == 0:
        raise Failed(f"h2load: {text[-300:]}")
    return float(rate[1]) * int(codes[1]) / sum(map(int, codes.groups()))


def wire_query(name):
    return (bytes([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
            + b"".join(bytes([len(part)]) + part for part in name.encode().split(b"."))
            + b"\0\0\1\0\1" + bytes([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]))


def encrypted_questions(path):
    """The same names for dnsperf and for h2load."""
    names = path.read_text("ascii").split()
    dot, doh = path.with_suffix(".dot"), path.with_suffix(".doh")
    dot.write_text("".join(f"{name} A\n" for name in names), encoding="ascii")
    doh.write_text("".join("/dns-query?dns=" + base64.urlsafe_b64encode(wire_query(name)).decode()
                           .rstrip("=") + "\n" for name in names[:20000]), encoding="ascii")
    return {"dot": (dot_rate, dot), "doh": (doh_rate, doh)}


# ---- The bars -----------------------------------------------------------------------------------

def best_peer(result, kind):
    """The quickest that is not ours, by its median."""
    others = {key: statistics.median(of["qps"]) for key, of in result[kind].items()
              if key != "lindung" and not key.startswith("echo")}
    key = max(others, key=others.get)
    return key, others[key]


def judge_rates(report, result):
    for kind, share in (("blocked", 0.75), ("zipf", 0.85), ("cached", 0.85)):
        ours, echo = result[kind]["lindung"]["qps"], result[kind][f"echo {kind}"]["qps"]
        ratio = [mine / theirs for mine, theirs in zip(ours, echo)]
        report.row("bars", f"{kind}: of an echo of as many bytes", f">= {share}", ratio, "",
                   met=lambda value, share=share: value >= share, best=max)
        key, rate = best_peer(result, kind)
        report.row("bars", f"{kind}: of the best peer ({key})", "> 1", [mine / rate for mine in ours],
                   "", met=lambda value: value > 1, best=max)


def judge_starts(report, live):
    by = {server.label: server for server in live}
    ours = by["lindung"]
    held = {label: server.list_bytes for label, server in by.items() if server.in_memory}
    if held:
        leanest = min(held, key=held.get)
        report.row("bars", f"memory for the list, of the leanest peer's in memory ({leanest})",
                   "<= 0.1", [ours.list_bytes / held[leanest]], "", met=lambda v: v <= 0.1)
    if "dnsdist CDB" in by:
        theirs = statistics.median(by["dnsdist CDB"].started)
        report.row("bars", "start from an image, of dnsdist's from its CDB", "<= 1",
                   [value / theirs for value in ours.started], "", met=lambda v: v <= 1)
    if "dnsmasq" in by:
        theirs = statistics.median(by["dnsmasq"].started)
        both = [a + b for a, b in zip(ours.started, ours.prepared)]
        report.row("bars", "compile and start, of dnsmasq's start from text", "<= 0.5",
                   [value / theirs for value in both], "", met=lambda v: v <= 0.5)


def judge_reload(report, floor, results, image_bytes):
    rounds = results.get("lindung")
    if rounds is None:
        return
    report.row("bars", "reload: queries lost", "0", [got["lost"] for got in rounds], "",
               met=lambda v: v == 0, best=max)
    slow = statistics.median(floor)
    report.row("bars", "reload: slowest answer beyond the echo's", "<= 10",
               [got["most_us"] / 1000 - slow for got in rounds], "ms", met=lambda v: v <= 10)
    report.row("bars", "reload: peak memory beyond that without a list, in images", "< 2",
               [got["list_peak"] / image_bytes for got in rounds], "", met=lambda v: v < 2)


def judge_encrypted(report, rates):
    for mode, labels in rates.items():
        others = {label: statistics.median(values) for label, values in labels.items()
                  if label != "lindung"}
        if "lindung" in labels and others:
            key = max(others, key=others.get)
            report.row("bars", f"{mode}: of the best peer ({key})", ">= 1",
                       [mine / others[key] for mine in labels["lindung"]], "",
                       met=lambda v: v >= 1, best=max)


def mean_answer(server, path):
    got = json.loads(run([TOOLS / "bench_load", LOAD_CORE, 1, 0.3,
                          f"x:{server.port}:{server.process.pid}:{path}"]).output)
    return round(got["x"]["answer_bytes"])


def compare(report, listed, cache):
    """The whole run.  `listed`: a file of names."""
    if len(os.sched_getaffinity(0)) < 2:
        raise Failed("needs two cores: one for the server, one for the load")
    names = listed.read_text("ascii").split()
    folder = cache / "peers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    paths, cached = questions_write(names, folder)
    servers.UPSTREAM_PORT = free_port()
    contest = Contest(report, names, folder, certificate_make(folder))
    report.note(f"peers: {len(names):,} names")
    with contextlib.ExitStack() as stack:
        stack.enter_context(program(LOAD_CORE, [TOOLS / "bench_echo", servers.UPSTREAM_PORT, "-a"]))
        stack.callback(contest.stop)
        for kind in servers.ALL:
            if kind.find() is None:
                report.missing(f"{kind.label}: the package {kind.package} is not installed")
                continue
            report.note(f"{kind.label}: {kind.version()}")
            report.part(kind.label, lambda _, kind=kind: contest.load(kind, STARTS))
        measure_live(report, contest, stack, paths, cached)


def echoes_start(contest, stack, paths):
    """An echo for each kind of question, of as many bytes as our answers to it."""
    ours = next(server for server in contest.live if server.label == "lindung")
    echoes = {}
    for kind, path in paths.items():
        size, port = mean_answer(ours, path), free_port()
        process = stack.enter_context(
            program(SERVER_CORE, [TOOLS / "bench_echo", port, "-s", size]))
        echoes[kind] = {f"echo {kind}": (port, process)}
        contest.report.note(f"our answers, {kind}: {size} bytes in the mean")
    return echoes


def measure_live(report, contest, stack, paths, cached):
    for server in contest.live:
        for name in cached:
            ask(server.port, name)
    echoes = echoes_start(contest, stack, paths)
    result = {kind: contest.rates(kind, path, echoes[kind]) for kind, path in paths.items()}
    judge_rates(report, result)
    judge_starts(report, contest.live)
    rate = best_peer(result, "blocked")[1] / 2
    p99 = contest.latency(rate, paths["blocked"], echoes["blocked"])
    others = {key: statistics.median(values) for key, values in p99.items()
              if key != "lindung" and not key.startswith("echo")}
    key = min(others, key=others.get)
    report.row("bars", f"p99 at that rate, of the best peer's ({key})", "<= 1",
               [mine / others[key] for mine in p99["lindung"]], "", met=lambda v: v <= 1)
    for tool, package in (("dnsperf", "dnsperf"), ("h2load", "nghttp2-client")):
        if shutil.which(tool) is None:
            report.missing(f"dot and doh: the package {package} is not installed")
            break
    else:
        rates = report.part("encrypted", lambda _: contest.encrypted(paths["blocked"]))
        if rates:
            judge_encrypted(report, rates)
    ours = next(server for server in contest.live if server.label == "lindung")
    image = (ours.folder / "list.ldx").stat().st_size
    judge_reload(report, *contest.reloads(paths, echoes["blocked"]), image)
