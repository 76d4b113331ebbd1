# SPDX-License-Identifier: BSD-2-Clause
"""The manual page lindung(1), `lindung COMMAND --help` and the shell completion agree."""
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
    """Section of lindung(1) for each command: its text."""
    text = (root / "man" / "lindung.1").read_text(encoding="utf-8")
    description = text.split(".Sh DESCRIPTION")[1].split(".Sh LIST FORMATS")[0]
    parts = re.split(r"^\.Ss (\S+)\n", description, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def test_the_manual_has_every_command(commands, page):
    assert set(page) == set(commands)


def test_the_manual_has_every_option_and_no_other(lindung, commands, page):
    for command in commands:
        items = " ".join(re.findall(r"^\.It (Fl .*)", page[command], re.MULTILINE))
        described = {"-" + name for name in re.findall(r"(-[a-z0-9]{2}[a-z0-9-]*)", items)}
        assert described == options_of(lindung, command), command


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
    assert complete(root, lindung, "check") == {"check-config"}
    for command in commands:
        assert complete(root, lindung, command, "--") >= options_of(lindung, command), command
