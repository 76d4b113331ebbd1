# SPDX-License-Identifier: BSD-2-Clause
"""A running server, on free ports of 127.0.0.1, with an upstream that the test plays."""
import pytest

from ports import free_port
from serving import Server, Upstream


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(autouse=True, scope="session")
def program_can_compile(build_dir, request):
    if not (build_dir / "programs" / "lindung").exists():
        pytest.skip("the program is not built")
    if "no command" in request.getfixturevalue("lindung")("compile", "--help").stderr:
        pytest.skip("there is no lindung compile")


@pytest.fixture
def compile_image(lindung, tmp_path):
    """Make an index of these names, and put it at `path` in one step."""

    def run(path, names):
        source, image = tmp_path / "names.txt", tmp_path / "new.ldx"
        source.write_text("".join(name + "\n" for name in names))
        done = lindung("compile", "-q", "--no-protected", "-o", image, "--category", "adult", source)
        assert done.returncode == 0, done.stderr
        image.rename(path)
        return path

    return run


@pytest.fixture
def image(compile_image, tmp_path):
    return compile_image(tmp_path / "family.ldx", ["listed.example", "also-listed.example"])


@pytest.fixture
def config(image, upstream):
    """A configuration that forwards to the upstream; the test may change it."""
    return {
        "listen": [f"127.0.0.1@{free_port()}"],
        "threads": 2,
        "list": {"image": str(image)},
        "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{upstream.port}"],
                     "timeout-ms": 2000},
        "metrics": {"listen": f"127.0.0.1@{free_port()}"},
    }


@pytest.fixture
def serve(lindung, tmp_path):
    """Start a server; it is stopped, and must stop well, at the end of the test."""
    servers = []

    def start(config, ready=True, **options):
        server = Server(lindung.path, config, tmp_path / f"lindung-{len(servers)}.yaml", **options)
        servers.append(server)
        if ready:
            server.says("ready")
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()
