# SPDX-License-Identifier: BSD-2-Clause
"""Measurements of the resolver: queries a second beside the least that a UDP server does."""
import contextlib
import json
import os
import pathlib
import random
import socket
import subprocess
import time

from measure import BUILD, Failed, process_tree, run

ROUNDS = 5
SECONDS = 1
CACHED_NAMES = 1000
BLOCKED_NAMES = 200_000
SERVER_CORE, LOAD_CORE = 0, 1


def free_port():
    """A UDP port of 127.0.0.1 that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def header(flags):
    return bytes([0x12, 0x34, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0])


def ask(port, name):
    """The rcode of one query, or None."""
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(("127.0.0.1", port))
        with contextlib.suppress(OSError):
            sock.send(header(1) + labels + b"\0\0\1\0\1")
            answer = sock.recv(1500)
            return answer[3] & 15
    return None


@contextlib.contextmanager
def program(core, command, **more):
    """A program in the background on one core, ended at the end by its process id."""
    with subprocess.Popen(["taskset", "-c", str(core), *map(str, command)],
                          stdout=subprocess.DEVNULL, **more) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for(port, name, process, rcode=None, seconds=20):
    """Until it answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(f"the server ended with {process.returncode}")
        got = ask(port, name)
        if got is not None and rcode in (None, got):
            return
        time.sleep(0.05)
    raise Failed("the server does not answer")


def config_write(path, port, upstream, image):
    """JSON is YAML."""
    path.write_text(json.dumps({
        "listen": [f"127.0.0.1@{port}"], "threads": 1,
        "list": {"image": str(image)},
        "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{upstream}"]},
        "metrics": {"listen": ""},
    }), encoding="utf-8")


def serve(report, image, listed, cache):
    """Blocked and cached q/s of ours, and those of the echo, round by round in turn."""
    if len(os.sched_getaffinity(0)) < 2:
        raise Failed("needs two cores: one for the server, one for the load")
    blocked, cached = cache / "blocked.txt", cache / "cached.txt"
    with listed.open(encoding="ascii") as lines:
        names = lines.read().split()
    sample = random.Random(1).sample(names, min(BLOCKED_NAMES, len(names)))
    blocked.write_text("\n".join(sample) + "\n", encoding="ascii")
    open_names = [f"host{i}.open-{i % 97}.example" for i in range(CACHED_NAMES)]
    cached.write_text("\n".join(open_names) + "\n", encoding="ascii")
    port, echo, upstream = free_port(), free_port(), free_port()
    config = cache / "serve.yaml"
    config_write(config, port, upstream, image)
    tool = BUILD / "bench"
    errors = cache / "serve.log"
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(errors.open("w"))
        floor = stack.enter_context(program(SERVER_CORE, [tool / "bench_echo", echo]))
        stack.enter_context(program(LOAD_CORE, [tool / "bench_echo", upstream, "-a"]))
        server = stack.enter_context(program(
            SERVER_CORE, [BUILD / "programs" / "lindung", "serve", "-c", config], stderr=log))
        wait_for(echo, "a.example", floor)
        try:
            wait_for(port, open_names[0], server, rcode=0)
        except Failed as failed:
            raise Failed(f"{failed}: {errors.read_text().strip()[-300:]}") from None
        for name in open_names:
            ask(port, name)
        pids = process_tree(server.pid)
        resident = sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
                       for pid in pids)
        together = "+".join(map(str, pids))
        result = json.loads(run([tool / "bench_load", LOAD_CORE, ROUNDS, SECONDS,
                                 f"echo:{echo}:{floor.pid}:{blocked}",
                                 f"blocked:{port}:{together}:{blocked}",
                                 f"cached:{port}:{together}:{cached}"]).output)
    floor_rates = result["echo"]["qps"]
    for key, of in result.items():
        report.row("serve", f"{key}", "", [rate / 1000 for rate in of["qps"]], "thousand q/s",
                   best=max)
        if key != "echo":
            report.row("serve", f"{key}, of the echo's in the same round", "",
                       [mine / theirs for mine, theirs in zip(of["qps"], floor_rates)], "",
                       best=max)
        report.row("serve", f"{key}: the server's processor time", "", of["server_us"],
                   "us a query")
        report.row("serve", f"{key}: load generator idle", "", of["idle"], "of the time",
                   best=max)
        report.note(f"{key}: lost {of['lost']:,}; rcodes "
                    + ", ".join(f"{code}: {count:,}" for code, count in of["rcodes"].items()))
    report.row("serve", "resident memory of all our processes after warming up", "",
               [resident * os.sysconf("SC_PAGESIZE") / 2**20], "MiB")
