# SPDX-License-Identifier: BSD-2-Clause
"""Threads that stay on their cores."""
import os
import pathlib

import pytest

from serving import assert_answered, assert_blocked


def cores_of_threads(server):
    """The cores that each thread of the resolver may run on."""
    children = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    for child in children.read_text().split():
        if "resolver" in pathlib.Path(f"/proc/{child}/cmdline").read_text():
            return [os.sched_getaffinity(int(task.name))
                    for task in pathlib.Path(f"/proc/{child}/task").iterdir()]
    raise AssertionError("no resolver")


def ask_from_all_cores(server):
    cores = os.sched_getaffinity(0)
    try:
        for core in cores:
            os.sched_setaffinity(0, {core})
            for tcp in (False, True):
                assert_blocked(server.query("listed.example", tcp=tcp))
                assert_answered(server.query("open.example", tcp=tcp))
    finally:
        os.sched_setaffinity(0, cores)


def test_steered(serve, config):
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        pytest.skip("needs two cores")
    config["threads"], config["steer"] = 0, True
    server = serve(config)
    assert not any("not done" in line for line in server.lines)
    pinned = [only for only in cores_of_threads(server) if len(only) == 1]
    assert sorted(core for only in pinned for core in only) == sorted(cores)
    ask_from_all_cores(server)


def test_not_steered_with_other_numbers(serve, config):
    config["threads"], config["steer"] = len(os.sched_getaffinity(0)) + 1, True
    server = serve(config)
    server.says("steer: not done")
    ask_from_all_cores(server)
