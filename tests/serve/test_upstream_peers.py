# SPDX-License-Identifier: BSD-2-Clause
"""Forwarding over TLS and HTTPS to what others wrote: Unbound, from its package."""
import shutil
import socket
import subprocess
import time

import dns.rcode
import pytest

from serving import free_port
from encrypted import NAME, Authority, wait_for, wait_for_counter

UNBOUND = shutil.which("unbound") or "/usr/sbin/unbound"

CONF = """
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1@{port}
  tls-port: {tls_port}
  https-port: {https_port}
  interface: 127.0.0.1@{tls_port}
  interface: 127.0.0.1@{https_port}
  tls-service-key: "{certificate}"
  tls-service-pem: "{certificate}"
  module-config: "iterator"
  local-zone: "oracle.example." static
  local-data: "www.oracle.example. 300 IN A 192.0.2.53"
  local-data: "oracle.example. 300 IN SOA ns.oracle.example. h.oracle.example. 1 2 3 4 5"
"""


@pytest.fixture
def unbound(tmp_path):
    if not shutil.which(UNBOUND):
        pytest.skip("unbound is not installed")
    authority = Authority(tmp_path)
    ports = {"port": free_port(), "tls_port": free_port(), "https_port": free_port()}
    conf = tmp_path / "unbound.conf"
    conf.write_text(CONF.format(folder=tmp_path, certificate=authority.issue(NAME)[0], **ports))
    process = subprocess.Popen([UNBOUND, "-d", "-c", conf], stderr=subprocess.PIPE, text=True)

    def listens():
        assert process.poll() is None, process.stderr.read()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", ports["tls_port"])) == 0

    wait_for(listens)
    yield authority, {"tls": ports["tls_port"], "https": ports["https_port"]}
    process.terminate()
    process.wait(timeout=10)


@pytest.mark.parametrize("kind", ["tls", "https"])
def test_unbound(serve, config, unbound, kind):
    authority, ports = unbound
    config["threads"] = 1
    config["upstream"] = {"mode": "forward", "ca-file": str(authority.path),
                          "servers": [f"{kind}://127.0.0.1@{ports[kind]}#{NAME}"]}
    server = serve(config)
    start = time.monotonic()
    for _ in range(3):
        reply = server.query("www.oracle.example")
        assert [rdata.address for rdata in reply.answer[0]] == ["192.0.2.53"]
        assert server.query("www.oracle.example", "AAAA").rcode() == dns.rcode.NOERROR
    for i in range(50):
        assert server.query(f"no{i}.oracle.example").rcode() == dns.rcode.NXDOMAIN
    assert time.monotonic() - start < 5
    wait_for_counter(server, f'lindung_forward_queries_total{{transport="{kind}"}}', 52)
    assert server.metrics()["lindung_forward_connections_total"] == 1
