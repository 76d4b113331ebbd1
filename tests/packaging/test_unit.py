# SPDX-License-Identifier: BSD-2-Clause
"""What packages are made from: the systemd units, and what Debian is told."""
import re
import shutil
import subprocess

import pytest

from units import Unit

EXPOSURE_MAX = 2.0
SERVICES = ["lindung.service", "lindung-host.service", "lindung-subscribe.service",
            "lindung-transfer@.service"]

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason=(
    "no systemd-analyze: tools/install-packages deb installs it"))


def test_all_units_are_here(build_dir):
    made = {path.name for path in (build_dir / "packaging").glob("*.service")}
    assert made == set(SERVICES)


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_the_unit_is_hardened(build_dir, name):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           build_dir / "packaging" / name],
                          capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= EXPOSURE_MAX, done.stdout


@needs_systemd
@pytest.mark.parametrize("name", [*SERVICES, "lindung-subscribe.timer"])
def test_systemd_understands_the_unit(build_dir, lindung, tmp_path, name):
    """Each line, and the program is there; the units that it names, too."""
    program = Unit(build_dir / "packaging" / "lindung.service").commands()[0][0]
    for path in (build_dir / "packaging").glob("*.timer"):
        shutil.copy(path, tmp_path)
    for unit in SERVICES:
        text = (build_dir / "packaging" / unit).read_text().replace(program, str(lindung.path))
        (tmp_path / unit).write_text(text)
    instance = tmp_path / name.replace("@", "@partner")
    if not instance.exists():
        instance.symlink_to(tmp_path / name)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", instance],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES[1:])
def test_what_is_beside_the_resolver_has_no_capability(root, build_dir, name):
    unit = Unit(build_dir / "packaging" / name)
    assert unit["CapabilityBoundingSet"] == [""] and not unit["AmbientCapabilities"]
    assert unit["NoNewPrivileges"] == ["yes"]
    user, = unit["User"]
    assert user not in ("lindung", "root")
    users = (root / "packaging" / "systemd" / "lindung.sysusers").read_text()
    assert f"\nu {user} " in users


@needs_systemd
def test_the_unit_allows_what_the_walls_do(root, build_dir):
    """Each call that a process of ours may make is one that the unit lets it make."""
    allowed = Unit(build_dir / "packaging" / "lindung.service").allowed()
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
