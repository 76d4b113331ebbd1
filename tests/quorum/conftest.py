# SPDX-License-Identifier: BSD-2-Clause
"""The modules beside the tests."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
