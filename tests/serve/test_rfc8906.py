# SPDX-License-Identifier: BSD-2-Clause
"""RFC 8906 section 8, test by test: a server answers, and answers right, whatever is odd in a query.

The RFC asks an authoritative server for a zone's SOA; a resolver is asked for names that it
answers in its three ways: from the list, by itself, and from upstream."""
import dns.flags
import dns.rcode
import pytest

from serving import ANSWER
from octets import COOKIE, Connection, ask, ask_tcp, flags_of, opt, options_of, parse, query

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10
NAMES = ["listed.example", "localhost", "open.example"]
EXPECTED = {"listed.example": dns.rcode.NXDOMAIN, "localhost": dns.rcode.NOERROR,
            "open.example": dns.rcode.NOERROR}


@pytest.fixture
def server(serve, config):
    return serve(config)


def check(name, wire, edns=None, data=True):
    """A normal answer for the name."""
    reply = parse(wire)
    assert reply.rcode() == EXPECTED[name]
    assert flags_of(wire) & (QR | RA) == QR | RA
    assert not flags_of(wire) & (AA | TC | Z | AD)
    assert reply.question[0].name.to_text(True) == name
    if name == "open.example" and data:
        assert [rdata.address for rdata in reply.answer[0]] == [ANSWER]
    assert reply.edns == (-1 if edns is None else 0)
    return reply


@pytest.mark.parametrize("name", NAMES)
def test_8_1_1_is_it_served(server, name):
    check(name, ask(server, query(name)))


@pytest.mark.parametrize("name", NAMES)
def test_8_1_2_unknown_type(server, name):
    reply = check(name, ask(server, query(name, rdtype=1000)), data=False)
    assert not reply.answer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("section,flag", [("8.1.3.1", CD), ("8.1.3.2", AD), ("8.1.3.3", Z),
                                          ("aa", AA), ("tc", TC), ("ra", RA), ("rcode", 5)])
def test_8_1_3_header_bits(server, name, section, flag):
    wire = ask(server, query(name, flags=RD | flag))
    check(name, wire)
    assert flags_of(wire) & CD == (CD if flag == CD else 0)
    assert flags_of(wire) & RD


def test_8_1_3_4_recursion(server):
    """RD=0: what is answered here is; nobody learns from the cache what others asked for."""
    check("listed.example", ask(server, query("listed.example", flags=0)))
    check("localhost", ask(server, query("localhost", flags=0)))
    for _ in range(2):
        wire = ask(server, query("open.example", flags=0))
        assert flags_of(wire) & RD == 0
        assert parse(wire).rcode() == dns.rcode.REFUSED
        check("open.example", ask(server, query("open.example")))


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 7, 15])
def test_8_1_4_unknown_opcode(server, opcode):
    for message in (query(None, flags=opcode << 11), query("open.example", flags=opcode << 11)):
        wire = ask(server, message)
        assert len(wire) == 12
        assert flags_of(wire) & 15 == dns.rcode.NOTIMP
        assert flags_of(wire) & 0x7800 == opcode << 11
        assert flags_of(wire) & (QR | AA | TC | AD | Z) == QR


@pytest.mark.parametrize("name", NAMES)
def test_8_1_5_tcp(server, name):
    check(name, ask_tcp(server, query(name)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", [ask, ask_tcp], ids=["udp", "tcp"])
def test_8_2_1_minimal_edns(server, name, way):
    check(name, way(server, query(name, additional=[opt()])), edns=0)


def assert_badvers(wire):
    reply = parse(wire)
    assert reply.rcode() == dns.rcode.BADVERS
    assert reply.edns == 0
    assert not reply.answer and not reply.authority
    return reply


@pytest.mark.parametrize("name", NAMES)
def test_8_2_2_version_negotiation(server, name):
    assert_badvers(ask(server, query(name, additional=[opt(version=1)])))


@pytest.mark.parametrize("name", NAMES)
def test_8_2_3_unknown_option(server, name):
    wire = ask(server, query(name, additional=[opt(options=[(100, b"")])]))
    check(name, wire, edns=0)
    assert 100 not in options_of(wire)


@pytest.mark.parametrize("name", NAMES)
def test_8_2_4_unknown_flags(server, name):
    wire = ask(server, query(name, additional=[opt(flags=0x0040)]))
    assert check(name, wire, edns=0).ednsflags & 0xffff == 0


def test_8_2_5_version_negotiation_with_unknown_flags(server):
    wire = ask(server, query("open.example", additional=[opt(version=1, flags=0x0040)]))
    assert assert_badvers(wire).ednsflags & 0x7fff == 0


def test_8_2_6_version_negotiation_with_unknown_option(server):
    wire = ask(server, query("open.example", additional=[opt(version=1, options=[(100, b"")])]))
    assert_badvers(wire)
    assert options_of(wire) == {}


def test_8_2_7_truncated_answers(server):
    """The OPT record stays in them: test_rfc6891.py has the sizes."""
    wire = ask(server, query("localhost", additional=[opt(size=512)]))
    check("localhost", wire, edns=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", [ask, ask_tcp], ids=["udp", "tcp"])
def test_8_2_8_dnssec_ok(server, name, way):
    reply = check(name, way(server, query(name, additional=[opt(flags=0x8000)])), edns=0)
    assert reply.ednsflags & dns.flags.DO


def test_8_2_9_version_negotiation_with_dnssec_ok(server):
    wire = ask(server, query("open.example", additional=[opt(version=1, flags=0x8000)]))
    assert assert_badvers(wire).ednsflags & dns.flags.DO


@pytest.mark.parametrize("name", NAMES)
def test_8_2_10_several_options(server, name):
    """NSID, client subnet, EXPIRE, cookie: what is not known is left out."""
    wire = ask(server, query(name, additional=[opt(options=[
        (3, b""), (8, b"\0\1\0\0"), (9, b""), (COOKIE, b"client01")])]))
    check(name, wire, edns=0)
    assert set(options_of(wire)) <= {COOKIE, 15}


@pytest.mark.parametrize("way", [ask, ask_tcp], ids=["udp", "tcp"])
def test_no_question(server, way):
    wire = way(server, query(None))
    assert len(wire) == 12
    assert parse(wire).rcode() == dns.rcode.FORMERR


def test_responses_are_never_answered(server):
    assert ask(server, query("listed.example", flags=QR | RD), timeout_s=0.5) is None
    assert ask(server, query("listed.example", flags=QR | RD)[:11], timeout_s=0.2) is None
    # Nor does one hold up a connection.
    wire = query("localhost")
    with Connection(server) as connection:
        connection.send(query("listed.example", flags=QR | RD), wire)
        check("localhost", connection.receive())


@pytest.mark.parametrize("rdtype", [251, 252])
def test_zone_transfers_are_refused(server, rdtype):
    assert parse(ask_tcp(server, query("example", rdtype))).rcode() == dns.rcode.REFUSED


def test_chaos_class_is_refused(server):
    for name in ("version.bind", "id.server", "hostname.bind"):
        message = query(name, rdtype=16)[:-1] + b"\3"
        assert parse(ask(server, message)).rcode() == dns.rcode.REFUSED


def test_every_type_is_answered(server):
    """No type is dropped, and none makes the server fail."""
    for rdtype in [*range(0, 270), 1000, 32768, 32769, 65280, 65535]:
        wire = ask(server, query("localhost", rdtype=rdtype))
        assert wire is not None
        # NXNAME is never a question (RFC 9824 section 3.5).
        allowed = [dns.rcode.FORMERR] if rdtype == 128 else [dns.rcode.NOERROR, dns.rcode.REFUSED]
        assert parse(wire).rcode() in allowed, rdtype
