# SPDX-License-Identifier: BSD-2-Clause
"""Recursion from the root, played in a network of its own."""
import json
import pathlib
import subprocess
import sys

import pytest

from test_process import CAN_UNSHARE


@pytest.mark.skipif(not CAN_UNSHARE, reason="no right to make a network of its own")
def test_who_waits_gets_the_answer_to_its_question(config, lindung, tmp_path):
    """Three ask; the answer to the first lets in the next of its connection, which libunbound
    knows at once, before the other who waits for the first is told."""
    config["threads"] = 1
    config["upstream"] = {"mode": "recursion", "dnssec": False}
    config["cache"] = {"ttl-max-s": 1}
    config["tcp"] = {"in-flight-max": 1}
    path = tmp_path / "recursion.yaml"
    path.write_text(json.dumps(config))
    room = pathlib.Path(__file__).with_name("recursion_room.py")
    done = subprocess.run(["unshare", "-n", sys.executable, room, lindung.path, path,
                           config["listen"][0].split("@")[1]],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    both = "['192.0.2.53']; ['192.0.2.53']"
    # libunbound gives a server as near as this one 50 ms: on a busy machine some may fail.
    assert set(done.stdout.splitlines()) - {"[]; []"} == {both}
