# SPDX-License-Identifier: BSD-2-Clause
"""lindung check-config, and that every option is one that something reads."""
import re


def test_the_defaults_are_right(lindung):
    result = lindung("check-config")
    assert (result.returncode, result.stdout, result.stderr) == (0, "defaults: OK\n", "")


def test_the_example_file_says_the_defaults(lindung, root, tmp_path):
    example = (root / "packaging" / "lindung.yaml").read_text(encoding="utf-8")
    full = tmp_path / "full.yaml"
    full.write_text(re.sub(r"^( *)#([a-z0-9-]+:)", r"\1\2", example, flags=re.MULTILINE))
    assert full.read_text() != example
    result = lindung("check-config", "-p", "-c", full)
    assert result.returncode == 0, result.stderr
    assert result.stdout == lindung("check-config", "-p").stdout
    assert lindung("check-config", "-c", root / "packaging" / "lindung.yaml").returncode == 0


def test_what_is_printed_is_taken(lindung, tmp_path):
    conf = tmp_path / "c.yaml"
    conf.write_text("list: {image: a.ldx}\nblock: {ttl-s: 1m}\nlisten: 192.0.2.1\n")
    first = lindung("check-config", "-p", "-c", conf)
    assert f"image: {tmp_path}/a.ldx\n" in first.stdout
    assert 'listen: ["192.0.2.1@53"]\n' in first.stdout
    again = tmp_path / "again.yaml"
    again.write_text(first.stdout)
    assert lindung("check-config", "-p", "-c", again).stdout == first.stdout


def test_every_problem_is_told_with_its_line(lindung, tmp_path):
    conf = tmp_path / "c.yaml"
    conf.write_text("threads: many\nlist:\n  imgae: x\nupstream:\n  mode: [forward]\n")
    result = lindung("check-config", "-c", conf)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f'{conf}:1: threads: expected a whole number from 0 to 256 (threads), got "many"',
        f"{conf}:3: list.imgae: there is no such option; did you mean list.image?",
        f"{conf}:5: upstream.mode: expected recursion or forward, got a list of 1",
        f"lindung check-config: {conf}: 3 problems",
    ]


def test_wrong_usage(lindung):
    assert lindung("check-config", "x").returncode == 2
    assert lindung("check-config", "--none").returncode == 2


def test_every_option_is_read_by_something(root):
    """An option without effect would be a promise that is not kept."""
    table = (root / "src" / "conf" / "options.h").read_text(encoding="utf-8")
    fields = re.findall(r"^\tX\([A-Z0-9]+, (\w+),", table, re.MULTILINE)
    assert len(fields) > 20
    readers = "".join(path.read_text(encoding="utf-8")
                      for folder in (root / "programs", root / "src" / "process")
                      for path in sorted(folder.glob("*.c")))
    assert [f for f in fields if not re.search(rf"(\.|->){f}\b", readers)] == []
