# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `lindung host` share: a PostgreSQL of their own, where Debian's is installed."""
import contextlib
import os
import pathlib
import pwd
import subprocess
import tempfile

import pytest

from ports import free_port


def postgresql_programs():
    """The folder with initdb and postgres of the newest version; None: not installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def postgresql_server():
    """PostgreSQL in a folder of its own, by a user who is not root.  Yields (URL, stop)."""
    programs = postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: what is stored is tested over SQLite alone "
                    "(apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="lindung-pg-") as folder:
        user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("nobody")
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        data = f"{folder}/data"
        common = {"cwd": folder, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True,
                  "check": False, "timeout": 60, **user}
        made = subprocess.run([programs / "initdb", "-D", data, "-U", "lindung", "-A", "trust",
                               "-E", "UTF8", "--locale=C"], **common)
        assert made.returncode == 0, made.stdout
        port = free_port()
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"

        def control(*what):
            # Its messages go to a file: a pipe would be held open by the server.
            done = subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log",
                                   *what], **{**common, "stdout": subprocess.DEVNULL})
            assert done.returncode == 0, pathlib.Path(folder, "log").read_text(encoding="utf-8")

        control("-o", options, "start")
        try:
            yield f"postgresql://lindung@127.0.0.1:{port}/postgres", control
        finally:
            control("-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgresql():
    """URL of an empty database, used by one test after the other."""
    with postgresql_server() as (url, _):
        yield url
