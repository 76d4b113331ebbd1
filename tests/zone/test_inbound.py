# SPDX-License-Identifier: BSD-2-Clause
"""`lindung transfer`: zones of others in, whole and by what changed, checked before they are kept."""
import socket
import struct
import subprocess
import threading
import time

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from primaries import make_key
from serving import Server
from ports import free_port
from secondaries import NAME, PATH_DIRS, find_program

LOCAL = {"allow": ["127.0.0.1"]}


@pytest.fixture
def transfer(lindung, tmp_path):
    """transfer(port, options, zone=...): to a file; the process that ended."""
    path = tmp_path / "copy.rpz"

    def run(port, *options, zone=NAME):
        return lindung("transfer", "-o", path, *options, f"{zone}@127.0.0.1@{port}")

    run.path = path
    return run


def compiled(lindung, tmp_path, rpz):
    """What names a copy closes, by way of the list reader."""
    image = tmp_path / "copy.ldx"
    done = lindung("compile", "-q", "--no-protected", "-o", image, "-c", "adult", "-f", "rpz", rpz)
    assert done.returncode == 0, done.stderr
    return {line.split("\t")[2] for line in lindung("dump", image).stdout.splitlines()
            if line.startswith("block")}


def test_ours_comes_back(primary, key, transfer, lindung, tmp_path):
    """Through the wire and the reader: the same names."""
    p = primary(2000, keys=[str(key.path)])
    p.await_zones()
    done = transfer(p.port, "--key", key.path, "--digest")
    assert done.returncode == 0, done.stderr
    assert "got whole, as its digest says" in done.stderr
    assert compiled(lindung, tmp_path, transfer.path) == set(p.names)
    assert transfer(p.port, "--key", key.path).returncode == 3
    for i in range(3):
        made = p.metric("lindung_zone_makes_total")
        p.change(**{f"new{i}.example": "block adult", p.names[i]: "remove"})
        p.await_metric("lindung_zone_makes_total", made + 1)
    done = transfer(p.port, "--key", key.path, "--digest")
    assert done.returncode == 0 and "by what changed, as its digest says" in done.stderr
    assert compiled(lindung, tmp_path, transfer.path) == \
        set(p.names[3:]) | {f"new{i}.example" for i in range(3)}


def test_the_wrong_key(primary, key, transfer, tmp_path):
    p = primary(20, keys=[str(key.path)])
    p.await_zones()
    (tmp_path / "wrong").mkdir()
    other = make_key(tmp_path / "wrong", "follower.example")
    done = transfer(p.port, "--key", other.path)
    assert done.returncode == 1 and "BADSIG" in done.stderr
    done = transfer(p.port, "--key", make_key(tmp_path, "stranger.example").path)
    assert done.returncode == 1 and "BADKEY" in done.stderr
    assert transfer(p.port).returncode == 1
    assert not transfer.path.exists()


def test_a_key_that_others_can_read(transfer, key):
    key.path.chmod(0o644)
    done = transfer(1, "--key", key.path)
    assert done.returncode == 1 and "chmod" in done.stderr


def test_a_damaged_copy_is_got_anew(primary, transfer):
    p = primary(200, **LOCAL)
    p.await_zones()
    assert transfer(p.port).returncode == 0
    text = transfer.path.read_text()
    made = p.metric("lindung_zone_makes_total")
    p.change(**{p.names[7]: "remove"})
    p.await_metric("lindung_zone_makes_total", made + 1)
    # One record less than it had: what is taken out is not there.
    lines = [line for line in text.splitlines() if not line.startswith(f"{p.names[7]}.")]
    transfer.path.write_text("\n".join(lines) + "\n")
    done = transfer(p.port)
    assert done.returncode == 0 and "asking for all" in done.stderr and "got whole" in done.stderr
    # One record more: the digest tells.
    made = p.metric("lindung_zone_makes_total")
    p.change(**{p.names[8]: "remove"})
    p.await_metric("lindung_zone_makes_total", made + 1)
    with transfer.path.open("a") as file:
        file.write(f"more.example.{NAME}. 60 IN CNAME .\n")
    done = transfer(p.port)
    assert done.returncode == 0 and "asking for all" in done.stderr
    assert "more.example" not in transfer.path.read_text()


class Liar:
    """A primary that answers every request with these messages."""

    def __init__(self, *answers):
        self.answers = answers
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                size = struct.unpack("!H", peer.recv(2, socket.MSG_WAITALL))[0]
                query = dns.message.from_wire(peer.recv(size, socket.MSG_WAITALL))
                for answer in self.answers:
                    wire = answer(query)
                    peer.sendall(struct.pack("!H", len(wire)) + wire)


def soa(serial):
    return f"{NAME}. 60 IN SOA localhost. nobody.invalid. {serial} 3600 600 604800 60"


def answer(*lines, change=lambda message: None):
    def make(query):
        message = dns.message.make_response(query)
        for line in lines:
            name, ttl, class_, kind, rest = line.split(" ", 4)
            rrset = dns.rrset.from_text(dns.name.from_text(name), int(ttl), class_, kind, rest)
            message.answer.append(rrset)
        change(message)
        return message.to_wire(max_size=65535)
    return make


GOOD = (soa(7), f"a.example.{NAME}. 60 IN CNAME .", f"b.example.{NAME}. 60 IN CNAME rpz-passthru.")


def test_a_plain_primary(transfer):
    liar = Liar(answer(*GOOD), answer(soa(7)))
    done = transfer(liar.port)
    assert done.returncode == 0, done.stderr
    assert f"a.example.{NAME}. 60 IN CNAME .\n" in transfer.path.read_text()


def test_a_primary_with_one_record_a_message(transfer):
    """RFC 5936 section 2.2: asked for all, with the serial that is here, it begins with the SOA alone."""
    one_by_one = [answer(line) for line in (*GOOD, soa(7))]
    assert transfer(Liar(*one_by_one).port).returncode == 0
    before = transfer.path.read_bytes()
    transfer.path.write_text(before.decode().replace("a.example", "x.example"))
    done = transfer(Liar(*one_by_one).port, "--whole")
    assert done.returncode == 0, done.stderr
    assert transfer.path.read_bytes() == before


@pytest.mark.parametrize("rcode", [dns.rcode.NOTIMP, dns.rcode.FORMERR])
def test_a_primary_without_ixfr(transfer, rcode):
    def of_8(query):
        if query.question[0].rdtype == dns.rdatatype.IXFR:
            return answer(change=lambda m: m.set_rcode(rcode))(query)
        return answer(soa(8), *GOOD[1:], soa(8))(query)
    assert transfer(Liar(answer(*GOOD, soa(7))).port).returncode == 0
    done = transfer(Liar(of_8).port)
    assert done.returncode == 0 and "knows no IXFR: asking for all" in done.stderr, done.stderr
    assert " 8 3600 " in transfer.path.read_text()


def test_the_signature_of_a_digest_is_not_digested(transfer):
    """RFC 8976 section 3.3.1.1: a zone that is signed has it, and a digest that fits all the same."""
    def lines(digest):
        return (*GOOD, f"{NAME}. 60 IN NS localhost.",
                f"{NAME}. 60 IN RRSIG ZONEMD 13 2 60 20300101000000 20200101000000 1 {NAME}. c2ln",
                f"{NAME}. 60 IN ZONEMD 7 1 1 {digest}")
    zone = dns.zone.from_text("\n".join(lines("00" * 48)), origin=NAME, relativize=False)
    digest = zone.compute_digest(dns.zone.DigestHashAlgorithm.SHA384).digest.hex()
    done = transfer(Liar(answer(*lines(digest), soa(7))).port, "--digest")
    assert done.returncode == 0 and "as its digest says" in done.stderr, done.stderr


@pytest.mark.parametrize("what,answers", [
    ("begin with a SOA", [answer(*GOOD[1:], soa(7))]),
    ("another SOA", [answer(*GOOD, soa(8))]),
    ("closed the connection", [answer(*GOOD)]),
    ("REFUSED", [answer(change=lambda m: m.set_rcode(dns.rcode.REFUSED))]),
    ("answers nothing", [answer(*GOOD, soa(7), change=lambda m: setattr(m, "id", m.id ^ 1))]),
    ("does not belong", [answer(*GOOD, "a.example. 60 IN CNAME .", soa(7))]),
    ("another zone", [answer(soa(7).replace(NAME, "other.example"), *GOOD[1:], soa(7))]),
    ("not the one", [answer(*GOOD, f"{NAME}. 60 IN ZONEMD 7 1 1 {'00' * 48}", soa(7))]),
    ("behind the end", [answer(*GOOD, soa(7), change=lambda m: m.answer.append(m.answer[1]))]),
    ("malformed|cannot be read", [lambda query: answer(*GOOD)(query)[:-3]]),
    ("cannot be read", [lambda query: b"\0" * 5]),
    ("not signed|cannot be read|closed", [lambda query: b""]),
])
def test_lies(transfer, what, answers):
    """Refused with a reason; the copy that there was stays."""
    assert transfer(Liar(answer(soa(3), *GOOD[1:]), answer(soa(3))).port).returncode == 0
    before = transfer.path.read_bytes()
    done = transfer(Liar(*answers).port, "--whole")
    assert done.returncode == 1
    assert any(part in done.stderr for part in what.split("|")), done.stderr
    assert transfer.path.read_bytes() == before


def test_an_older_zone(transfer):
    assert transfer(Liar(answer(*GOOD), answer(soa(7))).port).returncode == 0
    before = transfer.path.read_bytes()
    for options in ((), ("--whole",)):
        done = transfer(Liar(answer(soa(6), *GOOD[1:]), answer(soa(6))).port, *options)
        assert done.returncode == 1 and "older" in done.stderr
    assert transfer.path.read_bytes() == before


@pytest.mark.skipif(find_program("named") is None, reason="bind9 is not installed")
def test_bind_as_primary(transfer, tmp_path, key, lindung):
    """A policy zone that BIND holds, changed by RFC 2136 updates, with its own journal."""
    port, folder = free_port(), tmp_path / "bind"
    folder.mkdir()
    (folder / "zone.db").write_text(
        f"$ORIGIN {NAME}.\n$TTL 60\n@ SOA localhost. nobody.invalid. 1 3600 600 604800 60\n@ NS localhost.\n"
        + "".join(f"n{i}.closed.example CNAME .\n*.n{i}.closed.example CNAME .\n" for i in range(3000)))
    (folder / "named.conf").write_text(f"""
key "{key.name}" {{ algorithm hmac-sha256; secret "{key.secret}"; }};
options {{
  directory "{folder}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no;
}};
controls {{ }};
zone "{NAME}" {{ type primary; file "zone.db"; check-names ignore;
  allow-transfer {{ key "{key.name}"; }}; allow-update {{ key "{key.name}"; }}; }};
""")
    with open(folder / "log", "wb") as log:
        named = subprocess.Popen([find_program("named"), "-g", "-n", "1", "-c", folder / "named.conf"],
                                 stdout=log, stderr=log, env={"PATH": PATH_DIRS})
    try:
        end = time.monotonic() + 60
        while transfer(port, "--key", key.path).returncode != 0:
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.2)
        names = {f"n{i}.closed.example" for i in range(3000)}
        assert compiled(lindung, tmp_path, transfer.path) == names
        for i in range(5):
            subprocess.run(["nsupdate", "-k", key.path], check=True, text=True,
                           input=f"server 127.0.0.1 {port}\nzone {NAME}\n"
                                 f"update delete n{i}.closed.example.{NAME}\n"
                                 f"update delete *.n{i}.closed.example.{NAME}\n"
                                 f"update add more{i}.example.{NAME} 60 CNAME .\n"
                                 f"update add *.more{i}.example.{NAME} 60 CNAME .\nsend\n")
            names = names - {f"n{i}.closed.example"} | {f"more{i}.example"}
        done = transfer(port, "--key", key.path)
        assert done.returncode == 0 and "by what changed" in done.stderr, done.stderr
        assert compiled(lindung, tmp_path, transfer.path) == names
        assert transfer(port).returncode == 1
    finally:
        named.terminate()
        named.wait(timeout=20)


def test_our_server_follows_theirs(primary, key, lindung, tmp_path):
    """A primary that tells of its changes; a copy that follows it; a server with that list."""
    told = free_port()
    p = primary(300, keys=[str(key.path)], notify=[f"127.0.0.1@{told}"])
    p.await_zones()
    image, copy = tmp_path / "theirs.ldx", tmp_path / "theirs.rpz"
    new = tmp_path / "new.ldx"
    follower = subprocess.Popen(
        [lindung.path, "transfer", "--key", key.path, "--digest", "--follow", "--listen",
         f"127.0.0.1@{told}", "--then",
         f"{lindung.path} compile -q --no-protected -o {new} -c adult -f rpz {copy} && mv {new} {image}",
         "-o", copy, f"{NAME}@127.0.0.1@{p.port}"], stderr=subprocess.PIPE, text=True)
    server = None
    try:
        end = time.monotonic() + 60
        while not image.exists():
            assert time.monotonic() < end and follower.poll() is None
            time.sleep(0.1)
        config = dict(p.config, listen=[f"127.0.0.1@{free_port()}"], zone={},
                      list={"image": str(image)}, metrics={"listen": f"127.0.0.1@{free_port()}"})
        server = Server(lindung.path, config, tmp_path / "theirs.yaml")
        server.says("ready", timeout_s=30)
        assert server.query(p.names[9]).rcode() == dns.rcode.NXDOMAIN
        for i in range(3):
            p.change(**{f"news{i}.example": "block gambling"})
            end = time.monotonic() + 60
            while server.query(f"news{i}.example").rcode() != dns.rcode.NXDOMAIN:
                assert time.monotonic() < end
                time.sleep(0.1)
        # The first transfer was whole, the others were not; NOTIFY was answered, and signed.
        assert p.metric('lindung_zone_answers_total{kind="axfr"}') == 1
        assert p.metric('lindung_zone_answers_total{kind="ixfr"}') == 3
        # One that came while it was at work is answered a second later.
        p.await_metric('lindung_zone_notifies_total{outcome="answered"}', 3)
    finally:
        follower.terminate()
        follower.wait(timeout=10)
        if server is not None:
            server.stop()
