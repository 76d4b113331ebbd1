# SPDX-License-Identifier: BSD-2-Clause
"""RFC 8482: ANY is answered with little, and asked nobody."""
import dns.rcode
import dns.rdatatype

from serving import assert_blocked


def test_any(serve, config, upstream):
    config["local"] = {"names": ["nas.home.arpa 192.168.1.10 fd00::10"]}
    server = serve(config)
    for tcp in (False, True):
        for _ in range(2):
            reply = server.query("open.example", "ANY", tcp=tcp)
            assert reply.rcode() == dns.rcode.NOERROR
            rrset, = reply.answer
            assert rrset.rdtype == dns.rdatatype.HINFO
            assert rrset[0].cpu == b"RFC8482" and rrset[0].os == b""
        # What is answered here is: one type of it.
        rrset, = server.query("nas.home.arpa", "ANY", tcp=tcp).answer
        assert [rdata.address for rdata in rrset] == ["192.168.1.10"]
        assert_blocked(server.query("listed.example", "ANY", tcp=tcp))
    assert not upstream.asked and not upstream.asked_tcp
