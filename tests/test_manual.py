# SPDX-License-Identifier: BSD-2-Clause
"""The manual pages lindung(1), lindung-log(1) and lindung-host(1), `lindung COMMAND --help` and the shell completion
agree."""
import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def commands(lindung):
    """The commands that `lindung --help` names."""
    found = re.findall(r"^  ([a-z][a-z-]*)  ", lindung("--help").stdout, re.MULTILINE)
    assert len(found) >= 2, "lindung --help lists its commands, two blanks before and behind"
    return found


def options_of(lindung, command):
    """The long options that a command's help describes, each at the beginning of a line."""
    result = lindung(command, "--help")
    assert result.returncode == 0, f"{command} --help: {result.stderr}"
    found = set(re.findall(r"^ +(?:-\w, +)?(--[a-z0-9-]+)", result.stdout, re.MULTILINE))
    assert found, f"{command} --help describes no option"
    return found - {"--help"}


@pytest.fixture(scope="module")
def page(root):
    """Sections of the pages: the commands that share one, and its text."""
    sections = {}
    for name in ("lindung.1", "lindung-log.1", "lindung-host.1"):
        text = (root / "man" / name).read_text(encoding="utf-8")
        description = text.split(".Sh DESCRIPTION")[1].split("\n.Sh ")[0]
        parts = re.split(r"^\.Ss (.+)\n", description, flags=re.MULTILINE)
        sections.update((tuple(head.split()), body) for head, body in zip(parts[1::2], parts[2::2]))
    return sections


def test_the_manual_has_every_command(commands, page):
    assert sorted(command for together in page for command in together) == sorted(commands)


def test_the_manual_has_every_option_and_no_other(lindung, commands, page):
    for together, text in page.items():
        items = " ".join(re.findall(r"^\.It (Fl .*)", text, re.MULTILINE))
        described = {"-" + name for name in re.findall(r"(-[a-z0-9]{2}[a-z0-9-]*)", items)}
        assert described == set().union(*(options_of(lindung, command) for command in together)), \
            together


def complete(root, lindung, *words):
    """What bash offers for the last of these words."""
    quoted = " ".join(f'"{word}"' for word in ("lindung", *words))
    script = (f'source {root}/packaging/completion/lindung.bash; PATH={lindung.path.parent}:$PATH; '
              f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _lindung; "
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return set(subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                              check=True).stdout.split())


def test_bash_completes_commands_and_options(root, lindung, commands):
    assert complete(root, lindung, "") >= set(commands)
    assert complete(root, lindung, "check") == {"check-config", "check-policy"}
    for command in commands:
        assert complete(root, lindung, command, "--") >= options_of(lindung, command), command
