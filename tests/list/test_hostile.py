# SPDX-License-Identifier: BSD-2-Clause
"""Lists made to take time or memory: what is read of them, and how long it may take at most."""
import resource
import subprocess

import pytest

MEMORY_MAX_BYTES = 64 * 1024 * 1024


def read(build_dir, form, data, timeout_s=20):
    sanitized = "asan" in build_dir.name

    def limit():
        if not sanitized:  # its shadow memory takes terabytes of addresses
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))

    return subprocess.run([build_dir / "src/list/list_tool", "-q", form, "-"], input=data,
                          capture_output=True, check=False, timeout=timeout_s, preexec_fn=limit)


def counts(run):
    assert run.returncode == 0, run.stderr
    return dict(line.split(" ", 1) for line in run.stdout.decode().splitlines())


def zstd_bomb(blocks, octet):
    """A frame of blocks that each say: 128 KiB of this octet."""
    block = (1 << 17) << 3 | 1 << 1
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x68"  # no size, a window of 8 MiB
    frame += (block.to_bytes(3, "little") + octet) * (blocks - 1)
    return frame + (block | 1).to_bytes(3, "little") + octet


def test_a_packed_file_may_not_grow_without_end(build_dir):
    assert counts(read(build_dir, "domains", zstd_bomb(16, b"\n")))["blank"] == str(16 << 17)
    run = read(build_dir, "domains", zstd_bomb(1 << 20, b"a"), timeout_s=60)  # 4 MiB for 128 GiB
    assert run.returncode == 2
    assert b"more than 1 GiB comes out of it" in run.stderr


@pytest.mark.parametrize("form, data, expected", [
    # Each line opens a quote, and leaves one open that is open.
    ("csv", b"name,note\na.example,1\n" + b'x","\n' * 400_000, {"entries": "1", "syntax": "400000"}),
    ("csv", b'name\na.example,"\n' + b"b.example\n" * 200_000, {"entries": "200000", "syntax": "1"}),
    ("csv", b"a.example" + b"," * 1_000_000, {"entries": "0", "too-long": "1"}),
    ("rpz", b"$ORIGIN r.\n" + b"(\n" * 400_000, {"entries": "0", "syntax": "400000"}),
    ("rpz", b"$ORIGIN r.\n@ SOA (\n" + b"a.example CNAME .\n" * 200_000,
     {"entries": "200000", "syntax": "1"}),
    ("hosts", b"0.0.0.0 " + b"a.b " * 4000 + b"\n" + b"0.0.0.0 a.b c.d\n" * 100_000,
     {"duplicate": "3999"}),
    ("adblock", b"||" + b"a." * 5_000_000 + b"^\n", {"too-long": "1"}),
    ("adblock", b"||a^" + b"$" * 16_000 + b"\n" + b"@@" * 8_000, {"entries": "0"}),
    ("dnsmasq", b"address=" + b"/a.b" * 4_000 + b"/\n", {"entries": "1", "duplicate": "3999"}),
    ("unbound", (b'local-zone: "' + b"a" * 16_000 + b"\n") * 100, {"entries": "0"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_hostile_lists_take_no_time(build_dir, form, data, expected):
    found = counts(read(build_dir, form, data))
    assert {key: found.get(key, "0") for key in expected} == expected
