# SPDX-License-Identifier: BSD-2-Clause
"""Measurements of the index: size, building, look-ups, opening, changing."""
import json
import shutil
import subprocess

import lists
from measure import BUILD, run, shell_seconds

LINDUNG = BUILD / "programs" / "lindung"
TOOLS = BUILD / "bench"
ROUNDS_LOOKUP = 9
ROUNDS_BUILD = 5
ROUNDS_OPEN = 15
SAMPLE_LISTED = 1_000_000
CORE = 1


def manifest_write(entries, path):
    """A manifest as lindung compile takes it, and our own tool's list of lists."""
    body = {"version": 1, "lists": entries}
    path.write_text(json.dumps(body), encoding="utf-8")  # JSON is YAML
    return "".join(f"{e['category']}\t{e['format']}\t{e['source']}\t{e['file']}\n" for e in entries)


def build_times(report, entries, key, cache, rounds):
    """Compile a set of lists: lines a second, memory, stages.  The image and what is known of it."""
    image = cache / f"{key}.ldx"
    manifest = cache / f"{key}.yaml"
    tool_lists = manifest_write(entries, manifest)
    command = [LINDUNG, "compile", "-o", image, "--manifest", manifest, "--scratch", cache]
    facts = json.loads(run([*command, "--json"]).output)
    stages = json.loads(run([TOOLS / "bench_compile", 256, 2, cache / "stages.ldx"],
                            stdin=tool_lists).output)
    if rounds == 0:
        return image, stages
    lines = facts["total"]["lines"]
    runs = {2: [], 1: []}
    for _ in range(rounds):
        for threads, of in runs.items():
            of.append(run([*command, "-q", "--threads", threads]))
    rate = {threads: [lines / r.seconds / 1e6 for r in of] for threads, of in runs.items()}
    bar = ">= 1.5" if key == "real" else ""
    report.row("build", f"{key}: build from text, two threads", bar, rate[2],
               "million lines/s", best=max, met=(lambda v: v >= 1.5) if bar else None)
    if lines > facts["total"]["entries"] * 1.05:
        entries_rate = [facts["total"]["entries"] / r.seconds / 1e6 for r in runs[2]]
        report.row("build", f"{key}: the same, counted in entries taken", "", entries_rate,
                   "million a second", best=max)
    report.row("build", f"{key}: the same, one thread", "", rate[1], "million lines/s", best=max)
    report.row("build", f"{key}: processor time of both threads", "",
               [r.cpu_seconds for r in runs[2]], "s")
    # The program's own word: wait4() would count what this one held when it forked, too.
    report.row("build", f"{key}: peak memory, two threads", "<= 256",
               [facts["memory_bytes"] / 2**20], "MiB", met=lambda v: v <= 256)
    for stage, seconds in stages["stages"].items():
        report.row("build", f"{key}: stage {stage}, two threads", "", [seconds], "s")
    report.note(f"{key}: {lines:,} lines, {facts['total']['entries']:,} entries, {stages['keys']:,} "
                f"keys; not taken: " + ", ".join(
                    f"{reason} {count:,}" for reason, count in stages["rejects"].items()))
    return image, stages


def build_limits(report, entries, key, cache, lines, rounds=3):
    """What the same machine needs at least: unpack and count, sort."""
    files = " ".join(f"'{e['file']}'" for e in entries)
    cat = "zstd -dcqf"
    report.row("limits", f"{key}: {cat} of the lists | wc -l", "",
               [lines / shell_seconds(f"{cat} {files} | wc -l") / 1e6 for _ in range(rounds)],
               "million lines/s", best=max)
    text = cache / f"{key}-lines.txt"
    shell_seconds(f"{cat} {files} > '{text}'")
    report.row("limits", f"{key}: sort -u --parallel=2 of the unpacked lines", "",
               [lines / shell_seconds(f"sort -u --parallel=2 -S 256M -T '{cache}' -o /dev/null "
                                      f"'{text}'") / 1e6 for _ in range(rounds)],
               "million lines/s", best=max)
    text.unlink()


def sizes(report, key, stages, names, cache, bar):
    """Bytes a name, by section, beside other ways to store the same names."""
    keys = stages["keys"]
    report.row("size", f"{key}: file, all included", f"<= {bar}" if bar else "",
               [stages["size_bytes"] / keys], "bytes a name",
               met=(lambda v: v <= bar) if bar else None)
    for section, size in sorted(stages["sections"].items(), key=lambda item: -item[1]):
        if size / keys >= 0.005:
            report.row("size", f"{key}: of it {section}", "", [size / keys], "bytes a name")
    if names is None:
        return
    text = cache / "reversed.txt"
    lines = sorted(b".".join(reversed(name.split(b"."))) for name in names)
    text.write_bytes(b"\n".join(lines) + b"\n")
    for tool, command in (("xz", f"xz -9 -c '{text}'"), ("zstd", f"zstd -19 -cq '{text}'")):
        if shutil.which(tool) is None:
            report.missing(f"{tool} is not installed: no size beside ours")
            continue
        out = subprocess.run(f"{command} | wc -c", shell=True, check=True, capture_output=True)
        report.row("size", f"{key}: {command.split(chr(39))[0].strip()} of the sorted text, labels "
                   "reversed, no categories", "", [int(out.stdout) / len(names)], "bytes a name")
    if shutil.which("cdb") is None:
        report.missing("cdb (package tinycdb) is not installed: no size beside ours")
    else:
        database = cache / "names.cdb"
        run(["cdb", "-c", "-m", database],
            stdin="".join(f"{name.decode()} 1\n" for name in names))
        report.row("size", f"{key}: CDB file, one octet of data", "",
                   [database.stat().st_size / len(names)], "bytes a name")
        database.unlink()
    text.unlink()


def queries(report, cache):
    """Files with the unlisted names of the shared data: {key: path}."""
    folder = lists.shared()
    if folder is None:
        return {}
    found = {}
    for key in ("popular-unlisted", "longtail-unlisted", "near-miss"):
        source = folder / "queries" / f"{key}.txt.zst"
        if not source.exists():
            report.missing(f"queries/{key}.txt.zst is not in the shared data")
            continue
        found[key] = cache / f"{key}.txt"
        text = subprocess.run(["zstd", "-dcq", source], check=True, capture_output=True).stdout
        names = dict.fromkeys(line.split()[0] for line in text.splitlines())
        found[key].write_bytes(b"\n".join(names) + b"\n")
    return found


def own_queries(names, cache):
    """Without the shared data: neighbours of listed names.  Some may be listed."""
    path = cache / "neighbours.txt"
    made = [b"x" + name for name in names[::max(1, len(names) // 50000)]]
    path.write_bytes(b"\n".join(made) + b"\n")
    return {"neighbours": path}


def lookups(report, key, image, asked, bar_unlisted, bar_listed):
    """Nanoseconds a name, and what the memory can do, in one run."""
    command = ["taskset", "-c", CORE, TOOLS / "bench_lookup", ROUNDS_LOOKUP, image,
               *(f"{name}={path}" for name, path in asked.items())]
    result = json.loads(run(command).output)
    for name, of in result["sets"].items():
        bar = bar_listed if name == "listed" else bar_unlisted
        report.row("lookup", f"{key}: {name}", f"<= {bar}" if bar else "", of["ns"], "ns a name",
                   met=(lambda v, bar=bar: v <= bar) if bar else None)
        report.row("lookup", f"{key}: {name}, each waiting for the one before", "",
                   of["ns_chained"], "ns a name")
        report.row("lookup", f"{key}: {name}, with cold caches", "", of["ns_cold"], "ns a name")
        report.row("lookup", f"{key}: {name}, in wire form, one by one", "", of["ns_wire"],
                   "ns a name")
        for size in (8, 32, 64):
            report.row("lookup", f"{key}: {name}, in wire form, {size} at once", "",
                       of[f"ns_batch_{size}"], "ns a name")
        report.note(f"{key}: {name}: {of['names']:,} names: {of['block']:,} block, "
                    f"{of['allow']:,} allow, {of['rewrite']:,} rewrite, {of['errors']:,} errors")
    for size, of in result["chase_ns"].items():
        report.row("limits", f"{key}: one load that waits for the one before, of {size}", "", of,
                   "ns")
    report.row("limits", f"{key}: reading the questions alone", "", result["copy_ns"], "ns a name")
    bar = report.size_bar(key)
    report.row("size", f"{key}: resident after all look-ups", f"<= {bar}" if bar else "",
               [result["resident_bytes"] / result["entries"]], "bytes a name",
               met=(lambda v: v <= bar) if bar else None)


def opening(report, key, image, name, cache):
    """From the file to the first answer; from one change to the answer that it changes."""
    overlay = cache / "change.ldx"
    changed = "just-added-by-bench.test"
    bar = (lambda v: v <= 10) if key.startswith("10M") else None
    text = "<= 10" if bar else ""
    edits = []
    for _ in range(ROUNDS_OPEN):
        overlay.unlink(missing_ok=True)
        edits.append(run([LINDUNG, "edit", "-o", overlay, "-b", image, "add", "adult",
                          changed]).seconds * 1e3)
    result = json.loads(run([TOOLS / "bench_open", ROUNDS_OPEN, image, name, overlay,
                             changed]).output)
    report.row("open", f"{key}: open until the first answer", text, result["warm_ms"], "ms",
               met=bar)
    report.row("open", f"{key}: the same, file not in memory", "", result["cold_ms"], "ms")
    report.row("open", f"{key}: one change: open image and overlay until the answer has changed",
               text, result["changed_ms"], "ms", met=bar)
    report.row("open", f"{key}: lindung edit of one name, the whole program, flushed to the disk",
               "", edits, "ms")


def exact(report, key, image, random_count):
    """Every answer against a sorted text."""
    result = json.loads(run([TOOLS / "bench_exact", image, random_count]).output)
    for what, of in result.items():
        report.row("exact", f"{key}: wrong answers, {what} ({of['asked']:,} asked)", "0",
                   [of["wrong"]], "", met=lambda v: v == 0)
        if of["wrong"]:
            report.note(f"{key}: {what}: the first wrong: {of['first']}")
