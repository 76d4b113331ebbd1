# SPDX-License-Identifier: BSD-2-Clause
"""What comes back is judged: where aliases and service records lead (RFC 1034, 6672, 9460), and
addresses that no name of the public DNS may have (DNS rebinding)."""
import subprocess

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from serving import ANSWER, Upstream, assert_blocked, ede

HINT = "198.51.100.66"


class Leading(Upstream):
    """Answers from `zone`: "name type" to records as text.  Anything else as its parent does."""

    def __init__(self, zone):
        self.zone = zone
        super().__init__()

    def reply(self, query):
        question = query.question[0]
        key = f"{question.name.to_text(True).lower()} {dns.rdatatype.to_text(question.rdtype)}"
        if key not in self.zone:
            return super().reply(query)
        reply = dns.message.make_response(query, recursion_available=True)
        for line in self.zone[key]:
            section = reply.additional if line.startswith("+") else reply.answer
            owner, rdtype, rdata = line.lstrip("+").split(" ", 2)
            section.append(dns.rrset.from_text(owner + ".", 300, "IN", rdtype, rdata))
        return reply


ZONE = {
    "cname.example A": ["cname.example CNAME www.listed.example.", f"www.listed.example A {HINT}"],
    "chain.example A": ["chain.example CNAME b.example.", "b.example CNAME c.example.",
                        "c.example CNAME LISTED.example.", f"listed.example A {HINT}"],
    # Out of order, as some servers have it.
    "mixed.example A": [f"listed.example A {HINT}", "mixed.example CNAME listed.example."],
    "www.dname.example A": ["dname.example DNAME listed.example.",
                            "www.dname.example CNAME www.listed.example.",
                            f"www.listed.example A {HINT}"],
    "alias.example HTTPS": ["alias.example HTTPS 0 listed.example."],
    "alias.example SVCB": ["alias.example SVCB 0 listed.example."],
    "service.example HTTPS": [f"service.example HTTPS 1 www.listed.example. ipv4hint={HINT}",
                              f"+www.listed.example A {HINT}"],
    "second.example HTTPS": ["second.example HTTPS 1 . alpn=h2",
                             f"second.example HTTPS 2 listed.example. ipv4hint={HINT}"],
    "behind.example HTTPS": ["behind.example CNAME other.example.",
                             "other.example HTTPS 0 listed.example."],
    "owner.example HTTPS": [f"owner.example CNAME listed.example.",
                            f"listed.example HTTPS 1 . ipv4hint={HINT}"],
    "_8443._https.port.example HTTPS": [
        f"_8443._https.port.example HTTPS 1 listed.example. ipv4hint={HINT}"],
    # These lead nowhere that is closed.
    "open.example HTTPS": ["open.example HTTPS 1 . alpn=h2 ipv4hint=192.0.2.7"],
    "mail.example MX": ["mail.example MX 10 listed.example."],
    "cdn.example A": ["cdn.example CNAME d1.cloudfront.net.", f"d1.cloudfront.net A {ANSWER}"],
    "cdn.example HTTPS": ["cdn.example HTTPS 0 d1.cloudfront.net."],
    "one.example A": ["one.example CNAME d1.net.delivery.example.",
                      f"d1.net.delivery.example A {ANSWER}"],
    "nine.example A": ["nine.example CNAME d9.net.delivery.example.",
                       f"d9.net.delivery.example A {ANSWER}"],
    "other.example A": ["other.example CNAME d1.other.delivery.example.",
                        f"d1.other.delivery.example A {ANSWER}"],
    "customer.example A": ["customer.example CNAME site-1a2b.kxcdn.com.",
                           f"site-1a2b.kxcdn.com A {ANSWER}"],
    # Addresses at home.
    "home.example A": ["home.example A 192.168.1.1"],
    "both.example A": [f"both.example A {ANSWER}", "both.example A 10.0.0.1"],
    "here.example A": ["here.example A 127.0.0.1"],
    "none.example A": ["none.example A 0.0.0.0"],
    "nat.example A": ["nat.example A 100.64.0.1"],
    "link.example A": ["link.example A 169.254.169.254"],
    "six.example AAAA": ["six.example AAAA fd00::1"],
    "mapped.example AAAA": ["mapped.example AAAA ::ffff:192.168.1.1"],
    "hint.example HTTPS": ["hint.example HTTPS 1 . ipv4hint=192.0.2.1,10.0.0.1"],
    "hint6.example SVCB": ["hint6.example SVCB 1 . ipv6hint=fe80::1"],
    "led.example A": ["led.example CNAME nas.school.example.", "nas.school.example A 10.1.1.1"],
    "nas.school.example A": ["nas.school.example A 10.1.1.1"],
}


@pytest.fixture
def upstream():
    server = Leading(ZONE)
    yield server
    server.close()


def assert_leads_nowhere(reply):
    """Closed, without a word of where it leads; what is below the name is not denied (RFC 8020)."""
    assert reply.rcode() == dns.rcode.NOERROR
    assert not reply.answer and not reply.additional
    assert len(reply.authority) == 1 and reply.authority[0].rdtype == 6
    assert ede(reply)[0] == 17 and "adult" in ede(reply)[1]
    assert HINT not in reply.to_text() and "listed.example" not in reply.to_text()


@pytest.mark.parametrize("tcp", [False, True])
def test_closed_target_closes_what_leads_there(serve, config, tcp):
    config["threads"] = 1
    server = serve(config)
    for key in ZONE:
        name, rdtype = key.split(" ")
        if not any("listed.example" in line.lower() for line in ZONE[key]) or rdtype == "MX":
            continue
        for _ in range(2):  # from upstream, then from the cache
            assert_leads_nowhere(server.query(name, rdtype, tcp=tcp))


def test_open_targets_are_told(serve, config):
    server = serve(config)
    reply = server.query("open.example", "HTTPS")
    assert "192.0.2.7" in reply.answer[0].to_text()
    assert server.query("mail.example", "MX").answer
    assert server.query("cdn.example", "A").answer[1][0].address == ANSWER


@pytest.mark.parametrize("rdtype", ["HTTPS", "SVCB", "A", "AAAA", "TXT"])
def test_rfc9460_closed_name_has_no_service(serve, config, upstream, rdtype):
    """Not even asked for: no hint of a closed name can come back."""
    upstream.zone = dict(ZONE, **{f"listed.example {rdtype}": ["listed.example TXT x"]})
    server = serve(config)
    reply = server.query("listed.example", rdtype)
    assert_blocked(reply)
    assert not reply.answer and not reply.additional
    assert not upstream.asked


def test_target_that_a_new_list_closes(serve, config, compile_image):
    config["threads"] = 1
    server = serve(config)
    assert server.query("cdn.example").answer
    compile_image(config["list"]["image"], ["listed.example", "d1.cloudfront.net"])
    server.says("now in force")
    assert not server.query("cdn.example").answer


# ---- Networks that strangers share --------------------------------------------------------------------

def test_shared_network_closes_not_its_customers(serve, config, compile_image):
    config["list"]["shared-targets"] = ["net.delivery.example"]
    compile_image(config["list"]["image"], ["delivery.example", "d9.net.delivery.example"])
    server = serve(config)
    assert server.query("one.example").answer[1][0].address == ANSWER
    for name in ("nine.example", "other.example"):
        reply = server.query(name)
        assert not reply.answer and ede(reply)[0] == 17
    # Who asks for the network's own name is told what the list says of it.
    assert_blocked(server.query("d1.net.delivery.example"))


def test_shared_networks_that_are_known(serve, config, compile_image):
    """kxcdn.com stands in data/shared-targets.yaml, and is no public suffix."""
    compile_image(config["list"]["image"], ["kxcdn.com"])
    server = serve(config)
    assert server.query("customer.example").answer[1][0].address == ANSWER
    assert_blocked(server.query("site-1a2b.kxcdn.com"))


# ---- DNS rebinding ------------------------------------------------------------------------------------

REBINDING = ["home.example A", "both.example A", "here.example A", "none.example A", "nat.example A",
             "link.example A", "six.example AAAA", "mapped.example AAAA", "hint.example HTTPS",
             "hint6.example SVCB", "led.example A"]


def test_rebinding_is_refused(serve, config):
    config["threads"] = 1
    config["upstream"]["rebinding-allowed"] = ["school.example"]
    server = serve(config)
    for _ in range(2):
        for key in REBINDING:
            reply = server.query(*key.split(" "))
            assert reply.rcode() == dns.rcode.NOERROR and not reply.answer, key
            assert reply.authority[0].rdtype == 6
            assert ede(reply) == (17, "Blocked: DNS rebinding")
        assert server.query("nas.school.example").answer[0][0].address == "10.1.1.1"
    counters = server.metrics()
    assert counters['lindung_answers_total{kind="rebinding"}'] == 2 * len(REBINDING)


def test_rebinding_protection_can_be_switched_off(serve, config):
    config["upstream"]["rebinding-protection"] = False
    server = serve(config)
    for key in REBINDING:
        assert server.query(*key.split(" ")).answer, key


def test_rebinding_as_dig_sees_it(serve, config):
    server = serve(config)
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(server.port), "home.example", "+dnssec"],
                          capture_output=True, text=True, timeout=20, check=True)
    assert "status: NOERROR" in done.stdout and "192.168" not in done.stdout
    assert "EDE: 17 (Filtered)" in done.stdout
