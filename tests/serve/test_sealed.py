# SPDX-License-Identifier: BSD-2-Clause
"""Sealed names, and others that an authority ordered to be closed: nobody who asks can tell them
apart (doc/sealed.md)."""
import socket
import subprocess

import dns.edns
import dns.message
import dns.rcode
import pytest

from serving import ede

LINES = """\
seal	csam	sealed.example	hotline.id:7
seal	csam	=hidden.example	hotline.id:7
seal	csam	help.example	hotline.id:7
block	csam	public.example	list
block	csam	=listed.example	list
block	gambling	casino.example	list
block	gambling	=poker1.example	list
allow	*	sealed.example	local
"""
# One that is sealed, and others of the same length that are closed by order, too.
PAIRS = [("sealed", "public"), ("www.sealed", "www.public"), ("hidden", "listed"),
         ("www.hidden", "www.listed")]
GAMBLING = [("sealed", "casino"), ("a.b.sealed", "a.b.casino"), ("hidden", "poker1")]


def make(build_dir, path, lines, *options):
    subprocess.run([build_dir / "src" / "index" / "make_tool", path, *options], input=lines,
                   text=True, check=True)


@pytest.fixture
def sealed(config, build_dir, tmp_path):
    make(build_dir, tmp_path / "sealed.ldx", LINES)
    config["list"] = {"image": str(tmp_path / "sealed.ldx")}
    return config


def wire(server, name, rdtype, structured):
    """An answer, octet for octet, with the name asked for taken out."""
    options = [dns.edns.GenericOption(26, b"")] if structured else []
    query = dns.message.make_query(f"{name}.example", rdtype, id=77, use_edns=0, options=options)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(8)
        udp.sendto(query.to_wire(), ("127.0.0.1", server.port))
        octets = udp.recv(4096)
    label = name.split(".")[-1].encode()
    return dns.message.from_wire(octets), octets.replace(label, b"?" * len(label))


@pytest.mark.parametrize("mode", ["nxdomain", "nodata", "zero"])
@pytest.mark.parametrize("reason, pairs", [("family", PAIRS), ("authority", PAIRS + GAMBLING)])
def test_answers_are_alike_octet_for_octet(serve, sealed, mode, reason, pairs):
    sealed["block"] = {"answer": mode, "reason": reason}
    server = serve(sealed)
    for one, other in pairs:
        for rdtype in ("A", "AAAA", "HTTPS", "MX", "TXT"):
            for structured in (False, True):
                reply, octets = wire(server, one, rdtype, structured)
                _, others = wire(server, other, rdtype, structured)
                assert octets == others, (one, other, rdtype)
                if not one.startswith("www.hidden"):
                    assert ede(reply)[0] == 16
                    assert "csam" not in ede(reply)[1] and "hotline" not in ede(reply)[1]


def test_nothing_tells_of_them_but_the_answer(serve, sealed, lindung, tmp_path):
    sealed["block"] = {"reason": "operator"}
    server = serve(sealed)
    before = server.metrics()
    for name in ("sealed.example", "public.example"):
        reply = server.query(name)
        assert reply.rcode() == dns.rcode.NXDOMAIN
        assert ede(reply) == (16, "Blocked")
    after = server.metrics()
    blocked = 'lindung_answers_total{kind="blocked"}'
    assert after[blocked] - before[blocked] == 2
    assert not [key for key in after if "seal" in key or "csam" in key]
    assert not any("sealed.example" in line for line in server.lines)
    # And a protected name is open.
    assert server.query("help.example").rcode() == dns.rcode.NOERROR
    octets = (tmp_path / "sealed.ldx").read_bytes()
    assert not [part for part in (b"hidd", b"idde", b"dden") if part in octets]
    for command in (["dump"], ["dump", "-f", "domains"], ["dump", "-f", "rpz"], ["verify"]):
        done = lindung(*command, tmp_path / "sealed.ldx")
        assert done.returncode == 0, done.stderr
        assert "sealed.example" not in done.stdout.replace("allow\t*\tsealed.example", "")
        assert "hidden" not in done.stdout


def test_query_tells_the_operator_alone(sealed, lindung, tmp_path):
    image = tmp_path / "sealed.ldx"
    told = lindung("query", "--explain", image, "www.sealed.example").stdout
    assert "closed by an authority's order" in told
    assert "csam" not in told and "hotline" not in told
    told = lindung("query", "--explain", "--operator", image, "www.sealed.example").stdout
    assert "csam by sealed.example  (hotline.id:7)" in told


def test_what_is_sealed_is_not_edited_away(build_dir, lindung, tmp_path):
    overlay = tmp_path / "changes.ldx"
    make(build_dir, overlay, "seal\tcsam\tnew.example\thotline.id:8\n", "overlay")
    before = overlay.read_bytes()
    done = lindung("edit", "-o", overlay, "add", "adult", "z.example")
    assert done.returncode != 0 and "sealed entries" in done.stderr
    assert overlay.read_bytes() == before
    # What is closed by hand in a locked category is told of like all that is.
    own = tmp_path / "own.ldx"
    assert lindung("edit", "-o", own, "add", "csam", "z.example").returncode == 0
    told = lindung("query", own, "z.example").stdout
    assert "closed by an authority's order" in told and "csam" not in told
