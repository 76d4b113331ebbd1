# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages: built, looked at by lintian, installed, run, upgraded and purged in a system
made for it.  It takes some minutes, root, and a Debian mirror: LINDUNG_DEB=1 asks for it."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from units import Unit

HERE = pathlib.Path(__file__).resolve().parent
LISTED = "1xbet.com"

pytestmark = pytest.mark.skipif(os.environ.get("LINDUNG_DEB") != "1",
                                reason="takes some minutes: LINDUNG_DEB=1 runs it")


def run(*command, ok=True, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)
    assert (done.returncode == 0) == ok, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def debs(root, tmp_path_factory):
    """Built from the tree; lintian has no error and no warning, or this fails."""
    folder = tmp_path_factory.mktemp("deb") / "out"
    run(root / "tools" / "make-deb", folder)
    return folder


@pytest.fixture(scope="module")
def system(debs, tmp_path_factory):
    """A small Debian, with what the package needs and without it."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if shutil.which("mmdebstrap") is None:
        pytest.skip("no mmdebstrap: tools/install-packages deb installs it")
    folder = tmp_path_factory.mktemp("system") / "root"
    depends = run("dpkg-deb", "--field", debs / deb_name(debs, "lindung"), "Depends")
    names = [part.split("|")[0].split("(")[0].strip() for part in depends.split(",")]
    # From where this machine has its packages.
    run("mmdebstrap", "--variant=minbase", "--include=" + ",".join(names),
        "--setup-hook=cp /etc/apt/apt.conf.d/* \"$1\"/etc/apt/apt.conf.d/ 2>/dev/null || true",
        "bookworm", folder, *apt_sources())
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def apt_sources():
    return [path for path in [pathlib.Path("/etc/apt/sources.list"),
                              *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
            if path.is_file() and path.suffix in (".list", ".sources") and path.stat().st_size]


def deb_name(debs, package):
    found, = debs.glob(f"{package}_*.deb")
    return found.name


def put(debs, system, package):
    name = deb_name(debs, package)
    shutil.copy(debs / name, system / "tmp" / name)
    return f"/tmp/{name}"


def room(system):
    return run("unshare", "--net", "--mount", sys.executable, HERE / "deb_room.py", system, LISTED)


def assert_runs(system):
    said = room(system)
    uid = run("chroot", system, "id", "-u", "lindung").strip()
    assert f"uid {uid}\n" in said and uid != "0"
    for where in ("127.0.0.1", "::1"):
        assert said.count(f"{where} NXDOMAIN") == 2, said
    assert "ended with 0" in said


BESIDE = ["lindung-host.service", "lindung-subscribe.service", "lindung-subscribe.timer",
          "lindung-transfer@.service"]
PASSPHRASE = "four words of a passphrase\n"


def assert_complete(system):
    """What issue after issue added is in it, and nothing runs but the resolver."""
    for name in ("share/lindung/policy/default.policy", "share/lindung/popular.txt",
                 "share/man/man1/lindung-log.1.gz", "share/man/man1/lindung-host.1.gz",
                 *(f"share/doc/lindung/examples/{name}" for name in
                   ("host.env", "subscriptions.yaml", "transfer.env", "lindung.yaml"))):
        assert (system / "usr" / name).is_file(), name
    for unit in BESIDE:
        assert (system / "lib/systemd/system" / unit).is_file(), unit
        assert not list((system / "etc/systemd/system").glob(f"*/{unit}")), unit
    made = run("chroot", system, "stat", "-c", "%U %a", "/var/lib/lindung-host").split()
    assert made == ["lindung-host", "700"]


def assert_hosts(system):
    """A log is made and served as lindung-host(1) and the unit say, by the unit's user."""
    unit = Unit(system / "lib/systemd/system/lindung-host.service")
    user, = unit["User"]
    # Where its data is; by itself it looks beside the program, for which it needs /proc.
    data = {"LINDUNG_DATA": "/usr/share/lindung"}
    run("chroot", system, "runuser", "-u", user, "--", "lindung", "init", "--origin", "log.example",
        "--roots", "1", "--needed", "1", "--passphrase-fd", "0", "/var/lib/lindung-host/home",
        input=PASSPHRASE * 2, env={**os.environ, **data})
    (system / "tmp" / "passphrase").write_text(PASSPHRASE)
    command, = unit.commands()
    env = {"CREDENTIALS_DIRECTORY": "/tmp", "PATH": os.environ["PATH"], **data}
    # As much memory to be locked as systemd gives; it is ended after five seconds.
    said = run("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", "chroot", system,
               "prlimit", "--memlock=8388608", "setpriv", f"--reuid={user}", f"--regid={user}",
               "--clear-groups", "--bounding-set=-all", "--no-new-privs",
               "timeout", "--preserve-status", "5", *command, env=env)
    assert "listening on 127.0.0.1 port 8080" in said, said


def test_life_of_the_package(debs, system):
    chroot = ("chroot", system)
    run(*chroot, "dpkg", "-i", put(debs, system, "lindung"))
    run(*chroot, "lindung", "check-config", "-c", "/etc/lindung/lindung.yaml")
    image = system / "var/lib/lindung/starter.ldx"
    assert image.stat().st_size > 1_000_000
    assert (system / "etc/systemd/system/multi-user.target.wants/lindung.service").is_symlink()
    assert_runs(system)
    assert_complete(system)
    assert_hosts(system)

    # An upgrade makes the image anew, and leaves what people changed.
    config = system / "etc/lindung/lindung.yaml"
    config.write_text(config.read_text() + "\nblock: {ttl-s: 11}\n")
    image.write_bytes(b"")
    run(*chroot, "dpkg", "-i", put(debs, system, "lindung"))
    assert "ttl-s: 11" in config.read_text()
    assert image.stat().st_size > 1_000_000
    assert_runs(system)

    # What is removed leaves the configuration; what is purged leaves what is not ours.
    run(*chroot, "dpkg", "--remove", "lindung")
    assert config.exists() and not (system / "usr/bin/lindung").exists()
    (system / "var/lib/lindung/ours.ldx").write_text("made by somebody")
    run(*chroot, "dpkg", "--purge", "lindung")
    assert not config.exists() and not image.exists()
    assert (system / "var/lib/lindung/ours.ldx").exists()
    assert (system / "var/lib/lindung-host/home/keys/log.key").exists()
    shutil.rmtree(system / "var/lib/lindung-host/home")
    assert not (system / "etc/systemd/system/multi-user.target.wants/lindung.service").exists()
    (system / "var/lib/lindung/ours.ldx").unlink()
    run(*chroot, "dpkg", "-i", put(debs, system, "lindung"))
    run(*chroot, "dpkg", "--purge", "lindung")
    assert not list((system / "var/lib").glob("lindung*")) and not (system / "etc/lindung").exists()


def test_the_library(debs, system):
    run("chroot", system, "dpkg", "-i", put(debs, system, "liblindung0"),
        put(debs, system, "liblindung-dev"))
    library = next((system / "usr/lib").glob("*/liblindung.so.0"))
    program = system / "tmp" / "closed"
    run("gcc", "-I", system / "usr/include",
        system / "usr/share/doc/liblindung-dev/examples/closed.c", "-o", program,
        "-L", library.parent, "-llindung")
    said = run("chroot", system, "/tmp/closed", ok=False)
    assert "usage" in said.lower(), said
    run("chroot", system, "dpkg", "--purge", "liblindung-dev", "liblindung0")
