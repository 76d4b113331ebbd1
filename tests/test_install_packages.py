# SPDX-License-Identifier: BSD-2-Clause
"""tools/install-packages, with an apt-get that only writes down what it was asked for."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tools" / "install-packages"


@pytest.fixture
def machine(tmp_path):
    """Run the script on a made-up machine: run(installed, apt_status) -> (result, apt's log)."""
    policy = tmp_path / "policy-rc.d"
    script = tmp_path / "install-packages"
    script.write_text(SCRIPT.read_text().replace("/usr/sbin/policy-rc.d", str(policy)))
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "log"

    def program(name, text):
        path = tools / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def run(*arguments, installed=(), apt_status=0, uid=0):
        have = "|".join(installed) or "-"
        program("dpkg-query", f'case "$4" in {have}) echo installed;; *) exit 1;; esac\n')
        program("id", f"echo {uid}\n")
        program("apt-get", f'echo "$@" >> {log}\n'
                f'[ -x {policy} ] && echo "services stay stopped" >> {log}\n'
                f'case "$*" in *install*) exit {apt_status};; esac\n')
        log.write_text("")
        path = f"{tools}:/usr/bin:/bin" if uid == 0 else str(tools)
        result = subprocess.run(["/bin/sh", str(script), *arguments], capture_output=True,
                                text=True, env={**os.environ, "PATH": path}, check=False)
        return result, log.read_text(), policy.exists()

    for name in ("env", "tr", "sort", "sed", "rm", "chmod", "cat"):
        os.symlink(f"/usr/bin/{name}", tools / name)
    return run


def packages(purpose):
    return subprocess.run([SCRIPT, "--list", purpose], capture_output=True, text=True,
                          check=True).stdout.split()


def test_nothing_missing_nothing_done(machine):
    result, log, policy = machine("test", installed=packages("test"))
    assert (result.returncode, result.stdout, result.stderr, log) == (0, "", "", "")
    assert not policy


def test_only_the_missing_are_installed_and_named(machine):
    have = [p for p in packages("build") if p not in ("meson", "libyaml-dev")]
    result, log, policy = machine("build", installed=have)
    assert result.returncode == 0
    assert "to be installed now: libyaml-dev meson\n" in result.stdout
    assert re.search(r"install -y --no-install-recommends libyaml-dev meson\n", log)
    assert log.count("services stay stopped") == 2
    assert not policy, "policy-rc.d was left behind"


def test_a_failure_is_said_and_leaves_nothing_behind(machine):
    result, log, policy = machine("build", apt_status=100)
    assert result.returncode == 1
    assert "could not install" in result.stderr
    assert "services stay stopped" in log
    assert not policy, "policy-rc.d was left behind"


def test_without_root_and_sudo_it_says_what_to_do(machine):
    result, log, _ = machine("build", uid=1000)
    assert result.returncode == 1
    assert "apt-get install --no-install-recommends" in result.stderr
    assert log == ""


def test_unknown_purpose(machine):
    result, log, _ = machine("party")
    assert result.returncode == 2
    assert "no such purpose: party" in result.stderr
    assert log == ""


def test_every_library_of_the_build_has_its_package():
    """What meson.build asks pkg-config for comes from a package that is in the list."""
    package_of = {
        "cmocka": "libcmocka-dev", "libevent_core": "libevent-dev",
        "libevent_extra": "libevent-dev", "libnghttp2": "libnghttp2-dev", "openssl": "libssl-dev",
        "libidn2": "libidn2-dev", "libpsl": "libpsl-dev", "libseccomp": "libseccomp-dev",
        "jansson": "libjansson-dev",
        "libunbound": "libunbound-dev", "yaml-0.1": "libyaml-dev", "libzstd": "libzstd-dev",
        "zlib": "zlib1g-dev", "threads": "libc6-dev", "libcurl": "libcurl4-openssl-dev",
        "sqlite3": "libsqlite3-dev", "libpq": "libpq-dev", "libsodium": "libsodium-dev",
    }
    wanted = set()
    for path in [ROOT / "meson.build", *ROOT.glob("*/meson.build"), *ROOT.glob("*/*/meson.build")]:
        wanted |= set(re.findall(r"\bdependency\('([^']+)'", path.read_text()))
    assert "cmocka" in wanted
    have = set(packages("build"))
    for library in sorted(wanted):
        assert package_of.get(library) in have, f"no package is named for {library}"
