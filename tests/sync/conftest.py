# SPDX-License-Identifier: BSD-2-Clause
"""Logs, web servers and followers for the tests of this folder."""
import json
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import log_room as rooms  # noqa: E402
from ports import free_port  # noqa: E402
from serving import Server, Upstream  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def needs_room(build_dir):
    if not (build_dir / "src/process/follow_room").exists():
        pytest.skip("follow_room is not built")


@pytest.fixture
def room(build_dir, tmp_path):
    made = rooms.Room(build_dir, tmp_path / "log")
    yield made
    made.close()


@pytest.fixture
def web():
    """web(folder, spoil=None) -> Web"""
    servers = []

    def start(folder, spoil=None):
        servers.append(rooms.Web(folder, spoil))
        return servers[-1]
    yield start
    for server in servers:
        server.close()


@pytest.fixture
def sync(lindung):
    """sync(url, policy, state, ...) -> (exit status, what it said as JSON, standard error)"""
    def run(url, policy, state, *more, prefix=()):
        done = subprocess.run([*prefix, str(lindung.path), "sync", "-p", str(policy), "-s", str(state),
                               "--json", *map(str, more), url], capture_output=True, text=True,
                              timeout=120, check=False)
        line = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
        return done.returncode, line, done.stderr
    return run


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def follower(lindung, tmp_path, upstream):
    """follower(url, policy, state, ...) -> Server: `lindung serve` that follows."""
    servers = []

    def start(url, policy, state, ready=True, poll_s=1, more=None, **options):
        port = free_port()
        # As root it follows as nobody; in a build with a sanitizer without a root directory of
        # its own, so that nobody must be able to come by.
        for folder in (tmp_path, *tmp_path.parents):
            if folder.name.startswith("pytest-of-") or folder.parent.name.startswith("pytest-of-") \
                    or folder == tmp_path:
                folder.chmod(0o755)
        config = {
            "listen": [f"127.0.0.1@{port}"], "threads": 1,
            "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{upstream.port}"],
                         "timeout-ms": 2000},
            "metrics": {"listen": f"127.0.0.1@{free_port()}"},
            "follow": {"url": url, "policy": str(policy), "state": str(state),
                       "poll-s": poll_s, "notify-from": ["127.0.0.1"]},
        }
        for key, value in (more or {}).items():
            config.setdefault(key, {})
            config[key] = {**config[key], **value} if isinstance(value, dict) else value
        server = Server(lindung.path, config, tmp_path / f"follow-{len(servers)}.yaml",
                                   **options)
        servers.append(server)
        if ready:
            server.says("ready", timeout_s=30)
        return server
    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()
