# SPDX-License-Identifier: BSD-2-Clause
"""RFC 1035, the message itself; RFC 4343, letters' case; RFC 3597, unknown types; RFC 9619, one
question; RFC 2181, one TTL; RFC 9567, no reports."""
import random
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from serving import ANSWER, Upstream, assert_answered, assert_blocked
from octets import ask, ask_tcp, opt, options_of, parse, query

UNKNOWN = r"\# 12 c00c00010001ff00deadbeef"  # what looks like a pointer is none


class Told(Upstream):
    """Answers with odd records."""

    @staticmethod
    def reply(query):
        reply = Upstream.reply(query)
        question = query.question[0]
        if question.rdtype in (1000, 65280):
            reply.answer.append(dns.rrset.from_text(question.name, 300, "IN", question.rdtype,
                                                    UNKNOWN))
        if question.name.to_text().startswith("report"):
            reply.use_edns(0, options=[dns.edns.GenericOption(18, b"\5agent\7example\0")])
        if question.name.to_text().startswith("ad-"):
            reply.flags |= dns.flags.AD
        return reply


@pytest.fixture
def upstream():
    server = Told()
    yield server
    server.close()


@pytest.fixture
def server(serve, config):
    return serve(config)


def question(octets_of_name, rdtype=1):
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + octets_of_name + struct.pack(
        "!HH", rdtype, 1)


def test_names_as_long_as_may_be(server, upstream):
    longest = b"".join(bytes([n]) + b"x" * n for n in (63, 63, 63, 61)) + b"\0"
    assert len(longest) == 255
    for way in (ask, ask_tcp):
        assert_answered(parse(way(server, question(longest))))
        many = b"\1x" * 127 + b"\0"
        assert_answered(parse(way(server, question(many))))
        for wrong in (b"\x01x" + longest, b"".join(bytes([63]) + b"x" * 63 for _ in range(4)) + b"\0",
                      b"\x40" + b"x" * 64 + b"\0", b"\x80x\0", b"\3ww"):
            assert parse(way(server, question(wrong))).rcode() == dns.rcode.FORMERR
    assert len(upstream.asked) == 2


def test_question_is_not_compressed(server, upstream):
    for name in (b"\xc0\x0c", b"\3www\xc0\x0c", b"\xc0\x10", b"\xc0\x00"):
        for way in (ask, ask_tcp):
            assert parse(way(server, question(name))).rcode() == dns.rcode.FORMERR
    assert not upstream.asked


def test_pointers_that_go_in_circles(server):
    """In records that nobody reads: answered or refused, never followed for ever."""
    for owner in (b"\xc0\x1d", b"\xc0\xff", b"\xff\xff", b"\1x\xc0\x1d"):
        record = owner + struct.pack("!HHIH", 1, 1, 0, 4) + bytes(4)
        assert parse(ask(server, query("localhost", additional=[record]))).rcode() == \
            dns.rcode.FORMERR


@pytest.mark.parametrize("count", [0, 2, 3, 65535])
def test_rfc9619_one_question(server, count):
    message = bytearray(query("listed.example"))
    message[4:6] = struct.pack("!H", count)
    assert parse(ask(server, bytes(message) + message[12:] * (count == 2))).rcode() == \
        dns.rcode.FORMERR


def test_octets_behind_the_end(server):
    for rest in (b"\0", b"x" * 100):
        assert parse(ask(server, query("listed.example") + rest)).rcode() == dns.rcode.FORMERR
    for cut in range(12, len(query("listed.example"))):
        assert parse(ask(server, query("listed.example")[:cut])).rcode() == dns.rcode.FORMERR


def test_rfc4343_case_is_kept_and_does_not_matter(server, upstream):
    noise = random.Random(1)
    for name, check in (("www.listed.example", assert_blocked), ("open.example", assert_answered),
                        ("localhost", None)):
        for _ in range(8):
            mixed = "".join(noise.choice((c.lower(), c.upper())) for c in name)
            reply = parse(ask(server, query(mixed, additional=[opt()])))
            assert reply.question[0].name.to_text(True) == mixed
            if reply.answer:
                assert reply.answer[0].name.to_text(True) == mixed
            if check:
                check(reply)
    assert set(upstream.asked) == {"open.example."}


def test_labels_of_any_octets(server, upstream):
    name = b"\4\0\xff.\1\7example\0"
    assert_answered(parse(ask(server, question(name))))
    # Nor does an odd label hide a listed name.
    assert parse(ask(server, question(b"\4\0\xff.\1\6listed\7example\0"))).rcode() == \
        dns.rcode.NXDOMAIN
    assert len(upstream.asked) == 1


@pytest.mark.parametrize("rdtype", [1000, 65280])
def test_rfc3597_unknown_types_pass_untouched(server, rdtype):
    for _ in range(2):  # from upstream, from the cache
        rrset, = parse(ask(server, query("open.example", rdtype))).answer
        assert rrset.rdtype == rdtype
        assert rrset[0].to_wire() == bytes.fromhex("c00c00010001ff00deadbeef")


def test_rfc6840_nobody_validated_what_is_made_here(server):
    """Section 5.8: AD only to those who ask for it; never on what a list or we ourselves say, nor
    on the word of a server that we forward to over UDP."""
    for flags in (0x0100, 0x0120):
        for do in (0, 0x8000):
            for name in ("listed.example", "localhost", "ad-open.example"):
                reply = parse(ask(server, query(name, flags=flags, additional=[opt(flags=do)])))
                assert not reply.flags & dns.flags.AD
                assert not any(rrset.rdtype in (46, 47, 50) for rrset in reply.authority)


def test_rfc9567_no_reports(server):
    """Whoever offers to take reports is not handed on: a policy is no fault."""
    for name in ("report.example", "listed.example"):
        wire = ask(server, query(name, additional=[opt()]))
        assert 18 not in options_of(wire)


def test_answers_have_what_was_asked(server):
    for name in ("listed.example", "open.example", "localhost"):
        for ident in (0, 1, 65535):
            message = query(name, ident=ident)
            reply = parse(ask(server, message))
            assert reply.id == ident
            assert dns.message.from_wire(message).is_response(reply)
    assert_answered(server.query("open.example"))
    assert ANSWER in server.query("open.example").to_text()
