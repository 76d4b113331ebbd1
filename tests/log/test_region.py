# SPDX-License-Identifier: BSD-2-Clause
"""The worked example: three weeks of eight countries come out as written down."""
import difflib
import subprocess


def test_three_weeks_of_the_region_come_out_as_written_down(root, lindung):
    played = subprocess.run([root / "examples/region/play", lindung.path], capture_output=True,
                            text=True, check=False, timeout=300)
    assert played.returncode == 0, played.stderr
    expected = (root / "examples/region/played.txt").read_text("utf-8")
    assert played.stdout == expected, "\n".join(difflib.unified_diff(
        expected.splitlines(), played.stdout.splitlines(), "played.txt", "now", lineterm=""))
