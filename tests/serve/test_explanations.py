# SPDX-License-Identifier: BSD-2-Clause
"""Why a name is closed, as clients are told: RFC 8914, structured errors
(draft-ietf-dnsop-structured-dns-error), RFC 8020, and what DNSSEC asks of one who filters."""
import json
import re
import subprocess

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from serving import ANSWER, Upstream, ede, free_port
from tls_room import NAME, Authority

SDE = 26
CONTACTS = ["mailto:help@school.example", "tel:+62-21-500-000"]


class Explaining(Upstream):
    """By its first label: what upstream says with its answer."""

    EDES = {
        "blocked": [(15, b"malware"), (3, b"")],
        "censored": [(16, b"")],
        "filtered": [(17, b"\xff\n<b>")],
        "several": [(3, b"old"), (22, b"slow"), (23, b"net"), (0, b"x"), (1, b"y")],
        "long": [(3, b"\xe2\x82\xac" * 100)],
    }

    def reply(self, query):
        reply = super().reply(query)
        label = query.question[0].name.labels[0].decode().lower()
        options = [dns.edns.GenericOption(15, code.to_bytes(2, "big") + text)
                   for code, text in self.EDES.get(label, [])]
        if label in ("blocked", "zero"):
            reply.answer = [dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "0.0.0.0")]
        elif label == "denied":
            reply.answer.clear()
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif label == "authentic":
            reply.flags |= dns.flags.AD
        reply.use_edns(0, payload=1232, options=options)
        return reply


@pytest.fixture
def upstream():
    server = Explaining()
    yield server
    server.close()


@pytest.fixture
def explained(config):
    """The configuration of a school that tells who it is."""
    config["threads"] = 1
    config["explain"] = {"contacts": CONTACTS, "organisation": 'SD "Harapan" \\ Jakarta',
                         "language": "id", "text": "Diblokir"}
    return config


def edes(reply):
    """[(code, text)] of all Extended DNS Errors."""
    return [(int.from_bytes(data[:2], "big"), data[2:].decode("utf-8"))
            for data in (option.to_wire() for option in reply.options if option.otype == 15)]


def ask(server, name, rdtype="A", structured=b"", payload=1232, tcp=False, **options):
    sde = [] if structured is None else [dns.edns.GenericOption(SDE, structured)]
    return server.query(name, rdtype, tcp=tcp, payload=payload, options=sde, **options)


def i_json(text):
    """The object, strictly read: UTF-8, one object, no name twice, no blanks (RFC 7493)."""
    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    value = json.loads(text, object_pairs_hook=once)
    assert isinstance(value, dict)
    assert json.dumps(value, separators=(",", ":"), ensure_ascii=False) == text
    return value


# ---- draft-ietf-dnsop-structured-dns-error ----------------------------------------------------------

@pytest.mark.parametrize("data", [b"", b"x", b'{"c":[]}'])
@pytest.mark.parametrize("tcp", [False, True])
def test_sde_object_for_who_asks(serve, explained, data, tcp):
    server = serve(explained)
    reply = ask(server, "www.listed.example", structured=data, tcp=tcp)
    assert reply.rcode() == dns.rcode.NXDOMAIN and not reply.answer
    assert reply.authority[0].rdtype == dns.rdatatype.SOA and 10 <= reply.authority[0].ttl <= 60
    (code, text), = edes(reply)
    assert code == 17
    value = i_json(text)
    assert list(value) == ["c", "j", "o", "l"]
    assert value["c"] == CONTACTS
    assert value["j"] == "Diblokir: adult (list names)"
    assert value["o"] == 'SD "Harapan" \\ Jakarta'
    assert value["l"] == "id"
    assert SDE not in [option.otype for option in reply.options]


def test_sde_not_for_others(serve, explained):
    server = serve(explained)
    assert edes(ask(server, "listed.example", structured=None)) == [
        (17, "Diblokir: adult (list names)")]
    assert edes(server.query("listed.example", use_edns=-1)) == []


@pytest.mark.parametrize("reason, code, sub_error", [("operator", 15, 6), ("authority", 16, None),
                                                     ("family", 17, None)])
def test_sde_codes_and_sub_errors(serve, config, reason, code, sub_error):
    config["block"] = {"reason": reason}
    (got, text), = edes(ask(serve(config), "listed.example"))
    value = i_json(text)
    assert got == code
    assert value.get("s") == sub_error
    assert value["j"] and value["l"] == "en" and "c" not in value and "o" not in value


def test_sde_sub_error_of_a_category(serve, config, lindung, tmp_path):
    source = tmp_path / "phish.txt"
    source.write_text("listed.example\n")
    done = lindung("compile", "-q", "--no-protected", "-o", config["list"]["image"], "--category",
                   "phishing", source)
    assert done.returncode == 0, done.stderr
    (_, text), = edes(ask(serve(config), "listed.example"))
    assert i_json(text) == {"j": "Blocked: phishing (list phish)", "s": 2, "l": "en"}


def test_sde_fields_dropped_in_order_where_udp_is_small(serve, explained):
    """First j and o (and l, which speaks of them), then the whole text; the code stays."""
    explained["explain"]["contacts"] = [f"mailto:{'x' * 40}@school{i}.example" for i in range(3)]
    explained["explain"]["organisation"] = "A" * 60
    server = serve(explained)
    seen = []
    for labels in range(0, 8):
        name = ("a" * 28 + ".") * labels + "listed.example"
        reply = ask(server, name, payload=512)
        assert reply.rcode() == dns.rcode.NXDOMAIN and not reply.flags & dns.flags.TC
        assert len(reply.to_wire()) <= 512
        (code, text), = edes(reply)
        assert code == 17
        seen.append(list(i_json(text)) if text else [])
        # The same over TCP has room for all.
        assert list(i_json(edes(ask(server, name, payload=512, tcp=True))[0][1])) == [
            "c", "j", "o", "l"]
    assert seen == sorted(seen, key=len, reverse=True)
    assert {tuple(keys) for keys in seen} == {("c", "j", "o", "l"), ("c",), ()}


def test_sde_never_with_forged_answer(serve, config, lindung, tmp_path):
    source = tmp_path / "safe.txt"
    source.write_text("# lindung list 1\nrewrite\tadult\t=search.example\ts\tA 192.0.2.9\n"
                      "rewrite\tadult\t=video.example\ts\tCNAME safe.example\n")
    done = lindung("compile", "-q", "--no-protected", "-o", config["list"]["image"], "--format",
                   "lindung", source)
    assert done.returncode == 0, done.stderr
    server = serve(config)
    for name in ("search.example", "video.example", "video.example"):
        assert ede(ask(server, name, structured=None)) == (4, "Rewritten by a list")
        reply = ask(server, name)
        assert 4 not in [code for code, _ in edes(reply)]
        assert reply.answer


def test_sde_of_what_upstream_closed(serve, explained):
    server = serve(explained)
    for _ in range(2):  # from upstream, then from the cache
        told = edes(ask(server, "filtered.example"))
        assert [code for code, _ in told] == [35]
        value = i_json(told[0][1])
        assert value["c"] == CONTACTS and value["j"] == "Diblokir: \ufffd <b>" and value["l"] == "id"
        assert "s" not in value


def test_sde_zero_answer_is_not_for_who_takes_the_reason(serve, config):
    config["block"] = {"answer": "zero"}
    server = serve(config)
    assert ask(server, "listed.example", structured=None).answer[0][0].address == "0.0.0.0"
    reply = ask(server, "listed.example")
    assert reply.rcode() == dns.rcode.NOERROR and not reply.answer


def test_sde_as_kdig_sees_it(serve, explained):
    """Knot's own reading of the option that we send."""
    server = serve(explained)
    done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(server.port), "+ednsopt=26",
                           "listed.example"], capture_output=True, text=True, timeout=20, check=True)
    assert re.search(r"EDE: 17 \(Filtered\):? .*Diblokir: adult", done.stdout), done.stdout


# ---- Firefox over DoH (the design: "A blocked answer") ------------------------------------------------

@pytest.fixture
def doh(serve, config, tmp_path):
    """doh(reason, block, ...): asks over HTTPS (RFC 8484) a server with this block.reason."""
    def start(reason, **block):
        authority = Authority(tmp_path)
        certificate, key = authority.pair("first")
        config["tls"] = {"certificate": str(certificate), "key": str(key)}
        config["https"] = {"listen": [f"127.0.0.1@{free_port()}"]}
        config["block"] = {"reason": reason, **block}
        server = serve(config)
        port = config["https"]["listen"][0].split("@")[1]

        def ask_https(rdtype="A", structured=None, edns=0):
            sde = [] if structured is None else [dns.edns.GenericOption(SDE, structured)]
            query = dns.message.make_query("listed.example", rdtype, use_edns=edns, options=sde)
            done = subprocess.run(
                ["curl", "-sS", "--http2", "--cacert", authority.path, "--resolve",
                 f"{NAME}:{port}:127.0.0.1", "-H", "content-type: application/dns-message",
                 "--data-binary", "@-", f"https://{NAME}:{port}/dns-query"],
                input=query.to_wire(), capture_output=True, timeout=20, check=True)
            return dns.message.from_wire(done.stdout)

        ask_https.server = server
        return ask_https

    return start


@pytest.mark.parametrize("reason, code", [("operator", 15), ("authority", 16)])
def test_doh_15_and_16_come_with_an_address(doh, reason, code):
    """Without one Firefox asks a resolver that does not filter."""
    ask_https = doh(reason)
    for rdtype, address in (("A", "0.0.0.0"), ("AAAA", "::")):
        reply = ask_https(rdtype)
        assert reply.rcode() == dns.rcode.NOERROR and ede(reply)[0] == code
        assert reply.answer[0][0].address == address and 10 <= reply.answer[0].ttl <= 60
    for rdtype in ("HTTPS", "TXT"):
        reply = ask_https(rdtype)
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and ede(reply)[0] == code
    # Who asks for structured errors takes the reason itself; who has no EDNS sees no code.
    reply = ask_https(structured=b"")
    assert reply.rcode() == dns.rcode.NXDOMAIN and not reply.answer
    assert i_json(edes(reply)[0][1])["j"] and edes(reply)[0][0] == code
    assert ask_https(edns=-1).rcode() == dns.rcode.NXDOMAIN
    # Over other transports it is as configured.
    reply = ask_https.server.query("listed.example")
    assert reply.rcode() == dns.rcode.NXDOMAIN and ede(reply)[0] == code


def test_doh_address_of_the_page(doh):
    ask_https = doh("operator", address4="192.0.2.80")
    assert ask_https("A").answer[0][0].address == "192.0.2.80"
    reply = ask_https("AAAA")
    assert reply.rcode() == dns.rcode.NOERROR and not reply.answer


def test_doh_17_needs_no_address(doh):
    reply = doh("family")("A")
    assert reply.rcode() == dns.rcode.NXDOMAIN and not reply.answer and ede(reply)[0] == 17


# ---- RFC 8914 ---------------------------------------------------------------------------------------

def test_rfc8914_passed_on(serve, config):
    """All that upstream said, in its order (four at most); what it filtered is upstream's doing."""
    config["threads"] = 1
    server = serve(config)
    for _ in range(2):
        assert edes(ask(server, "several.example", structured=None)) == [
            (3, "old"), (22, "slow"), (23, "net"), (0, "x")]
        reply = ask(server, "blocked.example", structured=None)
        assert edes(reply) == [(35, "malware"), (3, "")]
        assert not reply.answer  # 0.0.0.0 is no address of a public name
        assert edes(ask(server, "censored.example", structured=None)) == [(35, "")]
        assert edes(ask(server, "filtered.example", structured=None)) == [(35, "\ufffd <b>")]
        (code, text), = edes(ask(server, "long.example", structured=None))
        assert code == 3 and text == "\u20ac" * 40
    assert edes(server.query("several.example", use_edns=-1)) == []


def test_rfc8914_upstream_that_filters_without_saying_so(serve, config):
    config["upstream"]["filters"] = True
    server = serve(config)
    assert edes(ask(server, "zero.example", structured=None)) == [(35, "")]
    reply = ask(server, "denied.example", structured=None)
    assert reply.rcode() == dns.rcode.NXDOMAIN and edes(reply) == [(35, "")]
    assert edes(ask(server, "open.example", structured=None)) == []


def test_rfc8914_dig_reads_it(serve, config):
    server = serve(config)
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(server.port), "listed.example"],
                          capture_output=True, text=True, timeout=20, check=True)
    assert re.search(r"EDE: 17 \(Filtered\): .*Blocked: adult", done.stdout), done.stdout


# ---- RFC 8020 ---------------------------------------------------------------------------------------

def test_rfc8020_one_host_is_not_denied_with_what_is_below(serve, config, lindung, tmp_path):
    source = tmp_path / "host.txt"
    source.write_text("# lindung list 1\nblock\tadult\ttree.example\ts\n"
                      "block\tadult\t=host.example\ts\n")
    done = lindung("compile", "-q", "--no-protected", "-o", config["list"]["image"], "--format",
                   "lindung", source)
    assert done.returncode == 0, done.stderr
    server = serve(config)
    reply = server.query("host.example")
    assert reply.rcode() == dns.rcode.NOERROR and not reply.answer
    assert reply.authority[0].rdtype == dns.rdatatype.SOA and ede(reply)[0] == 17
    assert server.query("www.host.example").answer[0][0].address == ANSWER
    for name in ("tree.example", "www.tree.example"):
        assert server.query(name).rcode() == dns.rcode.NXDOMAIN


# ---- RFC 4035, RFC 6840 -----------------------------------------------------------------------------

@pytest.mark.parametrize("want_dnssec", [False, True])
@pytest.mark.parametrize("flags", [dns.flags.RD, dns.flags.RD | dns.flags.AD,
                                   dns.flags.RD | dns.flags.CD])
def test_rfc6840_nothing_of_ours_is_authentic(serve, config, want_dnssec, flags):
    """Neither AD nor signatures on what we made; CD and DO come back as they were sent."""
    config["threads"] = 1
    server = serve(config)
    for name in ("listed.example", "localhost", "authentic.example", "authentic.example"):
        query = dns.message.make_query(name, "A", use_edns=0, want_dnssec=want_dnssec)
        query.flags = flags
        reply = dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5)
        assert not reply.flags & dns.flags.AD, name
        assert bool(reply.flags & dns.flags.CD) == bool(flags & dns.flags.CD)
        assert bool(reply.ednsflags & dns.flags.DO) == want_dnssec
        assert not [rrset for rrset in reply.answer + reply.authority
                    if rrset.rdtype in (dns.rdatatype.RRSIG, dns.rdatatype.NSEC)]
