# SPDX-License-Identifier: BSD-2-Clause
"""A primary, ours, and what is needed to follow it."""
import subprocess
import sys

import pytest

import secondaries
from ports import free_port
from primaries import Primary, make_key


@pytest.fixture
def key(tmp_path):
    return make_key(tmp_path, "follower.example")


@pytest.fixture
def primary(lindung, tmp_path):
    """primary(count, long=names of 80 octets, zone options): started."""
    made = []

    def start(count=300, **options):
        started = Primary(lindung, tmp_path / f"primary-{len(made)}", count, **options).start()
        made.append(started)
        return started

    yield start
    for each in made:
        each.stop()


@pytest.fixture(scope="session")
def upstream_port():
    """A server that knows every name."""
    port = free_port()
    process = subprocess.Popen([sys.executable, secondaries.servers.__file__, str(port)],
                               stdout=subprocess.PIPE)
    process.stdout.readline()
    yield port
    process.kill()
    process.wait()
