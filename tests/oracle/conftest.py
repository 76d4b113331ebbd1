# SPDX-License-Identifier: BSD-2-Clause
"""What was compared, and where it differs, is shown also when all tests pass."""
import pytest

tables = []


@pytest.fixture
def show():
    """show(lines): a table for the end of the run."""
    return tables.append


def pytest_terminal_summary(terminalreporter):
    for lines in tables:
        terminalreporter.section(lines[0])
        for line in lines[1:]:
            terminalreporter.line(line)
