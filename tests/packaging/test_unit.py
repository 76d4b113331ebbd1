# SPDX-License-Identifier: BSD-2-Clause
"""What packages are made from: the systemd unit, and what Debian is told."""
import re
import shutil
import subprocess

import pytest

EXPOSURE_MAX = 2.0


def test_the_unit_is_hardened(build_dir):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: tools/install-packages deb installs it")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           build_dir / "packaging" / "lindung.service"],
                          capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= EXPOSURE_MAX, done.stdout


def system_calls(name):
    """The calls in a set of systemd's, through the sets it is made of."""
    out = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True,
                         text=True, check=True).stdout
    calls = set()
    for line in out.splitlines()[1:]:
        line = line.strip()
        if line.startswith("@"):
            calls |= system_calls(line)
        elif line and not line.startswith("#"):
            calls.add(line)
    return calls


def test_the_unit_allows_what_the_walls_do(root, build_dir):
    """Each call that a process of ours may make is one that the unit lets it make."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: tools/install-packages deb installs it")
    unit = (build_dir / "packaging" / "lindung.service").read_text()
    allowed = system_calls("@default")
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        for word in words.lstrip("~").split():
            calls = system_calls(word) if word.startswith("@") else {word}
            allowed = allowed - calls if words.startswith("~") else allowed | calls
    table = (root / "src" / "process" / "sandbox_calls.h").read_text()
    wanted = set(re.findall(r"\bX\((\w+),", table)) - {"call"}
    assert len(wanted) > 30, "sandbox_calls.h has another form now"
    assert not wanted - allowed
    # What the walls themselves are made with (sandbox.c).
    assert {"prctl", "capset", "seccomp", "landlock_create_ruleset",
            "landlock_restrict_self"} <= allowed


def test_the_build_needs_what_it_needs_everywhere(root):
    """Build-Depends has the libraries of tools/install-packages, and no other."""
    listed = subprocess.run([root / "tools" / "install-packages", "--list", "build"],
                            capture_output=True, text=True, check=True).stdout.split()
    libraries = {name for name in listed if name.endswith("-dev") and name != "libc6-dev"}
    control = (root / "packaging" / "debian" / "control").read_text()
    needed = control.split("Build-Depends:")[1].split("Standards-Version")[0]
    assert set(re.findall(r"^ (\S+-dev)\b", needed, re.MULTILINE)) == libraries


def test_the_versions_agree(root):
    version = re.search(r"version: '(.*?)'", (root / "meson.build").read_text()).group(1)
    changelog = (root / "packaging" / "debian" / "changelog").read_text()
    assert changelog.startswith(f"lindung ({version}) ")
