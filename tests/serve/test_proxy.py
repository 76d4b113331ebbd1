# SPDX-License-Identifier: BSD-2-Clause
"""Clients behind a proxy: the PROXY protocol, version 2 (HAProxy's proxy-protocol.txt), as written
here by hand and as dnsdist sends it."""
import ipaddress
import shutil
import socket
import ssl
import struct
import subprocess
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from serving import assert_answered, assert_blocked, ede, free_port
from test_dot import authority, tls_config  # noqa: F401  (fixtures)
from tls_room import NAME

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PROXY, LOCAL = 0x21, 0x20
STREAM, DGRAM = 1, 2
PROXIES = "127.5.0.0/16"
THE_PROXY = "127.5.0.1"


def header(client, kind=DGRAM, tlvs=b"", command=PROXY):
    if command == LOCAL:
        return SIGNATURE + bytes([LOCAL, 0]) + struct.pack("!H", len(tlvs)) + tlvs
    address = ipaddress.ip_address(client)
    family = 1 if address.version == 4 else 2
    body = address.packed + address.packed + struct.pack("!HH", 4711, 53) + tlvs
    return SIGNATURE + bytes([PROXY, family << 4 | kind]) + struct.pack("!H", len(body)) + body


@pytest.fixture
def proxied(config):
    """Proxies on one port, everybody on another; clients of 198.51.100.0/24 may ask."""
    config["threads"] = 1
    config["listen"].append(f"127.0.0.1@{free_port()}")
    config["proxy"] = {"from": [PROXIES], "listen": [config["listen"][1]]}
    config["access"] = {"allow": ["127.0.0.1", "198.51.100.0/24", "2001:db8::/32"]}
    return config


def proxy_port(config):
    return int(config["proxy"]["listen"][0].split("@")[1])


def wire_of(name):
    return dns.message.make_query(name, "A", use_edns=0).to_wire()


def udp(config, before, name="listed.example", source=THE_PROXY, timeout_s=3):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", proxy_port(config)))
        sock.settimeout(timeout_s)
        sock.send(before + wire_of(name))
        return dns.message.from_wire(sock.recv(4096))


def is_silent(config, before, **options):
    try:
        udp(config, before, timeout_s=0.4, **options)
    except TimeoutError:
        return True
    return False


def connect(port, source=THE_PROXY):
    return socket.create_connection(("127.0.0.1", port), source_address=(source, 0), timeout=5)


def frame(name):
    wire = wire_of(name)
    return struct.pack("!H", len(wire)) + wire


def receive(sock):
    return dns.query.receive_tcp(sock, time.time() + 5)[0]


def is_closed(sock):
    sock.settimeout(5)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("client", ["198.51.100.7", "2001:db8::7", "::ffff:198.51.100.7"])
def test_udp(serve, proxied, client):
    server = serve(proxied)
    assert_blocked(udp(proxied, header(client)))
    assert_blocked(udp(proxied, header(client, STREAM)))
    assert_answered(udp(proxied, header(client), name="late-other.example"))
    assert_blocked(udp(proxied, header(client, tlvs=b"\xe0\0\5hello\4\0\0")))
    assert server.metrics()["lindung_proxy_rejected_total"] == 0


def test_the_client_is_judged_not_the_proxy(serve, proxied):
    server = serve(proxied)
    reply = udp(proxied, header("203.0.113.1"))
    assert reply.rcode() == dns.rcode.REFUSED and ede(reply)[0] == 18
    with connect(proxy_port(proxied)) as sock:
        sock.sendall(header("203.0.113.1", STREAM) + frame("listed.example"))
        assert is_closed(sock)
    assert server.metrics()["lindung_denied_total"] == 2


def test_udp_without_a_right_header_is_silent(serve, proxied):
    server = serve(proxied)
    good = header("198.51.100.7")
    bad = [b"", b"PROXY UDP4 198.51.100.7 127.0.0.1 4711 53\r\n", b"PROXY UNKNOWN\r\n",
           b"\x31".join([good[:12], good[13:]]), SIGNATURE,
           header("198.51.100.7", tlvs=b"\4\0\1")[:-1],
           SIGNATURE + bytes([PROXY, 0x31, 0, 216]) + bytes(216),
           SIGNATURE + bytes([PROXY, 0, 0, 0])]
    for before in bad:
        assert is_silent(proxied, before), before
    assert server.metrics()["lindung_proxy_rejected_total"] == len(bad)
    assert_blocked(udp(proxied, good))


def test_who_is_no_proxy_is_not_believed(serve, proxied):
    server = serve(proxied)
    # One who may ask, and one who may not: neither may speak for another.
    for source in ("127.0.0.1", "127.6.0.1"):
        assert is_silent(proxied, header("198.51.100.7"), source=source)
        assert is_silent(proxied, b"", source=source)
        with connect(proxy_port(proxied), source) as sock:
            assert is_closed(sock)
    assert server.metrics()["lindung_proxy_rejected_total"] == 6
    # Where nobody speaks for another the header is no query; and clients ask as ever.
    with connect(server.port, "127.0.0.1") as sock:
        sock.settimeout(0.5)
        sock.sendall(header("198.51.100.7", STREAM) + frame("listed.example"))
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert_blocked(server.query("listed.example"))
    assert_blocked(server.query("listed.example", tcp=True))


def test_tcp(serve, proxied):
    server = serve(proxied)
    for client in ("198.51.100.7", "2001:db8::7"):
        with connect(proxy_port(proxied)) as sock:
            names = ["listed.example", "late-a.example", "also-listed.example"]
            sock.sendall(header(client, STREAM) + b"".join(map(frame, names)))
            replies = {reply.question[0].name.to_text(True): reply
                       for reply in (receive(sock) for _ in names)}
            assert_blocked(replies["listed.example"])
            assert_answered(replies["late-a.example"])
            # One header for the whole connection.
            sock.sendall(frame("listed.example"))
            assert_blocked(receive(sock))
    assert server.metrics()["lindung_proxy_rejected_total"] == 0


def test_tcp_octet_by_octet(serve, proxied):
    serve(proxied)
    with connect(proxy_port(proxied)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in header("198.51.100.7", STREAM, b"\xe0\0\5hello") + frame("listed.example"):
            sock.sendall(bytes([octet]))
            time.sleep(0.001)
        assert_blocked(receive(sock))


@pytest.mark.parametrize("before", [frame("listed.example"), b"PROXY TCP4 198.51.100.7 127.0.0.1 "
                                    b"4711 53\r\n", SIGNATURE + b"\x31\x11\0\0",
                                    SIGNATURE + b"\x21\x11\xff\xff", b"\r\n\r\n\1"])
def test_tcp_without_a_right_header_is_closed(serve, proxied, before):
    serve(proxied)
    with connect(proxy_port(proxied)) as sock:
        sock.sendall(before)
        assert is_closed(sock)


def test_who_never_ends_the_header_is_sent_away(serve, proxied):
    proxied["tls"] = {"handshake-ms": 500}
    serve(proxied)
    with connect(proxy_port(proxied)) as sock:
        sock.sendall(SIGNATURE)
        start = time.monotonic()
        assert is_closed(sock)
        assert 0.3 < time.monotonic() - start < 3


def test_a_proxy_speaks_for_itself(serve, proxied):
    server = serve(proxied)
    local = header(None, command=LOCAL)
    assert udp(proxied, local).rcode() == dns.rcode.REFUSED  # its own address is not allowed
    server.stop()
    proxied["access"]["allow"].append(PROXIES)
    serve(proxied)
    assert_blocked(udp(proxied, local))
    with connect(proxy_port(proxied)) as sock:
        sock.sendall(local + frame("listed.example"))
        assert_blocked(receive(sock))


def test_limits_are_the_clients(serve, proxied):
    proxied["rate"] = {"client-per-second": 5}
    proxied["tcp"] = {"client-connections-max": 2}
    serve(proxied)
    many, few = header("198.51.100.7", STREAM), header("198.51.100.8", STREAM)
    with connect(proxy_port(proxied)) as one, connect(proxy_port(proxied)) as other:
        one.sendall(many + frame("listed.example") * 20)
        rcodes = [receive(one).rcode() for _ in range(20)]
        assert rcodes.count(dns.rcode.REFUSED) >= 13
        other.sendall(few + frame("listed.example") * 3)
        for _ in range(3):
            assert_blocked(receive(other))
    # More connections than one client may have: its own oldest goes, nobody else's.
    socks = [connect(proxy_port(proxied)) for _ in range(4)]
    for sock, before in zip(socks, (few, many, many, many)):
        sock.sendall(before + frame("listed.example"))
        receive(sock)
    assert is_closed(socks[1])
    for sock in (socks[0], socks[2], socks[3]):
        sock.sendall(frame("listed.example"))
        receive(sock)
    for sock in socks:
        sock.close()


def test_before_tls(serve, tls_config, authority):  # noqa: F811
    where = tls_config["tls"]["listen"][0]
    tls_config["proxy"] = {"from": [PROXIES], "listen": [where]}
    tls_config["access"] = {"allow": ["198.51.100.0/24"]}
    server = serve(tls_config)
    port = int(where.split("@")[1])
    for client, good in (("198.51.100.7", True), ("203.0.113.1", False)):
        with connect(port) as plain:
            plain.sendall(header(client, STREAM))
            try:
                with authority.context().wrap_socket(plain, server_hostname=NAME) as sock:
                    sock.sendall(frame("listed.example"))
                    assert_blocked(receive(sock))
                    assert good
            except (ssl.SSLError, ConnectionError, EOFError):
                assert not good
    with connect(port) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        authority.context().wrap_socket(plain, server_hostname=NAME)
    assert server.metrics()["lindung_denied_total"] == 1


def test_the_configuration_is_looked_at(serve, proxied):
    proxied["proxy"]["listen"] = ["127.0.0.1@1"]
    server = serve(proxied, ready=False)
    server.says("proxy.listen: expected addresses that are also in listen")
    assert server.process.wait(timeout=5) == 1
    del proxied["proxy"]["from"]
    server = serve(proxied, ready=False)
    server.says("proxy.from: expected the prefixes of the proxies")
    assert server.process.wait(timeout=5) == 1


def test_dnsdist(serve, proxied, tmp_path):
    """As dnsdist sends it: each client is known by its own address."""
    if shutil.which("dnsdist") is None:
        pytest.skip("no dnsdist: tools/install-packages test installs it")
    proxied["proxy"]["from"] = ["127.0.0.1"]
    proxied["access"] = {"allow": ["127.0.0.1", "127.8.0.0/16"], "deny": ["127.8.8.0/24"]}
    server = serve(proxied)
    port = free_port()
    conf = tmp_path / "dnsdist.conf"
    conf.write_text(f'setLocal("127.0.0.1:{port}")\nsetACL({{"0.0.0.0/0"}})\n'
                    f'newServer{{address="127.0.0.1:{proxy_port(proxied)}", useProxyProtocol=true, '
                    'healthCheckMode="up"}\n'
                    'addAction(AllRule(), SetProxyProtocolValuesAction({["224"]="hello"}))\n')
    with subprocess.Popen(["dnsdist", "--supervised", "--disable-syslog", "-C", conf],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as dnsdist:
        try:
            for ask in (dns.query.udp, dns.query.tcp):
                query = dns.message.make_query("listed.example", "A", use_edns=0)
                for _ in range(50):
                    try:
                        reply = ask(query, "127.0.0.1", port=port, source="127.8.0.1", timeout=1)
                        break
                    except (dns.exception.Timeout, OSError, EOFError):
                        time.sleep(0.1)
                assert_blocked(reply)
            query = dns.message.make_query("listed.example", "A", use_edns=0)
            reply = dns.query.udp(query, "127.0.0.1", port=port, source="127.8.8.1", timeout=3)
            assert reply.rcode() == dns.rcode.REFUSED and ede(reply)[0] == 18
        finally:
            dnsdist.terminate()
    counters = server.metrics()
    assert counters["lindung_denied_total"] == 1
    assert counters["lindung_proxy_rejected_total"] == 0
