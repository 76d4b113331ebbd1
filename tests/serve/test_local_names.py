# SPDX-License-Identifier: BSD-2-Clause
"""Names of a household, and the names by which programs ask whether they may go round a filter."""
import subprocess

import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

from serving import assert_answered, assert_blocked, ede

NAMES = ["nas.home.arpa 192.168.1.10 fd00::10 192.168.1.11", "printer.local 192.168.1.20",
         "nas 192.168.1.10", "learn.school.example 203.0.113.7", "www.listed.example 10.0.0.1",
         "front.door.home.arpa 192.168.1.30"]


def addresses(reply):
    assert reply.rcode() == dns.rcode.NOERROR
    rrset, = reply.answer
    assert rrset.ttl == 60
    return [rdata.address for rdata in rrset]


@pytest.fixture
def server(serve, config):
    config["local"] = {"names": NAMES}
    return serve(config)


@pytest.mark.parametrize("tcp", [False, True])
def test_names_and_the_way_back(server, upstream, tcp):
    assert addresses(server.query("NAS.home.arpa", tcp=tcp)) == ["192.168.1.10", "192.168.1.11"]
    assert addresses(server.query("nas.home.arpa", "AAAA", tcp=tcp)) == ["fd00::10"]
    assert addresses(server.query("nas", tcp=tcp)) == ["192.168.1.10"]
    assert addresses(server.query("learn.school.example", tcp=tcp)) == ["203.0.113.7"]
    for address, name in (("192.168.1.10", "nas.home.arpa."), ("192.168.1.11", "nas.home.arpa."),
                          ("fd00::10", "nas.home.arpa."), ("192.168.1.20", "printer.local."),
                          ("203.0.113.7", "learn.school.example.")):
        reply = server.query(dns.reversename.from_address(address), "PTR", tcp=tcp)
        assert [rdata.target.to_text() for rdata in reply.answer[0]] == [name]
    assert not upstream.asked and not upstream.asked_tcp


@pytest.mark.parametrize("name,rdtype,rcode,zone", [
    ("nas.home.arpa", "MX", dns.rcode.NOERROR, "home.arpa"),
    ("nas.home.arpa", "HTTPS", dns.rcode.NOERROR, "home.arpa"),
    ("door.home.arpa", "A", dns.rcode.NOERROR, "home.arpa"),
    ("back.door.home.arpa", "A", dns.rcode.NXDOMAIN, "home.arpa"),
    ("tv.home.arpa", "A", dns.rcode.NXDOMAIN, "home.arpa"),
    ("tv.local", "A", dns.rcode.NXDOMAIN, "local"),
    ("local", "A", dns.rcode.NOERROR, "local"),
    ("learn.school.example", "AAAA", dns.rcode.NOERROR, "learn.school.example"),
    ("12.1.168.192.in-addr.arpa", "PTR", dns.rcode.NXDOMAIN, "168.192.in-addr.arpa"),
    ("1.168.192.in-addr.arpa", "PTR", dns.rcode.NOERROR, "168.192.in-addr.arpa")])
def test_no_has_its_zone_and_holds_for_a_minute(server, upstream, name, rdtype, rcode, zone):
    reply = server.query(name, rdtype)
    assert reply.rcode() == rcode
    assert not reply.answer
    soa, = reply.authority
    assert soa.name.to_text(True) == zone
    assert soa.ttl == soa[0].minimum == 60
    assert not upstream.asked


def test_lists_hold(server, upstream):
    assert_blocked(server.query("www.listed.example"))
    assert_blocked(server.query("listed.example"))
    assert_answered(server.query("school.example"))
    assert upstream.asked["school.example."] == 1


def test_as_many_as_there_may_be(serve, config):
    config["local"] = {"names": [f"pc{i}.home.arpa 10.{i // 256}.{i % 256}.1 fd00::{i:x}"
                                 for i in range(4096)]}
    server = serve(config)
    for i in (0, 1, 255, 256, 2047, 4095):
        assert addresses(server.query(f"pc{i}.home.arpa")) == [f"10.{i // 256}.{i % 256}.1"]


@pytest.mark.parametrize("names,told", [
    (["nas"], "with their addresses"),
    (["nas 192.168.1.256"], "with their addresses"),
    ([f"pc{i} ::1" for i in range(4097)], "a list of 0 to 4096"),
    (["-nas- ::1"], "does not begin with the name of a host"),
    (["nas.12 ::1"], "does not begin with the name of a host")])
def test_wrong_lines_are_refused(serve, config, names, told):
    config["local"] = {"names": names}
    server = serve(config, ready=False)
    assert server.process.wait(timeout=10) == 1
    server.says("local.names: ")
    server.says(told)


CANARIES = ["use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"]


def test_canaries(serve, config, upstream):
    server = serve(config)
    for name in CANARIES:
        for rdtype in ("A", "AAAA", "HTTPS"):
            reply = server.query(name, rdtype)
            assert reply.rcode() == dns.rcode.NXDOMAIN
            assert reply.authority[0].rdtype == dns.rdatatype.SOA
            assert ede(reply)[0] == 17
    assert not upstream.asked
    assert_answered(server.query("icloud.com"))


def test_canaries_may_be_left_alone(serve, config, upstream):
    config["local"] = {"canaries": False}
    server = serve(config)
    for name in CANARIES:
        assert_answered(server.query(name))
    assert len(upstream.asked) == 3


def test_dig_and_kdig(server):
    for program in ("dig", "kdig"):
        def ask(*words):
            return subprocess.run([program, "+short", "-p", str(server.port), "@127.0.0.1", *words],
                                  capture_output=True, text=True, timeout=20,
                                  check=True).stdout.split()

        assert ask("nas.home.arpa") == ["192.168.1.10", "192.168.1.11"]
        assert ask("-x", "192.168.1.20") == ["printer.local."]
