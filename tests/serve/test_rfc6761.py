# SPDX-License-Identifier: BSD-2-Clause
"""Names that never leave: RFC 6761, 6762, 7686, 8375, 9476, 9665, the reverse zones of RFC 6303 and
7793; and RFC 8880, which must leave."""
import dns.rcode
import dns.rdatatype
import pytest

from serving import Server, Upstream, free_port

NXDOMAIN, NODATA = dns.rcode.NXDOMAIN, dns.rcode.NOERROR


def assert_negative(reply, zone, rcode):
    """RFC 2308: with the SOA of the zone that says so, which says for how long."""
    assert reply.rcode() == rcode
    assert not reply.answer
    soa, = reply.authority
    assert soa.rdtype == dns.rdatatype.SOA
    assert soa.name.to_text(True) == zone
    assert soa.ttl == soa[0].minimum


@pytest.mark.parametrize("zone", ["invalid", "test", "onion", "local", "alt"])
def test_names_that_do_not_exist(serve, config, upstream, zone):
    server = serve(config)
    for name in (zone, f"www.{zone}", f"a.b.c.{zone}"):
        for rdtype in ("A", "AAAA", "MX", "SOA", "DS", "TYPE1000"):
            assert_negative(server.query(name, rdtype), zone, NXDOMAIN)
    assert not upstream.asked


@pytest.mark.parametrize("name", ["localhost", "app.localhost"])
def test_localhost(serve, config, upstream, name):
    server = serve(config)
    assert server.query(name, "A").answer[0][0].address == "127.0.0.1"
    assert server.query(name, "AAAA").answer[0][0].address == "::1"
    assert_negative(server.query(name, "MX"), "localhost", NODATA)
    assert not upstream.asked


@pytest.mark.parametrize("zone", [
    "home.arpa", "service.arpa", "10.in-addr.arpa", "168.192.in-addr.arpa",
    *(f"{i}.172.in-addr.arpa" for i in range(16, 32)),
    *(f"{i}.100.in-addr.arpa" for i in range(64, 128)),
    "0.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa", "2.0.192.in-addr.arpa",
    "100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa", "255.255.255.255.in-addr.arpa",
    "0." * 32 + "ip6.arpa", "1." + "0." * 31 + "ip6.arpa", "d.f.ip6.arpa", "8.e.f.ip6.arpa",
    "9.e.f.ip6.arpa", "a.e.f.ip6.arpa", "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"])
def test_empty_zones(one_server, zone):
    server, upstream = one_server
    assert_negative(server.query(zone, "SOA"), zone, NODATA)
    assert_negative(server.query(zone, "PTR"), zone, NODATA)
    assert_negative(server.query(f"1.{zone}", "PTR"), zone, NXDOMAIN)
    assert_negative(server.query(f"1.2.{zone}", "DS"), zone, NXDOMAIN)
    assert not upstream.asked
    # Whether it is signed, the zone above says: RFC 8375 section 4 names it for home.arpa.
    server.query(zone, "DS")
    assert list(upstream.asked) == [f"{zone}."]
    upstream.asked.clear()


@pytest.fixture(scope="module")
def one_server(tmp_path_factory, lindung):
    """One for all zones."""
    folder = tmp_path_factory.mktemp("zones")
    (folder / "names.txt").write_text("listed.example\n")
    done = lindung("compile", "-q", "--no-protected", "-o", folder / "list.ldx", "--category",
                   "adult", folder / "names.txt")
    assert done.returncode == 0, done.stderr
    upstream = Upstream()
    server = Server(lindung.path, {
        "listen": [f"127.0.0.1@{free_port()}"], "threads": 1,
        "list": {"image": str(folder / "list.ldx")},
        "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{upstream.port}"]},
        "metrics": {"listen": f"127.0.0.1@{free_port()}"},
    }, folder / "lindung.yaml")
    server.says("ready")
    yield server, upstream
    server.stop()
    upstream.close()


@pytest.mark.parametrize("name", [
    "ipv4only.arpa", "170.0.0.192.in-addr.arpa", "171.0.0.192.in-addr.arpa",  # RFC 8880
    "15.172.in-addr.arpa", "1.32.172.in-addr.arpa", "63.100.in-addr.arpa", "128.100.in-addr.arpa",
    "1.1.1.1.in-addr.arpa", "3.0.192.in-addr.arpa", "254.255.255.255.in-addr.arpa",
    "c.e.f.ip6.arpa", "2." + "0." * 31 + "ip6.arpa", "9.b.d.0.1.0.0.2.ip6.arpa",
    "arpa", "homearpa", "xlocalhost", "local.example", "test.example", "onion.example"])
def test_neighbours_are_asked_upstream(one_server, name):
    server, upstream = one_server
    assert server.query(name, "A").rcode() == dns.rcode.NOERROR
    assert upstream.asked[f"{name}."] == 1


def test_no_list_speaks_of_them(serve, config, compile_image, tmp_path):
    config["list"]["image"] = str(compile_image(tmp_path / "s.ldx", ["www.home.arpa", "a.test"]))
    server = serve(config)
    assert_negative(server.query("www.home.arpa"), "home.arpa", NXDOMAIN)
    assert_negative(server.query("a.test"), "test", NXDOMAIN)
