# SPDX-License-Identifier: BSD-2-Clause
"""How the server starts, says what it does, and ends."""
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

import dns.exception
import dns.message
import pytest

from serving import assert_answered, assert_blocked

CAN_UNSHARE = subprocess.run(["unshare", "-n", "true"], capture_output=True,
                             check=False).returncode == 0


def test_says_what_it_serves(serve, config, image):
    server = serve(config)
    assert "2 names in 1 categories" in server.says(f"list {image}")
    server.says(f"listening (UDP and TCP) on 127.0.0.1 port {server.port}")
    server.says(f"forwarded to {config['upstream']['servers'][0]}")
    server.says(f"metrics at 127.0.0.1@{server.metrics_port}")
    server.says("2 threads")


def test_begins_without_descriptors(serve, config):
    """Nobody's message ends in a socket that came to be number 2."""
    server = serve(config, ready=False,
                   prefix=("sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'))
    for _ in range(100):
        with contextlib.suppress(OSError, dns.exception.Timeout):
            assert_blocked(server.query("listed.example", timeout_s=0.1))
            break
        time.sleep(0.05)
    else:
        raise AssertionError("it does not answer")
    for number in range(3):
        assert os.readlink(f"/proc/{server.process.pid}/fd/{number}") == "/dev/null"


def test_says_nothing_of_queries(serve, config):
    server = serve(config)
    lines = len(server.lines)
    for name in ("listed.example", "www.unlisted.example", "silent-one.example"):
        server.query(name)
    assert len(server.lines) == lines
    server.stop()
    assert not [line for line in server.lines if "example" in line]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_port_in_use_is_one_line(serve, config, kind):
    port = int(config["listen"][0].split("@")[1])
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        second = serve(config, ready=False)
        assert second.process.wait(timeout=10) == 1
        second.says(f"127.0.0.1 port {port} is in use")
        assert len(second.lines) == 1


def test_second_server_is_told(serve, config):
    first = serve(config)
    second = serve(config, ready=False)
    assert second.process.wait(timeout=10) == 1
    second.says(f"port {first.port} is in use")
    assert len(second.lines) == 1
    assert_blocked(first.query("listed.example"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_at_once_in_the_middle_of_work(serve, config, number):
    server = serve(config)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \
            socket.create_connection(("127.0.0.1", server.port)):
        for i in range(50):
            query = dns.message.make_query(f"silent-{i}.example", "A").to_wire()
            sock.sendto(query, ("127.0.0.1", server.port))
        time.sleep(0.1)
        assert server.stop(number) < 1
    server.says("stopped")


def test_no_list_is_no_start(serve, config, image):
    config["list"] = {}
    server = serve(config, ready=False)
    assert server.process.wait(timeout=10) == 1
    server.says("list.image")
    config["list"] = {"image": str(image) + ".missing"}
    server = serve(config, ready=False)
    assert server.process.wait(timeout=10) == 1
    server.says("family.ldx.missing: No such file")


def test_wrong_usage(lindung):
    assert lindung("serve", "--nonsense").returncode == 2
    assert lindung("serve", "extra").returncode == 2
    assert "usage" in lindung("serve", "--help").stdout


@pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 here")
def test_ipv6(serve, config):
    config["listen"].append(f"::1@{config['listen'][0].split('@')[1]}")
    server = serve(config)
    assert_blocked(server.query("listed.example", where="::1"))
    assert_blocked(server.query("listed.example", where="::1", tcp=True))
    assert_answered(server.query("www.unlisted.example", where="::1"))


def test_tells_systemd(serve, config, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(5)
        server = serve(config, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert notify.recv(100) == b"READY=1"
        server.kill(signal.SIGHUP)
        assert notify.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert notify.recv(100) == b"READY=1"
        server.stop()
        assert notify.recv(100) == b"STOPPING=1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_becomes_the_user_and_still_reloads(serve, config, image, compile_image, tmp_path):
    config["user"] = "nobody"
    # pytest keeps its folders from others.
    folder = tmp_path
    while str(folder).startswith("/tmp/"):
        folder.chmod(0o755)
        folder = folder.parent
    server = serve(config)
    with open(f"/proc/{server.process.pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    uid = str(pwd.getpwnam("nobody").pw_uid)
    assert fields["Uid"].split() == [uid] * 4
    assert "0" not in fields["Groups"].split()
    compile_image(image, ["listed.example", "new.example"])
    server.says("now in force: 2 names")
    assert_blocked(server.query("listed.example"))


def test_metrics_page_and_nothing_else(serve, config):
    server = serve(config)

    def status_of(request):
        with socket.create_connection(("127.0.0.1", server.metrics_port), timeout=5) as sock:
            sock.sendall(request)
            return sock.recv(200).split(b" ")[1]

    assert status_of(b"GET /metrics HTTP/1.0\r\n\r\n") == b"200"
    assert status_of(b"GET / HTTP/1.0\r\n\r\n") == b"404"
    assert status_of(b"GET /metrics/../x HTTP/1.0\r\n\r\n") == b"404"
    assert status_of(b"DELETE /metrics HTTP/1.0\r\n\r\n") == b"405"
    assert status_of(b"GET /metrics HTTP/1.0\r\nX: " + b"x" * 9000 + b"\r\n\r\n") == b"431"
    assert_blocked(server.query("listed.example"))


@pytest.mark.skipif(not CAN_UNSHARE or shutil.which("ip") is None,
                    reason="cannot make a network namespace")
@pytest.mark.parametrize("routes", ["none", "nowhere"])
def test_without_network_listed_names_are_closed(lindung, config, tmp_path, routes):
    """Recursion in a namespace with nothing but lo; "nowhere": a route on which all is lost."""
    config["upstream"] = {"mode": "recursion"}
    port = config["listen"][0].split("@")[1]
    path = tmp_path / "lindung.yaml"
    path.write_text(json.dumps(config))
    script = tmp_path / "inside.sh"
    # What is sent to others over lo is dropped: it is not for this machine.
    nowhere = "ip route add default dev lo" if routes == "nowhere" else "true"
    script.write_text(f"""
        ip link set lo up
        {nowhere} || exit 77
        "$1" serve -c "$2" 2>"$3" &
        for i in $(seq 100); do grep -q ready "$3" && break; sleep 0.1; done
        shift 3
        "$@"
        status=$?
        kill -TERM %1
        wait %1 || status=90
        exit $status
    """)
    ask = tmp_path / "ask.py"
    ask.write_text(f"""
import sys, time
sys.path[:0] = [{os.path.dirname(__file__)!r}, {os.path.dirname(os.path.dirname(__file__))!r}]
import dns.message, dns.query
from serving import assert_blocked, ede
def query(name):
    return dns.query.udp(dns.message.make_query(name, "A", use_edns=0), "127.0.0.1",
                         port={port}, timeout=8)
assert_blocked(query("www.listed.example"))
start = time.monotonic()
reply = query("www.unlisted.test.example")
took_s = time.monotonic() - start
assert reply.rcode() == 2, reply
assert ede(reply)[0] in (22, 23), reply
assert took_s < ({routes!r} == "none" and 0.5 or 4.5), took_s
assert_blocked(query("listed.example"))
""")
    errors = tmp_path / "stderr"
    errors.touch()
    done = subprocess.run(["unshare", "-n", "bash", str(script), str(lindung.path), str(path),
                           str(errors), "/usr/bin/python3", str(ask)], capture_output=True,
                          text=True, timeout=60, check=False)
    if done.returncode == 77:
        pytest.skip("cannot add a route")
    assert done.returncode == 0, done.stdout + done.stderr + errors.read_text()


def test_idle_connections_leave_descriptors_for_upstream(serve, config):
    """Who opens connections and says nothing must not keep us from asking upstream."""
    server = serve(config, prefix=("prlimit", "--nofile=64"))
    server.says("tcp.connections-max: 32 instead of 1024")
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=2))
        time.sleep(0.2)
        for i in range(4):
            assert_answered(server.query(f"n{i}.unlisted.example"))
            assert_blocked(server.query("listed.example", tcp=True))


def test_cache_too_small_for_its_threads_is_told(serve, config):
    config["cache"] = {"size-bytes": 300000}
    server = serve(config, ready=False)
    server.says("the cache has 150000 bytes for each thread: give at least 262144")
    assert server.process.wait(timeout=10) == 1
