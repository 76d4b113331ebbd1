# SPDX-License-Identifier: BSD-2-Clause
"""TSIG (RFC 8945), seen by dnspython and by hand; and those who mean us ill."""
import hashlib
import hmac
import os
import random
import socket
import struct
import time

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import pytest

from primaries import make_key
from secondaries import NAME

ALGORITHM = b"\x0bhmac-sha256\0"
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22


def signed(key, query, when=None, fudge=300, mac=None, algorithm=ALGORITHM, other=b""):
    """The query's bytes with a TSIG record behind them, and its MAC."""
    import base64
    wire = query.to_wire()
    name = dns.name.from_text(key.name).to_wire()
    when = int(time.time()) if when is None else when
    variables = (name + struct.pack("!HI", 255, 0) + algorithm + struct.pack("!HI", when >> 32, when & 0xffffffff)
                 + struct.pack("!HHH", fudge, 0, len(other)) + other)
    good = hmac.new(base64.b64decode(key.secret), wire + variables, hashlib.sha256).digest()
    mac = good if mac is None else mac(good)
    rdata = (algorithm + struct.pack("!HIHH", when >> 32, when & 0xffffffff, fudge, len(mac)) + mac
             + struct.pack("!HHH", query.id, 0, len(other)) + other)
    record = name + struct.pack("!HHIH", 250, 255, 0, len(rdata)) + rdata
    return wire[:10] + struct.pack("!H", len(query.additional) + 1) + wire[12:] + record, mac


class Tsig:
    """The TSIG record of an answer, taken off and not checked."""

    def __init__(self, rdata):
        _, at = dns.name.from_wire(rdata, 0)
        self.time, size = int.from_bytes(rdata[at:at + 6], "big"), struct.unpack("!H", rdata[at + 8:at + 10])[0]
        self.mac = rdata[at + 10:at + 10 + size]
        at += 10 + size
        self.original_id, self.error, size = struct.unpack("!HHH", rdata[at:at + 6])
        self.other = rdata[at + 6:at + 6 + size]


def opened(wire, **options):
    """The message without its TSIG record, which is its `signature`."""
    counts = struct.unpack("!HHHH", wire[4:12])
    at, begin, signature = 12, None, None
    for i in range(sum(counts)):
        begin = at
        _, used = dns.name.from_wire(wire, at)
        at += used + 4
        if i < counts[0]:
            continue
        kind = struct.unpack("!H", wire[at - 4:at - 2])[0]
        size = struct.unpack("!H", wire[at + 4:at + 6])[0]
        at += 6 + size
        if kind == dns.rdatatype.TSIG:
            assert i == sum(counts) - 1
            signature = Tsig(wire[at - size:at])
            wire = wire[:10] + struct.pack("!H", counts[3] - 1) + wire[12:begin]
    message = dns.message.from_wire(wire, **options)
    message.signature = signature
    return message


def ask(port, wire, tcp=False):
    """The answer, its TSIG not checked."""
    if tcp:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(struct.pack("!H", len(wire)) + wire)
            got = sock.recv(2, socket.MSG_WAITALL)
            got = sock.recv(struct.unpack("!H", got)[0], socket.MSG_WAITALL)
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(wire, ("127.0.0.1", port))
            got = sock.recv(4096)
    return opened(got)


def soa():
    return dns.message.make_query(NAME, "SOA", use_edns=-1)


@pytest.fixture
def guarded(primary, key):
    p = primary(300, keys=[str(key.path)])
    p.await_zones()
    return p


def test_a_good_signature(guarded, key):
    ring = dns.tsigkeyring.from_text({key.name: key.secret})
    query = soa()
    query.use_tsig(ring, algorithm=dns.tsig.HMAC_SHA256)
    answer = dns.query.udp(query, "127.0.0.1", port=guarded.port, timeout=5)
    assert answer.had_tsig and answer.tsig_error == 0 and answer.answer
    assert dns.query.udp(soa(), "127.0.0.1", port=guarded.port, timeout=5).rcode() == dns.rcode.REFUSED


def test_a_stream_is_signed_throughout(primary, key):
    """dnspython checks each message against the one before."""
    p = primary(5000, keys=[str(key.path)])
    p.await_zones()
    ring = dns.tsigkeyring.from_text({key.name: key.secret})
    count = 0
    for message in dns.query.xfr("127.0.0.1", NAME, port=p.port, keyring=ring, timeout=20,
                                 keyalgorithm=dns.tsig.HMAC_SHA256, relativize=False):
        assert message.had_tsig
        count += 1
    assert count > 2


@pytest.mark.parametrize("tcp", [False, True])
def test_errors(guarded, key, tcp, tmp_path):
    """BADSIG and BADKEY are answered unsigned, BADTIME and BADTRUNC signed; NOTAUTH all of them."""
    now = int(time.time())
    stranger = make_key(tmp_path, "stranger.example")
    cases = [
        (signed(key, soa(), mac=lambda m: bytes(32)), BADSIG, 0),
        (signed(key, soa(), mac=lambda m: m[:31] + bytes([m[31] ^ 1])), BADSIG, 0),
        (signed(stranger, soa()), BADKEY, 0),
        (signed(key, soa(), algorithm=b"\x09hmac-sha1\0"), BADKEY, 0),
        (signed(key, soa(), when=now - 301), BADTIME, 32),
        (signed(key, soa(), when=now + 3600), BADTIME, 32),
        (signed(key, soa(), when=now - 11, fudge=10), BADTIME, 32),
        (signed(key, soa(), mac=lambda m: m[:16]), BADTRUNC, 32),
        (signed(key, soa(), mac=lambda m: m[:31]), BADTRUNC, 32),
    ]
    for number, ((wire, _), error, mac_len) in enumerate(cases):
        answer = ask(guarded.port, wire, tcp)
        tsig = answer.signature
        assert answer.rcode() == dns.rcode.NOTAUTH and not answer.answer, number
        assert tsig.error == error and len(tsig.mac) == mac_len, number
        if error == BADTIME:
            assert len(tsig.other) == 6
            assert abs(int.from_bytes(tsig.other, "big") - time.time()) < 5
    assert guarded.metric('lindung_zone_answers_total{kind="bad-signature"}') == len(cases)


def test_within_the_fudge(guarded, key):
    for off in (-295, 295):
        wire, _ = signed(key, soa(), when=int(time.time()) + off)
        assert ask(guarded.port, wire).answer


def test_malformed_signatures(guarded, key):
    """FORMERR: a MAC that is too long or too short; a record that is not the last; two."""
    for mac in (lambda m: m + b"\0", lambda m: m[:15], lambda m: b""):
        assert ask(guarded.port, signed(key, soa(), mac=mac)[0]).rcode() == dns.rcode.FORMERR
    wire, _ = signed(key, soa())
    record = wire[len(soa().to_wire()):]
    twice = wire[:10] + b"\0\2" + wire[12:] + record
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(twice, ("127.0.0.1", guarded.port))
        assert sock.recv(512)[3] & 15 == dns.rcode.FORMERR


def test_a_changed_query(guarded, key):
    """Every octet of it is covered, but the ID, which the record has itself."""
    wire, _ = signed(key, soa())
    chance = random.Random(8)
    for at in chance.sample(range(2, len(soa().to_wire())), 12):
        changed = bytearray(wire)
        changed[at] ^= 1 << chance.randrange(8)
        try:
            answer = ask_quickly(guarded.port, bytes(changed))
        except dns.exception.DNSException:
            continue
        assert answer is None or not any(r.rdtype == dns.rdatatype.SOA for r in answer.answer), at


def ask_quickly(port, wire):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.sendto(wire, ("127.0.0.1", port))
        try:
            return opened(sock.recv(4096))
        except TimeoutError:
            return None


def test_a_replay_is_worth_nothing_later(guarded, key):
    """Within the fudge a request can be sent again: what it gets is what its sender could have. Behind
    that, BADTIME."""
    query = dns.message.make_query(NAME, "AXFR", use_edns=-1)
    wire, _ = signed(key, query, when=int(time.time()) - 299)
    assert ask(guarded.port, wire, tcp=True).answer
    time.sleep(2.1)
    assert ask(guarded.port, wire, tcp=True).signature.error == BADTIME


def refused(primary, path):
    """What a server with that key file says before it ends."""
    with pytest.raises(AssertionError) as failed:
        primary(3, keys=[str(path)])
    return str(failed.value)


def test_key_files(primary, tmp_path, key):
    """What is wrong with one is said, and nothing is served."""
    texts = {
        'key "a.example" { algorithm hmac-md5; secret "QUFBQUFBQUFBQUFBQUFBQQ=="; };': "hmac-sha256",
        'key "a.example" { algorithm hmac-sha256; secret "QUFB"; };': "16 to 128 octets",
        'key "a.example" { algorithm hmac-sha256; secret "****"; };': "base64",
        'key "a.example" { secret "QUFBQUFBQUFBQUFBQUFBQQ=="; };': "algorithm and a secret",
        "nothing": "expected key",
        "": "no key",
        key.path.read_text() * 2: "another key of that name",
    }
    for number, (text, expected) in enumerate(texts.items()):
        path = tmp_path / f"bad{number}.key"
        path.write_text(text)
        path.chmod(0o600)
        said = refused(primary, path)
        assert expected in said and "zone.keys" in said, text
    key.path.chmod(0o644)
    assert "chmod" in refused(primary, key.path)


def test_hostile_clients(guarded, key):
    """Half requests, garbage, many at once: nobody else notices."""
    good, _ = signed(key, dns.message.make_query(NAME, "AXFR", use_edns=-1))
    chance = random.Random(3)
    socks = []
    for i in range(60):
        sock = socket.create_connection(("127.0.0.1", guarded.port), timeout=5)
        wire = struct.pack("!H", len(good)) + good
        if i % 3 == 0:
            sock.sendall(wire[:chance.randrange(1, len(wire))])
        elif i % 3 == 1:
            sock.sendall(wire * 3)  # the next while the first still goes out
        else:
            sock.sendall(struct.pack("!H", 40) + os.urandom(40))
        socks.append(sock)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(500):
            changed = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            sock.sendto(bytes(changed), ("127.0.0.1", guarded.port))
    for name in guarded.names[:30]:
        assert guarded.server.query(name).rcode() == dns.rcode.NXDOMAIN
    for sock in socks:
        sock.close()
    end = time.monotonic() + 15
    while guarded.metric("lindung_zone_transfers") != 0:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert guarded.metric('lindung_process_restarts_total{process="resolver"}') == 0
    assert ask(guarded.port, signed(key, soa())[0]).answer


def test_several_transfers_on_one_connection(guarded, key):
    """One behind the other, each with a chain of its own."""
    wire, _ = signed(key, soa())
    axfr, _ = signed(key, dns.message.make_query(NAME, "AXFR", use_edns=-1))
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=5) as sock:
        for part in (axfr, wire, axfr):
            sock.sendall(struct.pack("!H", len(part)) + part)
        counts, records = [], 0
        while len(counts) < 3:
            size = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))[0]
            message = opened(sock.recv(size, socket.MSG_WAITALL), one_rr_per_rrset=True)
            assert message.rcode() == 0
            records += len(message.answer)
            if message.answer[-1].rdtype == dns.rdatatype.SOA:
                counts.append(records)
                records = 0
        assert counts[0] == counts[2] > 600 and counts[1] == 1
