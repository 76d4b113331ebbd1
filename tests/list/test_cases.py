# SPDX-License-Identifier: BSD-2-Clause
"""Each kind of dirt: cases/FORMAT-what.in gives the entries in .out and the rejections in .err.

The .in files are bytes: some have no text encoding on purpose.
"""
import pathlib
import subprocess

import pytest

CASES = pathlib.Path(__file__).parent / "cases"
# The column that is asked for, where it is not to be found out.
COLUMN = {"csv-named-column": "WEB", "csv-missing-column": "other"}
NAMES = sorted(path.stem for path in CASES.glob("*.in"))


@pytest.mark.parametrize("name", NAMES)
def test_case(build_dir, name):
    options = ["-c", COLUMN[name]] if name in COLUMN else []
    run = subprocess.run([build_dir / "src/list/list_tool", *options, name.split("-")[0],
                          name + ".in"], cwd=CASES, capture_output=True, check=False, timeout=60)
    assert run.returncode == 0
    assert run.stdout == (CASES / (name + ".out")).read_bytes()
    assert run.stderr == (CASES / (name + ".err")).read_bytes()


def test_cases_are_complete():
    """No expectation without an input, and every format that is read has a case."""
    assert {path.stem for path in CASES.iterdir() if path.suffix != ".in"} == set(NAMES)
    formats = {name.split("-")[0] for name in NAMES}
    assert formats == {"lindung", "hosts", "domains", "wildcard", "adblock", "dnsmasq", "unbound",
                       "rpz", "squid", "csv", "urls"}


def test_every_line_is_accounted_for(build_dir):
    """Where lines stand alone, each gives an entry or a rejection: fed one by one, none is silent."""
    tool = build_dir / "src/list/list_tool"
    lines = 0
    for name in NAMES:
        form = name.split("-")[0]
        if form in ("rpz", "csv", "unbound") or "utf16" in name or "-cr" in name:
            continue
        for line in (CASES / (name + ".in")).read_bytes().removesuffix(b"\n").split(b"\n"):
            if len(line) > 8192 or not line:
                continue
            run = subprocess.run([tool, form, "-"], input=line + b"\n", capture_output=True,
                                 check=True, timeout=60)
            assert run.stdout or run.stderr, (name, line)
            lines += 1
    assert lines > 200
