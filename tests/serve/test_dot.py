# SPDX-License-Identifier: BSD-2-Clause
"""DNS over TLS (RFC 7858, RFC 8310): what is asked and answered, and what a stranger may not."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import dns.edns
import dns.message
import pytest

from serving import assert_answered, assert_blocked, free_port
from tls_room import NAME, Authority, Connection, receive


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def tls_config(config, authority):
    """The configuration, with DNS over TLS on a free port."""
    certificate, key = authority.pair("first")
    config["tls"] = {"listen": [f"127.0.0.1@{free_port()}"], "certificate": str(certificate),
                     "key": str(key)}
    return config


def port_of(config):
    return int(config["tls"]["listen"][0].split("@")[1])


@pytest.fixture
def dot(serve, tls_config, authority):
    """A server, and a way to connect to it: dot.connect()."""

    def start(**options):
        tls_config["tls"].update(options)
        server = serve(tls_config)
        context = authority.context()
        server.tls_port = port_of(tls_config)
        server.connect = lambda c=context, **more: Connection(server.tls_port, c, **more)
        server.context = context
        return server

    return start


def count(server, metric, transport="tls"):
    return server.metrics()[f'lindung_{metric}{{transport="{transport}"}}']


def is_closed(sock, timeout_s):
    """The other side closes it within that time, whatever it sends before."""
    sock.settimeout(timeout_s)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def kdig(port, *arguments):
    return subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), *arguments], text=True,
                          capture_output=True, timeout=20, check=False).stdout


def s_client(port, *arguments, stdin=b""):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments],
                          input=stdin, capture_output=True, timeout=20, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


# ---- Questions and answers ------------------------------------------------------------------

def test_blocked_and_answered(dot):
    server = dot()
    server.says(f"listening (TLS) on 127.0.0.1 port {server.tls_port}")
    server.says(f"for {NAME}, 127.0.0.1, until ")
    with server.connect() as client:
        assert client.socket.version() == "TLSv1.3"
        assert client.socket.selected_alpn_protocol() == "dot"
        assert_blocked(client.query("listed.example"))
        assert_answered(client.query("www.unlisted.example"))
        assert_answered(client.query("late-1.unlisted.example"))
        assert count(server, "connections") == 1
    assert server.metrics()['lindung_queries_total{transport="tls"}'] == 3


@pytest.mark.skipif(not shutil.which("kdig"), reason="no kdig (Debian's knot-dnsutils)")
def test_kdig_with_a_strict_profile(dot, authority):
    """RFC 8310: name and certificate are checked."""
    server = dot()
    trust = (f"+tls-ca={authority.path}", f"+tls-hostname={NAME}")
    assert "NXDOMAIN" in kdig(server.tls_port, *trust, "listed.example")
    assert "192.0.2.53" in kdig(server.tls_port, *trust, "www.unlisted.example")
    assert "NXDOMAIN" not in kdig(server.tls_port, f"+tls-ca={authority.path}",
                                  "+tls-hostname=other.example", "listed.example")


def test_out_of_order_and_pipelined(dot):
    """RFC 7766 section 7: what is known is answered before what was asked first."""
    server = dot()
    with server.connect() as client:
        client.send("late-1.example", number=1)
        frames = [client.frame("listed.example", number=2 + i) for i in range(90)]
        client.socket.sendall(b"".join(frames))
        replies = [client.reply() for _ in range(91)]
    assert [reply.id for reply in replies] == [*range(2, 92), 1]
    assert_blocked(replies[0])
    assert_answered(replies[-1])


class Records:
    """A client that decides itself what goes over the wire when."""

    def __init__(self, server):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = server.context.wrap_bio(self.incoming, self.outgoing, server_hostname=NAME)
        self.socket = socket.create_connection(("127.0.0.1", server.tls_port), timeout=5)
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                self.incoming.write(self.socket.recv(65536))
        self.socket.sendall(self.outgoing.read())
        time.sleep(0.2)
        self.incoming.write(self.socket.recv(65536))  # the session ticket

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def seal(self, data):
        """The record for this."""
        self.tls.write(data)
        return self.outgoing.read()


@pytest.mark.parametrize("together", [True, False])
def test_answers_of_a_turn_share_a_record(dot, together):
    """Thirty answers, one or two TLS records: not one each, however the queries came."""
    server = dot()
    with Records(server) as client:
        frames = [Connection.frame("listed.example") for _ in range(30)]
        client.socket.sendall(client.seal(b"".join(frames)) if together
                              else b"".join(client.seal(frame) for frame in frames))
        time.sleep(0.3)
        data = client.socket.recv(65536)
    records = 0
    while data:
        records += 1
        data = data[5 + struct.unpack("!H", data[3:5])[0]:]
    assert 1 <= records <= 2


def cpu_s(process):
    """Processor time of it and its children."""
    total = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if process.pid in (int(path.parent.name), int(fields[1])):
                total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def test_half_a_record_costs_nothing(dot):
    """It is waited for, not looked at again and again."""
    server = dot()
    with Records(server) as client:
        record = client.seal(Connection.frame("listed.example"))
        client.socket.sendall(record[:20])
        before = cpu_s(server.process)
        time.sleep(1)
        assert cpu_s(server.process) - before < 0.3
        client.socket.sendall(record[20:])
        client.incoming.write(client.socket.recv(65536))
        assert_blocked(dns.message.from_wire(client.tls.read(65536)[2:]))


def test_keepalive_tells_the_time_of_tls(dot):
    """RFC 7828, in units of 100 ms."""
    server = dot(**{"idle-ms": 45000})
    with server.connect() as client:
        reply = client.query("listed.example", options=[dns.edns.GenericOption(11, b"")])
    assert [option.data for option in reply.options if option.otype == 11] == [b"\x01\xc2"]


def test_octet_by_octet(dot):
    server = dot()
    with server.connect() as client:
        for octet in client.frame("listed.example"):
            client.socket.sendall(bytes([octet]))
        assert_blocked(client.reply())


# ---- The handshake -------------------------------------------------------------------------

@pytest.mark.parametrize("version,good", [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True),
                                          ("-tls1_3", True)])
def test_versions(dot, version, good):
    server = dot()
    text = s_client(server.tls_port, version, "-cipher", "ALL:@SECLEVEL=0")
    assert ("Cipher is (NONE)" not in text and "New, TLSv1" in text) == good, text
    assert count(server, "handshakes_failed_total") == (0 if good else 1)


@pytest.mark.parametrize("cipher", ["AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA256",
                                    "ECDHE-ECDSA-AES256-SHA", "DHE-RSA-AES256-GCM-SHA384"])
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(dot, cipher):
    server = dot()
    assert "Cipher is (NONE)" in s_client(server.tls_port, "-tls1_2", "-cipher", cipher)


@pytest.mark.parametrize("offered,got", [("dot", "ALPN protocol: dot"),
                                         ("h2,dot", "ALPN protocol: dot"),
                                         ("h2", "no application protocol"),
                                         (None, "No ALPN negotiated")])
def test_alpn(dot, offered, got):
    """RFC 7301 section 3.2; a client that names no protocol is an opportunistic one."""
    server = dot()
    text = s_client(server.tls_port, *(("-alpn", offered) if offered else ()))
    assert got in text, text


def test_no_renegotiation(dot):
    server = dot()
    text = s_client(server.tls_port, "-tls1_2", stdin=b"R\n")
    assert "no renegotiation" in text, text


def test_key_updates_are_bounded(dot):
    server = dot()
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-tls1_3"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(BrokenPipeError):
        for _ in range(100):
            process.stdin.write(b"k\n")
            process.stdin.flush()
            time.sleep(0.005)
    process.wait(timeout=10)
    assert count(server, "connections_broken_total") == 1


def test_early_data_is_not_taken(dot):
    server = dot(**{"idle-ms": 500})
    text = s_client(server.tls_port, "-tls1_3", "-ign_eof", stdin=b"\0")
    assert "Max Early Data: 0" in text, text


# ---- Sessions ------------------------------------------------------------------------------

def session_of(client):
    """The ticket comes with the first answer, if not before."""
    assert_blocked(client.query("listed.example"))
    assert client.socket.session.has_ticket
    return client.socket.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumption_on_every_thread(dot, authority, version):
    server = dot()
    context = authority.context(version=version)
    with server.connect(context) as client:
        session = session_of(client)
    # Which of the two threads takes a connection is the kernel's choice.
    for _ in range(12):
        with server.connect(context, session=session) as client:
            assert client.socket.session_reused
            assert_blocked(client.query("listed.example"))
    assert count(server, "handshakes_resumed_total") == 12


def test_ticket_keys_rotate(dot):
    """A ticket outlives one change of the key, and not two."""
    server = dot(**{"ticket-rotate-s": 2})
    with server.connect() as client:
        session = session_of(client)
    time.sleep(2.2)
    with server.connect(session=session) as client:
        assert client.socket.session_reused
        fresh = session_of(client)  # under the new key
    time.sleep(2.0)
    with server.connect(session=session) as client:
        assert not client.socket.session_reused
    with server.connect(session=fresh) as client:
        assert client.socket.session_reused


def test_resumption_outlives_a_new_certificate(dot, authority, tls_config):
    server = dot()
    with server.connect() as client:
        session = session_of(client)
    replace(authority, tls_config, "second")
    server.says("now shown")
    with server.connect(session=session) as client:
        assert client.socket.session_reused


# ---- The certificate -----------------------------------------------------------------------

def replace(authority, config, stem, **options):
    """Put another pair in the place of the one in use."""
    for new, place in zip(authority.pair(stem, **options),
                          (config["tls"]["certificate"], config["tls"]["key"])):
        os.replace(new, place)


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_start_without_a_certificate_says_what_to_do(serve, tls_config, missing):
    del tls_config["tls"][missing]
    server = serve(tls_config, ready=False)
    assert server.process.wait(timeout=10) == 1
    server.says(f"tls.{missing} is not set, but tls.listen")


def test_start_with_files_that_are_not_there_or_not_that(serve, tls_config, authority):
    other, _ = authority.pair("other")
    certificate, key = tls_config["tls"]["certificate"], tls_config["tls"]["key"]
    for change, message in ({"certificate": certificate + ".none"}, "No such file"), \
            ({"certificate": key}, "no certificate in it"), \
            ({"key": certificate}, "no private key in it"), \
            ({"certificate": str(other)}, "not the key of the certificate in"):
        tls_config["tls"].update({"certificate": certificate, "key": key, **change})
        server = serve(tls_config, ready=False)
        assert server.process.wait(timeout=10) == 1
        server.says(message)


def test_new_certificate_is_shown_and_connections_stay(dot, authority, tls_config):
    server = dot()
    with server.connect() as before:
        assert before.subject() == "first"
        replace(authority, tls_config, "second")
        server.says("first.crt: now shown: for")
        with server.connect() as after:
            assert after.subject() == "second"
        assert_blocked(before.query("listed.example"))
    assert server.metrics()["lindung_certificate_loads_total"] == 2


def test_sighup_loads_the_certificate(dot, authority, tls_config):
    server = dot()
    replace(authority, tls_config, "second")
    server.kill(signal.SIGHUP)
    server.says("now shown")
    with server.connect() as client:
        assert client.subject() == "second"


def test_bad_certificate_is_refused_and_the_old_one_kept(dot, authority, tls_config):
    server = dot()
    for text, message in ((b"garbage", "no certificate in it"),
                          (authority.pair("other")[0].read_bytes(), "not the key of"),
                          (b"", "no certificate in it")):
        said = len(server.lines)
        (authority.folder / "new").write_bytes(text)
        os.replace(authority.folder / "new", tls_config["tls"]["certificate"])
        line = server.says(message, after=said)
        assert re.search(r"the certificate before stays: for dns\.family\.example", line)
        with server.connect() as client:
            assert client.subject() == "first"
    replace(authority, tls_config, "expired", days=-1)
    server.says("the certificate has expired")
    with server.connect() as client:
        assert client.subject() == "first"
    assert server.metrics()["lindung_certificate_load_failures_total"] >= 4


def test_no_query_is_lost_while_certificates_change(dot, authority, tls_config):
    server = dot()
    stop, failures, done = threading.Event(), [], [0, 0]

    def kept(i):
        with server.connect() as client:
            while not stop.is_set():
                assert_blocked(client.query("listed.example"))
                done[0] += 1

    def fresh(i):
        while not stop.is_set():
            with server.connect() as client:
                assert_blocked(client.query("listed.example"))
            done[1] += 1

    def guarded(run, i):
        try:
            run(i)
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(run, i))
               for i, run in enumerate((kept, kept, fresh, fresh))]
    for thread in threads:
        thread.start()
    for i in range(4):
        said = len(server.lines)
        replace(authority, tls_config, f"next-{i}")
        server.says("now shown", after=said)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert min(done) > 10


# ---- Strangers -----------------------------------------------------------------------------

def test_plain_text_on_the_tls_port(dot):
    server = dot()
    for text in (b"GET / HTTP/1.1\r\n\r\n", Connection.frame("listed.example"), b"\0" * 5000,
                 b"\x16\x03\x01\xff\xff" + b"\xff" * 20000):
        with socket.create_connection(("127.0.0.1", server.tls_port), timeout=5) as sock:
            sock.sendall(text)
            assert is_closed(sock, 3)
    assert count(server, "handshakes_failed_total") == 4
    with server.connect() as client:
        assert_blocked(client.query("listed.example"))


def test_half_handshakes_end(dot):
    """However they trickle: the time is that of the whole handshake."""
    server = dot(**{"handshake-ms": 700})
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    with socket.create_connection(("127.0.0.1", server.tls_port)) as silent, \
            socket.create_connection(("127.0.0.1", server.tls_port)) as slow:
        start = time.monotonic()
        slow.sendall(hello)
        while time.monotonic() < start + 2:
            try:
                slow.sendall(b"\0")
            except OSError:
                break
            time.sleep(0.05)
        assert 0.6 < time.monotonic() - start < 1.5
        assert is_closed(silent, 1)
    assert count(server, "handshakes_failed_total") == 2
    assert count(server, "connections") == 0


def test_idle_connections_end(dot):
    server = dot(**{"idle-ms": 500})
    with server.connect() as idle, server.connect() as slowloris, server.connect() as busy:
        frame = slowloris.frame("listed.example")
        for i in range(8):
            assert_blocked(busy.query("listed.example"))
            with contextlib.suppress(OSError):
                slowloris.socket.sendall(frame[i:i + 1])
            time.sleep(0.12)
        assert is_closed(idle.socket, 1)
        assert is_closed(slowloris.socket, 1)
        assert_blocked(busy.query("listed.example"))
    assert count(server, "connections_expired_total") == 2


def test_slow_reader_ends(dot):
    server = dot(**{"idle-ms": 600})
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(("127.0.0.1", server.tls_port))
        plain.settimeout(0.3)
        with server.context.wrap_socket(plain, server_hostname=NAME) as tls:
            with contextlib.suppress(OSError):
                for _ in range(2000):
                    tls.sendall(Connection.frame("listed.example") * 50)
            time.sleep(1.5)
            assert count(server, "connections") == 0


def test_one_client_has_its_share(serve, tls_config, authority):
    """The next connection takes the place of the client's own that idles longest."""
    tls_config["tcp"] = {"client-connections-max": 4}
    tls_config["threads"] = 1
    server = serve(tls_config)
    context = authority.context()
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(6):
            clients.append(stack.enter_context(Connection(port_of(tls_config), context)))
            assert_blocked(clients[-1].query("listed.example"))
        assert count(server, "connections") == 4
        for client in clients[:2]:
            assert is_closed(client.socket, 1)
        for client in clients[2:]:
            assert_blocked(client.query("listed.example"))
        # TCP and TLS count together, and who is waited for does not give way.
        for client in clients[2:]:
            client.send("silent-1.example")
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            assert is_closed(plain, 1)
        assert count(server, "connections_refused_total", "tcp") == 1


def test_half_handshakes_do_not_crowd_out_others(serve, tls_config, authority):
    """They have half of the places at most, and make room for one another."""
    tls_config["threads"] = 1
    tls_config["tls"]["connections-max"] = 8
    server = serve(tls_config)
    context = authority.context()
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(Connection(port_of(tls_config), context)) for _ in range(3)]
        for client in kept:
            assert_blocked(client.query("listed.example"))
        for _ in range(40):
            sock = stack.enter_context(
                socket.create_connection(("127.0.0.1", port_of(tls_config))))
            sock.sendall(b"\x16\x03\x01")
        for client in kept:
            assert_blocked(client.query("listed.example"))
        with Connection(port_of(tls_config), context) as late:
            assert_blocked(late.query("listed.example"))
        assert count(server, "connections") <= 8


def test_goodbye_is_said(dot):
    """Closing for idleness is no truncation (RFC 8446 section 6.1)."""
    server = dot(**{"idle-ms": 300})
    context = server.context
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    with server.connect() as client:
        client.socket.suppress_ragged_eofs = False
        assert_blocked(client.query("listed.example"))
        with pytest.raises(EOFError):
            receive(client.socket, 1)
