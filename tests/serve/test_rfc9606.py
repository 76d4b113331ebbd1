# SPDX-License-Identifier: BSD-2-Clause
"""What the resolver says of itself: RFC 9606, RESINFO, and RFC 9462, designated resolvers."""
import re
import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

import tls_room
from serving import free_port

RESINFO = 261


def strings(rdata):
    octets, texts = rdata.to_wire(), []
    while octets:
        texts.append(octets[1:1 + octets[0]].decode())
        octets = octets[1 + octets[0]:]
    return texts


def ask_info(server, name):
    # RFC 9606 section 3: RD=0.
    query = dns.message.make_query(name, RESINFO, use_edns=0, flags=0)
    return dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5)


def codes_of(text):
    """{0, 3, 4} of "exterr=0,3-4"."""
    codes = set()
    for part in text.removeprefix("exterr=").split(","):
        low, _, high = part.partition("-")
        codes |= set(range(int(low), int(high or low) + 1))
    return codes


def test_resolver_information(serve, config, upstream):
    config["identity"] = {"name": "dns.example.net", "info-url": "https://dns.example.net/about"}
    server = serve(config)
    for name in ("resolver.arpa", "dns.example.net", "DNS.Example.NET"):
        reply = ask_info(server, name)
        assert reply.rcode() == dns.rcode.NOERROR
        assert reply.flags & dns.flags.AA and not reply.flags & dns.flags.AD
        rrset, = reply.answer
        assert len(rrset) == 1  # exactly one record
        exterr, url = strings(rrset[0])
        assert url == "infourl=https://dns.example.net/about"
        assert re.fullmatch(r"exterr=[0-9,-]+", exterr)
        assert {15, 16, 17, 35} <= codes_of(exterr)
    assert not upstream.asked


def test_recursion_says_what_it_does(serve, config, root):
    """It asks for no more than needed; and every code stands there that the source gives to an
    answer, and no other.  The numbers: src/wire/dns.h."""
    numbers = {name: int(number) for name, number in re.findall(
        r'X\((\w+), (\d+), "[^"]+"\)', (root / "src/wire/dns.h").read_text(encoding="utf-8"))}
    used = {15, 16, 17}  # block.reason
    for folder in ("resolver", "upstream", "process"):
        for path in (root / "src" / folder).glob("*.c"):
            if not path.name.endswith("_test.c"):
                used |= {numbers[name] for name in re.findall(
                    r"(?<![=<>!]= )LD_EDE_([A-Z0-9_]+)", path.read_text(encoding="utf-8"))
                    if name in numbers}
    config["upstream"] = {"mode": "recursion"}
    qnamemin, exterr = strings(ask_info(serve(config), "resolver.arpa").answer[0][0])
    assert qnamemin == "qnamemin"
    assert codes_of(exterr) == used, "LD_DISCOVERY_EXTERR in src/resolver/discovery.h is stale"


@pytest.mark.parametrize("name", ["other.example.net", "example.net", "x.dns.example.net"])
def test_other_names_are_none_of_ours(serve, config, upstream, name):
    config["identity"] = {"name": "dns.example.net"}
    server = serve(config)
    assert ask_info(server, name).rcode() == dns.rcode.REFUSED  # RD=0
    server.query(name, RESINFO)
    assert upstream.asked[f"{name}."] == 1


def test_rfc9462_designated_resolvers(serve, config, upstream, tmp_path):
    """Where DNS over TLS and HTTPS are, by the name in the certificate: a client can go there at
    once."""
    authority = tls_room.Authority(tmp_path)
    certificate, key = authority.pair("first")
    port, https_port = free_port(), free_port()
    config["https"] = {"listen": [f"127.0.0.1@{https_port}"]}
    config["tls"] = {"listen": [f"127.0.0.1@{port}"], "certificate": str(certificate),
                     "key": str(key)}
    config["identity"] = {"name": tls_room.NAME}
    config["local"] = {"names": [f"{tls_room.NAME} 127.0.0.1 fd00::53"]}
    server = serve(config)
    reply = server.query("_dns.resolver.arpa", "SVCB")
    assert reply.rcode() == dns.rcode.NOERROR
    assert not reply.flags & dns.flags.AD
    rrset, = reply.answer
    assert sorted(rdata.to_text() for rdata in rrset) == [
        f'1 {tls_room.NAME}. alpn="dot" port="{port}" ipv4hint="127.0.0.1" ipv6hint="fd00::53"',
        f'2 {tls_room.NAME}. alpn="h2" port="{https_port}" ipv4hint="127.0.0.1" '
        'ipv6hint="fd00::53" key7="/dns-query{?dns}"']
    for program in (["dig"], ["kdig"]):
        done = subprocess.run([*program, "+short", "-p", str(server.port), "@127.0.0.1",
                               "_dns.resolver.arpa", "TYPE64"],
                              capture_output=True, text=True, timeout=20, check=True)
        assert tls_room.NAME in done.stdout, done.stdout
    # RFC 9462 section 4.2: the certificate holds the address that was asked.
    with tls_room.Connection(port, authority.context(), name="127.0.0.1") as connection:
        assert connection.query("_dns.resolver.arpa", rdtype="SVCB").answer == reply.answer
    assert not upstream.asked


def test_rfc9462_nothing_to_designate(serve, config, upstream):
    """RFC 9462 section 6.4: what is not known is not asked elsewhere either."""
    for identity in ({}, {"name": "dns.example.net"}):
        config["identity"] = identity
        server = serve(config)
        reply = server.query("_dns.resolver.arpa", "SVCB")
        assert reply.rcode() == dns.rcode.NOERROR
        assert not reply.answer
        assert reply.authority[0].rdtype == dns.rdatatype.SOA
        server.stop()
    assert not upstream.asked
