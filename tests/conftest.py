# SPDX-License-Identifier: BSD-2-Clause
"""What several test files share: where things are, and how to run our program.

LINDUNG_BUILD names the build folder that is tested; without it, build/.
"""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root():
    """The top of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def build_dir():
    """The build folder that is tested."""
    folder = pathlib.Path(os.environ.get("LINDUNG_BUILD", ROOT / "build")).resolve()
    assert (folder / "build.ninja").exists(), f"{folder} is no build folder: run make build"
    return folder


@pytest.fixture(scope="session")
def lindung(build_dir):
    """Run our program: lindung("query", "FILE", ..., stdin=None) -> CompletedProcess of text."""
    program = build_dir / "programs" / "lindung"
    assert program.exists(), f"{program} is not built"

    def run(*arguments, stdin=None, timeout=300):
        return subprocess.run([str(program), *map(str, arguments)], input=stdin, text=True,
                              capture_output=True, timeout=timeout, check=False)

    run.path = program
    return run
