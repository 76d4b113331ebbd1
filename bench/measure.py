# SPDX-License-Identifier: BSD-2-Clause
"""Running what is measured, the machine it runs on, and figures as text."""
import contextlib
import dataclasses
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("LINDUNG_BUILD", ROOT / "build")).resolve()


CALM_SHARE = 0.15     # of a core that others may use in what counts as calm
CALM_WAIT_S = 10      # before one measurement
CALM_TOTAL_S = 120    # in all: a machine that is never calm is measured as it is


class Failed(Exception):
    """A measurement could not be made; the text says why."""


@dataclasses.dataclass
class Run:
    """One run of a command."""
    seconds: float
    cpu_seconds: float
    output: str


class Noise:
    """What others do with the machine meanwhile, this hypervisor's neighbours too."""
    waited_s = 0.0
    shares = []  # of all cores, for each run

    @staticmethod
    def busy_s():
        """Seconds that all cores worked for anybody, or were taken from us."""
        fields = pathlib.Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
        user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")

    @classmethod
    def wait(cls):
        """Until the machine is calm, or patience ends."""
        end = time.monotonic() + min(CALM_WAIT_S, CALM_TOTAL_S - cls.waited_s)
        begin = time.monotonic()
        while time.monotonic() < end:
            before = cls.busy_s()
            time.sleep(0.2)
            if (cls.busy_s() - before) / 0.2 <= CALM_SHARE:
                break
        cls.waited_s += time.monotonic() - begin

    @classmethod
    def text(cls):
        cores = len(os.sched_getaffinity(0))
        if not cls.shares:
            return "nothing was measured"
        return ("other programs (a measured server among them) took "
                f"{statistics.median(cls.shares):.0%} of {cores} cores during "
                f"the median run, {max(cls.shares):.0%} during the worst; "
                f"{cls.waited_s:.0f} s were spent waiting for calm")


def run(command, stdin=None, env=None):
    """Run a command and measure it.  `stdin`: text."""
    Noise.wait()
    busy = Noise.busy_s()
    environment = {**os.environ, **(env or {})}
    begin = time.monotonic()
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, env=environment,
                          stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        if stdin is not None:
            process.stdin.write(stdin.encode())
            process.stdin.close()
        output = process.stdout.read()
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{pathlib.Path(command[0]).name} ended with {process.returncode}: "
                     f"{errors.decode(errors='replace').strip()[-300:]}")
    other = Noise.busy_s() - busy - usage.ru_utime - usage.ru_stime
    if seconds > 0.2:  # of less the kernel's ticks tell nothing
        Noise.shares.append(max(0, other) / seconds / len(os.sched_getaffinity(0)))
    return Run(seconds, usage.ru_utime + usage.ru_stime, output.decode())


def shell_seconds(script):
    """How long a line of shell takes."""
    return run(["/bin/sh", "-c", script], env={"LC_ALL": "C"}).seconds


@contextlib.contextmanager
def precedence():
    """Before other sessions of this machine, if we may be: Linux gives each session its share,
    however nice its processes are."""
    group = pathlib.Path("/proc/self/autogroup")
    try:
        before = group.read_text("ascii").split()[-1]
        group.write_text("-10", encoding="ascii")
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        group.write_text(before, encoding="ascii")


def process_tree(pid):
    """The process and all that descend from it."""
    found, wanted = [], [pid]
    while wanted:
        found.append(wanted.pop())
        for task in pathlib.Path(f"/proc/{found[-1]}/task").glob("*/children"):
            wanted += [int(child) for child in task.read_text("ascii").split()]
    return found


def figure(values, digits=3):
    """"median (least-most)", with as many digits as matter."""
    def text(value):
        if value >= 10 ** digits:
            return f"{value:,.0f}"
        return f"{value:.{digits}g}"
    if len(values) == 1:
        return text(values[0])
    return f"{text(statistics.median(values))} ({text(min(values))}-{text(max(values))})"


def first_line(command):
    """What a program says first, as of its version; None if it is not there."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return (result.stdout or result.stderr).splitlines()[0]


def machine():
    """Facts on which figures depend.  No names of hosts, no paths."""
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii")
    cpu = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    memory = re.search(r"MemTotal:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text("ascii"))
    revision = first_line(["git", "-C", str(ROOT), "describe", "--always", "--dirty"])
    caches = [line.strip() for line in
              subprocess.run(["lscpu", "--caches=NAME,ALL-SIZE"], capture_output=True, text=True,
                             check=False).stdout.splitlines()[1:]]
    return {
        "processor": cpu.group(1) if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "caches (all cores)": ", ".join(" ".join(line.split()) for line in caches),
        "virtual": "hypervisor" in info,
        "memory": f"{int(memory.group(1)) / 1048576:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "compiler": first_line(["cc", "--version"]),
        "zstd": first_line(["zstd", "--version"]).strip(" *"),
        "sort": first_line(["sort", "--version"]),
        "revision": revision,
    }


def load_average():
    """Busy processes of the last minute, ours among them."""
    return os.getloadavg()[0]
