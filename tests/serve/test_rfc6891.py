# SPDX-License-Identifier: BSD-2-Clause
"""RFC 6891, EDNS(0), and RFC 9715, no fragments: the OPT record that comes, and the one that goes."""
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

import octets
from serving import Upstream, assert_answered, assert_blocked
from octets import ask, ask_tcp, flags_of, opt, options_of, parse, query

MANY = 90  # addresses of many.example: 1,440 octets of records, past 1232 and past 1400


class Listening(Upstream):
    """Keeps what it was asked; many.example has many addresses."""

    def __init__(self):
        self.messages = []
        super().__init__()

    def reply(self, query):
        self.messages.append(query)
        reply = Upstream.reply(query)
        name = query.question[0].name
        if name.to_text().startswith(("cut-many", "many")):
            reply.request_payload = 65535
            reply.answer = [dns.rrset.from_text(name, 300, "IN", "A",
                                                *(f"192.0.2.{i}" for i in range(MANY)))]
        return reply


@pytest.fixture
def upstream():
    server = Listening()
    yield server
    server.close()


def test_opt_only_if_asked_with_it(serve, config):
    server = serve(config)
    for name in ("listed.example", "open.example", "localhost", "open.example"):
        without = server.query(name, use_edns=False)
        assert without.edns == -1
        assert not without.additional
        with_it = server.query(name, use_edns=0)
        assert with_it.edns == 0
        assert with_it.payload == 1232


def test_other_versions_are_told_ours(serve, config):
    server = serve(config)
    for version in (1, 2, 100, 255):
        for name in ("listed.example", "open.example"):
            # What stands behind the version may have another form.
            reply = parse(ask(server, query(name, additional=[
                opt(version=version, options=[(10, b"x")])])))
            assert reply.rcode() == dns.rcode.BADVERS
            assert reply.edns == 0
            assert not reply.answer and not reply.authority


def test_extended_rcode_is_in_both_halves(serve, config):
    server = serve(config)
    wire = ask(server, query("open.example", additional=[opt(version=1)]))
    assert flags_of(wire) & 15 == 0  # BADVERS is 16
    assert wire[-6] == 1             # and its upper part stands in the OPT record


@pytest.mark.parametrize("message", [
    query("open.example", additional=[opt(), opt()]),
    query("open.example", answer=[opt()]),
    query("open.example", additional=[opt(owner=b"\3www\0")]),
    query("open.example", additional=[opt()[:-1] + b"\4" + b"\0\x64\0\1"]),  # a cut option
], ids=["two", "not in additional", "not of the root", "cut option"])
def test_malformed_opt(serve, config, upstream, message):
    server = serve(config)
    assert octets.rcode_of(ask(server, message)) == dns.rcode.FORMERR
    assert octets.rcode_of(ask_tcp(server, message)) == dns.rcode.FORMERR
    assert not upstream.asked


@pytest.mark.parametrize("size", [0, 1, 511, 512])
def test_small_sizes_count_as_512(serve, config, size):
    server = serve(config)
    wire = ask(server, query("cut-many.example", additional=[opt(size=size)]))
    assert len(wire) <= 512
    assert flags_of(wire) & dns.flags.TC
    # A closed name's answer, with its reason, fits into 512.
    wire = ask(server, query("listed.example", additional=[opt(size=size)]))
    assert not flags_of(wire) & dns.flags.TC
    assert_blocked(parse(wire))


@pytest.mark.parametrize("size", [None, 512, 1231, 1232, 1233, 1400, 4096, 65535])
def test_rfc9715_no_answer_over_udp_is_larger_than_1232(serve, config, size):
    server = serve(config)
    message = query("cut-many.example", additional=[opt(size=size)] if size is not None else [])
    for _ in range(2):  # from upstream, then from the cache
        wire = ask(server, message)
        assert len(wire) <= min(size or 512, 1232)
        assert flags_of(wire) & dns.flags.TC
        reply = parse(wire)
        assert not reply.answer and (reply.edns == 0) == (size is not None)
        whole = parse(ask_tcp(server, message))
        assert not whole.flags & dns.flags.TC
        assert len(whole.answer[0]) == MANY


def test_unknown_options_and_flags_are_ignored(serve, config):
    server = serve(config)
    for name, check in (("listed.example", assert_blocked), ("open.example", assert_answered)):
        reply = server.query(name, want_dnssec=True)
        wire = ask(server, query(name, additional=[
            opt(flags=0xffff, options=[(100, b""), (65001, bytes(200)), (4, b"x"), (0, b"")])]))
        check(parse(wire))
        assert parse(wire).ednsflags & 0xffff == 0x8000 == reply.ednsflags & 0xffff
        assert set(options_of(wire)) <= {15}


def test_do_is_echoed(serve, config):
    server = serve(config)
    for name in ("listed.example", "open.example", "localhost"):
        for want in (False, True):
            reply = server.query(name, want_dnssec=want)
            assert bool(reply.ednsflags & dns.flags.DO) == want


def test_opt_is_hop_by_hop(serve, config, upstream):
    server = serve(config)
    ask(server, query("hop.example", additional=[
        opt(size=4000, options=[(100, b"secret"), (8, b"\0\1\x20\0\xc0\0\2\1"), (10, b"client01")])]))
    assert len(upstream.messages) == 1
    sent = upstream.messages[0]
    assert sent.edns == 0 and sent.payload == 1232
    assert not {int(option.otype) for option in sent.options} & {100, 8}
    ask(server, query("hop2.example"))
    assert upstream.messages[1].edns == 0
