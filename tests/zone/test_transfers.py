# SPDX-License-Identifier: BSD-2-Clause
"""Zones out, as clients see them: AXFR (RFC 5936), IXFR (RFC 1995), NOTIFY (RFC 1996), serials (RFC 1982),
digests (RFC 8976), the catalog (RFC 9432)."""
import shutil
import socket
import struct
import subprocess
import time

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsigkeyring
import dns.zone
import pytest

import tls_room
from ports import free_port
from primaries import Primary
from secondaries import CATALOG, NAME

LOCAL = {"allow": ["127.0.0.1"]}


def axfr(port, name=NAME, **options):
    options.setdefault("timeout", 20)
    return dns.zone.from_xfr(dns.query.xfr("127.0.0.1", name, port=port, relativize=False, **options),
                             relativize=False)


def ixfr_query(name, serial):
    query = dns.message.make_query(name, "IXFR")
    query.authority.append(dns.rrset.from_text(query.question[0].name, 0, "IN", "SOA",
                                               f". . {serial} 0 0 0 0"))
    return query


def messages(port, query, last=None):
    """All messages that answer it on one connection, until there are no more for a second."""
    got = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        dns.query.send_tcp(sock, query)
        sock.settimeout(1)
        try:
            while True:
                got.append(dns.query.receive_tcp(sock, one_rr_per_rrset=True)[0])
        except (TimeoutError, EOFError, dns.exception.Timeout):
            return got


def records(answers):
    return [rrset for answer in answers for rrset in answer.answer]


def serial_of(port, name=NAME):
    answer = dns.query.udp(dns.message.make_query(name, "SOA"), "127.0.0.1", port=port, timeout=5)
    assert answer.rcode() == dns.rcode.NOERROR, answer
    assert answer.flags & dns.flags.AA
    return answer.answer[0][0].serial


def change(p, **changes):
    before = serial_of(p.port)
    p.change(**changes)
    end = time.monotonic() + 60
    while serial_of(p.port) == before:
        assert time.monotonic() < end
        time.sleep(0.05)
    return before, serial_of(p.port)


def test_a_zone_whole(primary):
    p = primary(3000, **LOCAL)
    p.await_zones()
    answers = messages(p.port, dns.message.make_query(NAME, "AXFR"))
    assert len(answers) > 1
    assert all(a.question == answers[0].question for a in answers)
    assert all(a.flags & dns.flags.AA and a.rcode() == 0 for a in answers)
    all_ = records(answers)
    # The first and the last are the SOA, and no other is.
    assert [r.rdtype for r in all_].count(dns.rdatatype.SOA) == 2
    assert all_[0] == all_[-1] and all_[0].rdtype == dns.rdatatype.SOA
    zone = axfr(p.port)
    # Each name, and all below it, besides the apex.
    assert set(zone.nodes) == {dns.name.from_text(f"{below}{name}.{NAME}") for name in p.names
                               for below in ("", "*.")} | {dns.name.from_text(NAME)}
    # Names follow one another in canonical order.
    owners = [r.name for r in all_[1:-1]]
    assert owners == sorted(owners)


def test_each_category_has_a_zone(primary):
    p = primary(300, **LOCAL)
    p.await_zones()
    for category, names in (("adult", p.names[::2]), ("gambling", p.names[1::2])):
        zone = axfr(p.port, f"{category}.{NAME}")
        assert {name for name in p.names
                if dns.name.from_text(f"{name}.{category}.{NAME}") in zone.nodes} == set(names)


def test_names_of_zones_are_chosen(primary):
    p = primary(20, name="policy.school.example", catalog="all.school.example",
                **{"by-category": False}, **LOCAL)
    p.await_zones()
    catalog = axfr(p.port, "all.school.example")
    assert [r.target.to_text() for _, _, r in catalog.iterate_rdatas("PTR")] == ["policy.school.example."]
    assert len(axfr(p.port, "policy.school.example").nodes) == 41


def test_the_catalog_names_all(primary):
    p = primary(20, **LOCAL)
    p.await_zones()
    zone = axfr(p.port, CATALOG)
    origin = dns.name.from_text(CATALOG)
    assert zone.get_rdataset(dns.name.from_text("version", origin), "TXT")[0].strings == (b"2",)
    members = {r.target.to_text(): name for name, _, r in zone.iterate_rdatas("PTR")}
    assert set(members) == {f"{NAME}.", f"adult.{NAME}.", f"gambling.{NAME}."}
    assert all(name.parent() == dns.name.from_text("zones", origin) for name in members.values())
    assert [r.target.to_text() for r in zone.get_rdataset(origin, "NS")] == ["invalid."]


def test_nobody_may_unless_said(primary):
    p = primary(20)
    for kind in ("SOA", "AXFR"):
        answer = messages(p.port, dns.message.make_query(NAME, kind))[0]
        assert answer.rcode() in (dns.rcode.REFUSED, dns.rcode.SERVFAIL) and not answer.answer


def test_others_may_not(primary):
    p = primary(20, allow=["192.0.2.0/24"])
    p.await_zones()
    for name in (NAME, CATALOG, f"adult.{NAME}"):
        for kind in ("SOA", "AXFR", "NS"):
            answer = messages(p.port, dns.message.make_query(name, kind))[0]
            assert answer.rcode() == dns.rcode.REFUSED and not answer.answer
    assert p.metric('lindung_zone_answers_total{kind="refused"}') == 9


def test_refusals_are_limited_as_all_answers_are(lindung, key, tmp_path):
    """Nobody is flooded with them by whoever asks in his name (rate.per-second)."""
    p = Primary(lindung, tmp_path / "limited", 30, keys=[str(key.path)])
    p.config["rate"] = {"per-second": 5}
    p.start()
    try:
        query = dns.message.make_query(NAME, "SOA").to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", p.port))
            sock.settimeout(1)
            for _ in range(300):
                sock.send(query)
            answers = 0
            try:
                while True:
                    assert dns.message.from_wire(sock.recv(4096)).rcode() == dns.rcode.REFUSED
                    answers += 1
            except TimeoutError:
                pass
        assert 1 <= answers < 150
        assert p.metric('lindung_rate_limited_total{action="dropped"}') >= 100
    finally:
        p.stop()


def test_what_is_no_zone(primary):
    p = primary(20, **LOCAL)
    p.await_zones()
    answer = messages(p.port, dns.message.make_query(f"nothing.{NAME}", "AXFR"))[0]
    assert answer.rcode() == dns.rcode.NOTAUTH
    # Names that are not ours are asked for as ever.
    assert messages(p.port, dns.message.make_query("example.org", "AXFR"))[0].rcode() == dns.rcode.REFUSED


def test_axfr_over_udp_is_malformed(primary):
    p = primary(20, **LOCAL)
    p.await_zones()
    answer = dns.query.udp(dns.message.make_query(NAME, "AXFR"), "127.0.0.1", port=p.port, timeout=5)
    assert answer.rcode() == dns.rcode.FORMERR and not answer.answer


def test_changes(primary):
    """SOA(new) [SOA(old) removed SOA(next) added]... SOA(new)."""
    p = primary(300, **LOCAL)
    p.await_zones()
    steps = []
    for i in range(3):
        steps.append(change(p, **{f"new{i}.example": "block adult", p.names[i]: "remove"}))
    first, last = steps[0][0], steps[-1][1]
    assert [old for old, _ in steps[1:]] == [new for _, new in steps[:-1]]
    got = records(messages(p.port, ixfr_query(NAME, first)))
    soas = [r[0].serial for r in got if r.rdtype == dns.rdatatype.SOA]
    assert soas == [last] + [s for step in steps for s in step] + [last]
    text = "\n".join(str(r) for r in got)
    for i in range(3):
        assert text.count(f"new{i}.example.{NAME}") == 2  # and what lies below it
        assert text.count(f"{p.names[i]}.{NAME}") == 2
    # Put together, it is the zone.
    assert p.metric('lindung_zone_answers_total{kind="ixfr"}') == 1
    # From the middle.
    soas = [r[0].serial for r in records(messages(p.port, ixfr_query(NAME, steps[2][0])))
            if r.rdtype == dns.rdatatype.SOA]
    assert soas == [last, *steps[2], last]


def test_an_up_to_date_client_gets_the_soa(primary):
    p = primary(300, **LOCAL)
    p.await_zones()
    serial = serial_of(p.port)
    for theirs in (serial, serial + 1, serial + 2 ** 30):  # one from the future, too
        got = records(messages(p.port, ixfr_query(NAME, theirs)))
        assert [(r.rdtype, r[0].serial) for r in got] == [(dns.rdatatype.SOA, serial)]


def test_an_unknown_serial_gets_all(primary):
    p = primary(300, **LOCAL)
    p.await_zones()
    got = records(messages(p.port, ixfr_query(NAME, 5)))
    assert len(got) > 600 and got[0] == got[-1]
    assert got[1].rdtype != dns.rdatatype.SOA


def test_changes_over_udp(primary):
    """What fits; else the SOA alone."""
    p = primary(300, **LOCAL)
    p.await_zones()
    old, new = change(p, **{"one.example": "block adult"})

    def ask(serial):
        query = ixfr_query(NAME, serial)
        query.use_edns(0, payload=1232)
        return dns.query.udp(query, "127.0.0.1", port=p.port, timeout=5, one_rr_per_rrset=True)
    answer = ask(old)
    assert [r[0].serial for r in answer.answer if r.rdtype == dns.rdatatype.SOA] == [new, old, new, new]
    change(p, **{f"many{i}.example": "block adult" for i in range(60)})
    answer = ask(old)
    assert [r.rdtype for r in answer.answer] == [dns.rdatatype.SOA]
    assert ask(7).answer == answer.answer
    assert len(records(messages(p.port, ixfr_query(NAME, old)))) > 100


def test_an_ixfr_without_a_serial_is_malformed(primary):
    p = primary(20, **LOCAL)
    p.await_zones()
    assert messages(p.port, dns.message.make_query(NAME, "IXFR"))[0].rcode() == dns.rcode.FORMERR


def test_the_journal_is_bounded(primary):
    p = primary(300, **{"journal-max": 2}, **LOCAL)
    p.await_zones()
    steps = [change(p, **{f"new{i}.example": "block adult"}) for i in range(3)]
    whole = records(messages(p.port, ixfr_query(NAME, steps[0][0])))
    assert [r.rdtype for r in whole].count(dns.rdatatype.SOA) == 2
    kept = records(messages(p.port, ixfr_query(NAME, steps[1][0])))
    assert [r.rdtype for r in kept].count(dns.rdatatype.SOA) == 6


def test_a_serial_never_goes_back(primary):
    p = primary(20, **LOCAL)
    p.await_zones()
    serials = [serial_of(p.port)]
    for i in range(3):
        serials.append(change(p, **{f"new{i}.example": "block adult"})[1])
    p.server.stop()
    p.start()
    p.await_zones()
    serials.append(serial_of(p.port))
    assert serials == sorted(serials)
    assert serials[-1] <= time.time()


def test_what_says_the_same_keeps_its_serial(primary):
    p = primary(20, **LOCAL)
    p.await_zones()
    before = {name: serial_of(p.port, name) for name in (NAME, f"adult.{NAME}", f"gambling.{NAME}", CATALOG)}
    change(p, **{"new.example": "block adult"})
    after = {name: serial_of(p.port, name) for name in before}
    assert {name for name in before if before[name] != after[name]} == {NAME, f"adult.{NAME}"}


def zone_text(zone):
    return "".join(f"{name} {rdataset.ttl} IN {dns.rdatatype.to_text(rdataset.rdtype)} {rdata}\n"
                   for name, rdataset in zone.iterate_rdatasets() for rdata in rdataset)


@pytest.mark.parametrize("digest", ["sha384", "sha512", "both", "none"])
def test_the_digest(primary, tmp_path, digest):
    """As dnspython and ldns compute it."""
    p = primary(300, digest=digest, **LOCAL)
    p.await_zones()
    change(p, **{"new.example": "block adult", p.names[2]: "allow adult"})
    for name in (NAME, f"adult.{NAME}", CATALOG):
        zone = axfr(p.port, name)
        digests = [r for _, _, r in zone.iterate_rdatas("ZONEMD")]
        assert sorted(int(r.hash_algorithm) for r in digests) == \
            {"sha384": [1], "sha512": [2], "both": [1, 2], "none": []}[digest]
        if digest == "none":
            continue
        zone.verify_digest()
        for rdata in digests:
            assert rdata.serial == zone.get_soa().serial
            assert zone.compute_digest(rdata.hash_algorithm) == rdata
        if shutil.which("ldns-verify-zone") is None:
            pytest.skip("ldnsutils is not installed (tools/install-packages test)")
        path = tmp_path / "zone.txt"
        # It wants DNSSEC, too, and says so; that the digest is wrong it says besides.
        path.write_text(zone_text(zone))
        done = subprocess.run(["ldns-verify-zone", "-ZZ", path], capture_output=True, text=True,
                              check=False)
        assert "digest" not in done.stderr and "ZONEMD" not in done.stderr, done.stderr
        path.write_text(zone_text(zone) + f"more.{name}. 60 IN CNAME .\n")
        done = subprocess.run(["ldns-verify-zone", "-ZZ", path], capture_output=True, text=True,
                              check=False)
        assert "digest" in done.stderr


def told(sock, timeout_s=15):
    sock.settimeout(timeout_s)
    wire, peer = sock.recvfrom(4096)
    message = dns.message.from_wire(wire)
    assert message.opcode() == dns.opcode.NOTIFY and not message.flags & dns.flags.QR
    return message, peer


def test_notify(primary):
    """Told of each zone at once, again until it is answered, then no more."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        port = free_port()
        sock.bind(("127.0.0.1", port))
        p = primary(20, notify=[f"127.0.0.1@{port}"], **LOCAL)
        names = {}
        for _ in range(4):
            message, peer = told(sock)
            assert peer == ("127.0.0.1", p.port)
            assert message.question[0].rdtype == dns.rdatatype.SOA
            names[message.question[0].name.to_text()] = message
        assert set(names) == {f"{NAME}.", f"adult.{NAME}.", f"gambling.{NAME}.", f"{CATALOG}."}
        # Answer all but one: that one comes again.
        for name, message in names.items():
            if name != f"{NAME}.":
                sock.sendto(dns.message.make_response(message).to_wire(), peer)
        for wait_s in (2, 4):
            begin = time.monotonic()
            again, _ = told(sock)
            assert again.question[0].name.to_text() == f"{NAME}."
            assert time.monotonic() - begin < wait_s + 1.5
        sock.sendto(dns.message.make_response(again).to_wire(), peer)
        p.await_metric('lindung_zone_notifies_total{outcome="answered"}', 4)
        sock.settimeout(9)
        with pytest.raises(TimeoutError):
            sock.recvfrom(4096)
        change(p, **{"new.example": "block adult"})
        assert {told(sock)[0].question[0].name.to_text() for _ in range(2)} == \
            {f"{NAME}.", f"adult.{NAME}."}


def test_kdig_and_dig(primary, key):
    if shutil.which("kdig") is None or shutil.which("dig") is None:
        pytest.skip("dig and kdig are not installed (tools/install-packages test)")
    p = primary(3000, keys=[str(key.path)])
    p.await_zones()
    for program in ("dig", "kdig"):
        done = subprocess.run([program, "@127.0.0.1", "-p", str(p.port), "-y", f"hmac-sha256:{key.name}:{key.secret}",
                               NAME, "AXFR"],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ransfer failed" not in done.stdout and "WARNING" not in done.stdout + done.stderr
        assert done.stdout.count("CNAME") == 6000


def test_over_tls(primary, key, tmp_path):
    """As RFC 9103 has it: at the port of DNS over TLS, with ALPN "dot"."""
    if shutil.which("kdig") is None:
        pytest.skip("kdig is not installed (tools/install-packages test)")
    authority = tls_room.Authority(tmp_path)
    certificate, private = authority.pair("server")
    port = free_port()
    p = primary(3000, tls={"listen": [f"127.0.0.1@{port}"], "certificate": str(certificate),
                           "key": str(private)}, keys=[str(key.path)])
    p.await_zones()
    done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), f"+tls-ca={authority.path}",
                           f"+tls-hostname={tls_room.NAME}", "-y",
                           f"hmac-sha256:{key.name}:{key.secret}", NAME, "AXFR"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.count("CNAME") == 6000, done.stdout[:300] + done.stderr


def test_a_slow_reader_holds_nobody_up(primary):
    """More than the kernel keeps for him waits: others are answered, and it is sent away."""
    p = primary(60000, long=True, **LOCAL)
    p.await_zones()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", p.port))
        query = dns.message.make_query(NAME, "AXFR").to_wire()
        sock.sendall(struct.pack("!H", len(query)) + query)
        time.sleep(0.5)
        assert p.metric("lindung_zone_transfers") == 1
        for i in range(50):
            assert p.server.query(p.names[i]).rcode() == dns.rcode.NXDOMAIN
        end = time.monotonic() + 60
        while p.metric("lindung_zone_transfers") != 0:
            assert time.monotonic() < end
            time.sleep(0.2)
    assert p.metric("lindung_zone_transfers_aborted_total") == 1


def test_transfers_at_a_time(primary):
    p = primary(60000, long=True, **{"transfers-max": 2}, **LOCAL)
    p.await_zones()
    query = dns.message.make_query(NAME, "AXFR").to_wire()
    socks = []
    for _ in range(2):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", p.port))
        sock.sendall(struct.pack("!H", len(query)) + query)
        socks.append(sock)
    p.await_metric("lindung_zone_transfers", 2)
    assert messages(p.port, dns.message.make_query(NAME, "AXFR"))[0].rcode() == dns.rcode.SERVFAIL
    for sock in socks:
        sock.close()
    end = time.monotonic() + 60
    while p.metric("lindung_zone_transfers") != 0:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert len(records(messages(p.port, dns.message.make_query(NAME, "AXFR")))) == 120004
