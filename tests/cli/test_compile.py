# SPDX-License-Identifier: BSD-2-Clause
"""lindung compile: what it takes, what it refuses, and what it leaves behind."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

import pytest

DIRT = "good.example.com\nco.uk\n192.0.2.1\nkidshelpline.com.au\nbad\x1b[31m\x07.com\nlocalhost\n"


def test_summary_as_json(lindung, tmp_path):
    result = lindung("compile", "-o", tmp_path / "i", "-c", "scam", "--json", "--date",
                     "2026-01-02", "-", stdin=DIRT)
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["date"] == "2026-01-02"
    assert summary["total"]["lines"] == 6 and summary["total"]["entries"] == 1
    assert summary["lists"][0]["source"] == "stdin"
    rejected = summary["total"]["rejected"]
    assert rejected["public-suffix"] == rejected["protected"] == rejected["ip-address"] == 1
    assert sum(rejected.values()) == 5
    assert summary["size_bytes"] == (tmp_path / "i").stat().st_size


def test_summary_for_people(lindung, tmp_path):
    result = lindung("compile", "-o", tmp_path / "i", "-c", "scam", "-", stdin=DIRT)
    assert "public-suffix  a public suffix" in result.stdout
    assert "bytes a name" in result.stdout
    assert lindung("compile", "-q", "-o", tmp_path / "i", "-c", "scam", "-",
                   stdin=DIRT).stdout == ""


def test_rejects_are_told_and_harmless_to_a_terminal(lindung, tmp_path):
    source = tmp_path / "dirt\x1b[2J.txt"
    source.write_bytes(DIRT.encode() + b"# comment\n\xff\xfe\x80.com\n")
    result = lindung("compile", "-q", "-o", tmp_path / "i", "-c", "scam", "-f", "domains",
                     "--rejects", source)
    assert result.returncode == 0
    told = result.stderr.splitlines()
    assert f"{tmp_path}/dirt\\x1b[2J.txt:2: public-suffix: co.uk" in told
    assert any("bad\\x1b[31m\\x07.com" in line for line in told)
    assert any("\\xff\\xfe\\x80.com" in line for line in told)
    assert all(c == "\n" or " " <= c < "\x7f" for c in result.stderr)
    assert not any("comment" in line for line in told)
    everything = lindung("compile", "-q", "-o", tmp_path / "i", "-c", "scam", "-f", "domains",
                         "--rejects=all", source)
    assert set(everything.stderr.splitlines()) > set(told)


def test_strict(lindung, tmp_path):
    run = lambda text, *more: lindung("compile", "-q", "-o", tmp_path / "i", "-c", "scam",
                                      "--strict", *more, "-", stdin=text)
    assert run("# comment\n\na.example.com\n").returncode == 0
    result = run("a.example.com\nco.uk\n")
    assert result.returncode == 1 and "--strict" in result.stderr
    result = lindung("compile", "-q", "-o", tmp_path / "j", "-c", "scma", "--strict", "-",
                     stdin="a.example.com\n")
    assert result.returncode == 1 and '"scam"' in result.stderr
    assert not (tmp_path / "j").exists()


def test_unknown_category_is_a_warning_that_helps(lindung, tmp_path):
    result = lindung("compile", "-q", "-o", tmp_path / "i", "-c", "gamblng", "-",
                     stdin="a.example.com\n")
    assert result.returncode == 0
    assert 'did you mean "gambling"?' in result.stderr


WRONG = [
    (["compile"], "-o FILE"),
    (["compile", "-o", "x"], "no list"),
    (["compile", "-o", "x", "{list}"], "--category KEY"),
    (["compile", "-o", "x", "-c", "Adult!", "{list}"], "--category"),
    (["compile", "-o", "x", "-c", "*", "{list}"], "--allow"),
    (["compile", "-o", "x", "-f", "nonsense", "-c", "adult", "{list}"], "nonsense"),
    (["compile", "-o", "x", "-f", "chromium", "-c", "adult", "{list}"], "chromium"),
    (["compile", "-o", "x", "--memory", "1M", "-c", "adult", "{list}"], "at least 16M"),
    (["compile", "-o", "x", "--memory", "lots", "-c", "adult", "{list}"], "lots"),
    (["compile", "-o", "x", "--threads", "0", "-c", "adult", "{list}"], "--threads"),
    (["compile", "-o", "x", "--date", "2026-02-31x", "-c", "adult", "{list}"], "YYYY-MM-DD"),
    (["compile", "-o", "x", "-s", "a,b", "-c", "adult", "{list}"], "comma"),
    (["compile", "-o", "x", "--no-protected", "--protected", "y", "-c", "adult", "{list}"],
     "contradict"),
    (["compile", "--frob"], "frob"),
    (["query"], "expected"), (["query", "x"], "expected"), (["dump"], "expected"),
    (["dump", "-f", "csv", "x"], "csv"), (["dump", "a", "b"], "expected"),
    (["verify"], "expected"), (["diff", "x"], "expected"), (["edit", "add", "a", "b.com"], "-o"),
    (["edit", "-o", "x"], "no change"), (["edit", "-o", "x", "add", "b.com"], "add CATEGORY"),
    (["edit", "-o", "x", "add", "*", "b.com"], "category"),
]


@pytest.mark.parametrize("words,says", WRONG, ids=lambda w: " ".join(w) if isinstance(w, list) else "")
def test_wrong_usage_says_what_is_wrong(lindung, tmp_path, words, says):
    source = tmp_path / "list.txt"
    source.write_text("a.example.com\n", encoding="utf-8")
    result = lindung(*[w.format(list=source) for w in words])
    assert result.returncode == 2
    assert says in result.stderr and "--help" in result.stderr
    assert result.stdout == ""


def test_files_that_cannot_be_read_or_written(lindung, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "cut.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\3abc")
    source = tmp_path / "list.txt"
    source.write_text("a.example.com\n", encoding="utf-8")
    for path in ("missing.txt", "folder", "cut.gz"):
        image = tmp_path / "image"
        result = lindung("compile", "-q", "-o", image, "-c", "adult", tmp_path / path)
        assert result.returncode == 1 and path in result.stderr, path
        assert not image.exists()
    result = lindung("compile", "-q", "-o", tmp_path / "no" / "image", "-c", "adult", source)
    assert result.returncode == 1 and "no" in result.stderr
    unreadable = tmp_path / "unreadable.txt"
    unreadable.write_text("a.example.com\n", encoding="utf-8")
    unreadable.chmod(0)
    if os.geteuid() != 0:  # root may read everything
        assert lindung("compile", "-o", tmp_path / "i", "-c", "adult",
                       unreadable).returncode == 1


def test_a_full_disk_leaves_the_old_image(lindung, tmp_path):
    """The file may not grow past a limit: the same to us as a disk that is full."""
    image, source = tmp_path / "image", tmp_path / "list.txt"
    source.write_text("\n".join(f"n{i * 7919 % 99991}.example.com" for i in range(90000)),
                      encoding="utf-8")
    image.write_text("the old one", encoding="utf-8")
    before = sorted(os.listdir(tmp_path))
    result = subprocess.run(
        [lindung.path, "compile", "-q", "-o", image, "-c", "adult", source], capture_output=True,
        text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))
    assert result.returncode == 1, result
    assert str(tmp_path) in result.stderr and "File too large" in result.stderr
    assert image.read_text(encoding="utf-8") == "the old one"
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(lindung, tmp_path, number):
    """At several moments, one of which is while the image is being written."""
    source, image = tmp_path / "list.txt", tmp_path / "out" / "image"
    image.parent.mkdir()
    source.write_text("\n".join(f"n{i * 7919 % 999983}.example.com" for i in range(900000)),
                      encoding="utf-8")
    seen = False
    for _ in range(20):
        # Whoever started the tests may have SIGINT ignored, as shells do in the background.
        with subprocess.Popen(["env", "--default-signal=INT", lindung.path, "compile", "-q", "-o",
                               image, "-c", "adult", source],
                              stdout=subprocess.DEVNULL) as process:
            end = time.monotonic() + 60
            while not os.listdir(image.parent) and process.poll() is None:
                assert time.monotonic() < end
            unfinished = [n for n in os.listdir(image.parent) if n != "image"]
            process.send_signal(number)
            status = process.wait(60)
        if unfinished and status == -number:
            seen = True
            break
        image.unlink(missing_ok=True)
    assert seen, "it was never caught while writing"
    assert os.listdir(image.parent) == []


def test_protected_names_and_their_absence(lindung, tmp_path):
    image, source = tmp_path / "image", tmp_path / "list.txt"
    source.write_text("help.example.org\nsub.help.example.org\nhost.example.net\n"
                      "x.host.example.net\n", encoding="utf-8")
    protected = tmp_path / "protected.yaml"
    protected.write_text("version: 1\nprotected:\n  - names: [help.example.org, "
                         "=host.example.net]\n", encoding="utf-8")
    result = lindung("compile", "--json", "-o", image, "-c", "adult", "--protected", protected,
                     source)
    assert json.loads(result.stdout)["total"]["rejected"] == {"protected": 3}
    assert lindung("query", image, "deep.sub.help.example.org").returncode == 0
    assert lindung("query", image, "x.host.example.net").returncode == 1
    protected.write_text("version: 1\nprotected:\n  - names: [Help.example.org]\n",
                         encoding="utf-8")
    result = lindung("compile", "-o", image, "-c", "adult", "--protected", protected, source)
    assert result.returncode == 1 and f"{protected}:3" in result.stderr
    result = subprocess.run([lindung.path, "compile", "-o", image, "-c", "adult", source],
                            env={"LINDUNG_DATA": str(tmp_path / "nowhere")}, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 1 and "--no-protected" in result.stderr


def test_options_hold_for_the_lists_behind_them(lindung, dumped, tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(f"{name}.example.com\n", encoding="utf-8")
    (tmp_path / "d.csv").write_text("id,site\n1,d.example.com\n", encoding="utf-8")
    image = tmp_path / "image"
    result = lindung("compile", "-q", "-o", image, "--no-protected", "-c", "adult",
                     tmp_path / "a.txt", "-c", "scam", "-s", "me", tmp_path / "b.txt", "-f", "csv",
                     "--csv-column", "site", tmp_path / "d.csv", "-f", "auto", "--allow",
                     "--category", "*", tmp_path / "c.txt")
    assert result.returncode == 0, result.stderr
    assert dumped(image) == {("block", "adult", "a.example.com", frozenset({"a"})),
                             ("block", "scam", "b.example.com", frozenset({"me"})),
                             ("block", "scam", "d.example.com", frozenset({"me"})),
                             ("allow", "*", "c.example.com", frozenset({"me"}))}


def test_manifest(lindung, dumped, tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.txt").write_text("a.example.com\n", encoding="utf-8")
    manifest = tmp_path / "lists" / "m.yaml"
    manifest.write_text("version: 1\nlists:\n  - file: a.txt\n    category: scam\n    names: 2\n",
                        encoding="utf-8")
    image = tmp_path / "image"
    result = lindung("compile", "-q", "-o", image, "--no-protected", "--manifest", manifest)
    assert result.returncode == 0
    assert "1 entries were taken, the manifest says 2" in result.stderr
    assert dumped(image) == {("block", "scam", "a.example.com", frozenset({"a"}))}
    for wrong, says in (("fil: a.txt", 'no key "fil"'), ("category: scam", '"file:"'),
                        ("{file: a.txt, names: many}", "names"),
                        ("{file: a.txt, format: odd}", '"odd"'),
                        ("{file: a.txt, allow: maybe}", "true or false")):
        manifest.write_text(f"version: 1\nlists:\n  - {wrong}\n", encoding="utf-8")
        result = lindung("compile", "-o", image, "--manifest", manifest)
        assert result.returncode == 2 and says in result.stderr and f"{manifest}:3" in result.stderr


def test_date(lindung, tmp_path):
    source, image = tmp_path / "list.txt", tmp_path / "image"
    source.write_text("a.example.com\n", encoding="utf-8")
    command = [lindung.path, "compile", "--json", "-o", image, "-c", "adult", source]
    env = dict(os.environ, SOURCE_DATE_EPOCH="86399")
    run = lambda env: subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert json.loads(run(env).stdout)["date"] == "none"
    env["SOURCE_DATE_EPOCH"] = "86400"
    assert json.loads(run(env).stdout)["date"] == "1970-01-02"
    env["SOURCE_DATE_EPOCH"] = "yesterday"
    assert run(env).returncode == 2


def test_progress_is_for_a_terminal_alone(lindung, tmp_path):
    source = pathlib.Path(tmp_path / "list.txt")
    source.write_text("\n".join(f"n{i * 7919 % 999983}.example.com" for i in range(900000)),
                      encoding="utf-8")
    command = [str(lindung.path), "compile", "-o", str(tmp_path / "i"), "-c", "adult", str(source)]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""
    main, side = os.openpty()
    with subprocess.Popen(command, stderr=side, stdout=subprocess.DEVNULL) as process:
        os.close(side)
        shown = b""
        while True:
            try:
                shown += os.read(main, 4096)
            except OSError:  # the terminal's other end is closed
                break
        assert process.wait(60) == 0
    os.close(main)
    assert b"merging" in shown or b"reading" in shown
    assert shown.endswith(b"\r\x1b[K"), "the line is taken away at the end"
