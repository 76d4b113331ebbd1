# SPDX-License-Identifier: BSD-2-Clause
"""Our own tools say what is wrong, in a line or two, before they begin to work."""
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("command, says", [
    (["tools/fuzz", "abc"], "expected a number of seconds, not abc"),
    (["tools/fuzz", "0"], "expected a number of seconds, not 0"),
    (["tools/test", "--quik"], "expected --quick or --format, not --quik"),
])
def test_wrong_arguments(command, says):
    run = subprocess.run([ROOT / command[0], *command[1:]], capture_output=True, text=True,
                         check=False, timeout=10)
    assert run.returncode != 0 and run.stdout == ""
    assert says in run.stderr and len(run.stderr.splitlines()) <= 2


def test_run_before_anything_is_built(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/run", tmp_path / "tools/run")
    run = subprocess.run([tmp_path / "tools/run"], capture_output=True, text=True, check=False,
                         timeout=10)
    assert run.returncode == 1
    assert "make run" in run.stderr and len(run.stderr.splitlines()) == 1


def test_install_below_a_folder_with_a_blank(tmp_path):
    """What make would run: a path is one word."""
    run = subprocess.run(["make", "-n", "install", f"DESTDIR={tmp_path}/a b", "PREFIX=/opt/a b"],
                         cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    lines = [line for line in run.stdout.splitlines() if line.startswith("meson ")]
    said = []
    for line in lines[-2:]:
        shown = subprocess.run(["sh", "-c", line.replace("meson", "printf '%s\\n'", 1)
                                .replace(">/dev/null", "")],
                               capture_output=True, text=True, check=True)
        said += shown.stdout.splitlines()
    assert "-Dprefix=/opt/a b" in said and f"{tmp_path}/a b" in said


def test_build_goes_on_after_a_set_up_that_was_broken_off(tmp_path):
    """Ctrl-C in "meson setup" leaves a folder that Meson takes for configured."""
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    (tmp_path / "meson.build").write_text("project('x')\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/install-packages").write_text("#!/bin/sh\n")
    (tmp_path / "tools/install-packages").chmod(0o755)
    subprocess.run(["make", "build"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    (tmp_path / "build/build.ninja").unlink()
    run = subprocess.run(["make", "build"], cwd=tmp_path, capture_output=True, text=True,
                         check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
