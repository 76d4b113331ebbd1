# SPDX-License-Identifier: BSD-2-Clause
"""src/store: the unit tests again, over PostgreSQL; and a disk that is really full."""
import os
import shutil
import subprocess

import pytest


def store_test(build_dir, **environment):
    return subprocess.run([str(build_dir / "src" / "store" / "store_test")], capture_output=True,
                          text=True, timeout=120, check=False, env={**os.environ, **environment})


def test_the_same_over_postgresql(build_dir, postgresql):
    done = store_test(build_dir, LINDUNG_TEST_POSTGRESQL=postgresql)
    assert done.returncode == 0, done.stdout + done.stderr
    # Four are about the file of SQLite, and say so.
    said = done.stdout + done.stderr
    assert "[       OK ] a_lost_connection_is_made_anew" in said
    assert said.count("[  SKIPPED ] a_") == 2 * 3, said


def test_a_disk_without_room(build_dir, tmp_path):
    """All of the unit tests on a disk of 64 KiB: they fail with an error, and nothing crashes."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(probe, check=False,
                                                         capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    program = build_dir / "src" / "store" / "store_test"
    # Opened before: the build may be below /tmp itself.
    done = subprocess.run(["unshare", "-rm", "sh", "-c",
                           "exec 9<\"$0\" && mount -t tmpfs -o size=64k none /tmp && "
                           "exec /proc/self/fd/9", program],
                          capture_output=True, text=True, timeout=300, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "[  FAILED  ]" in said and "signal" not in said.lower(), said
