# SPDX-License-Identifier: BSD-2-Clause
"""Upstream servers over TLS and HTTPS that the tests play, with certificates of our own."""
import base64
import collections
import contextlib
import datetime
import hashlib
import ipaddress
import socket
import ssl
import struct
import threading
import time

import dns.message
import h2.config
import h2.connection
import h2.events
from serving import Upstream, free_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "dns.example"


class Authority:
    """Issues certificates, and writes them with their keys into a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
        self.path = folder / "authority.pem"
        certificate = self.make(self.name, self.key, ca=True)
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def make(self, subject, key, names=(), days=(-1, 30), ca=False, issuer=None):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject)
                   .issuer_name(issuer or self.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=days[0]))
                   .not_valid_after(now + datetime.timedelta(days=days[1]))
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(key if issuer else self.key, hashes.SHA256())

    def issue(self, name, **options):
        """Files of a certificate and its key; the digest that a pin is made of."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        try:
            names = [x509.IPAddress(ipaddress.ip_address(name))]
        except ValueError:
            names = [x509.DNSName(name)]
        if options.pop("self_signed", False):
            options["issuer"] = subject
        certificate = self.make(subject, key, names, **options)
        path = self.folder / f"{certificate.serial_number}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM,
                                serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption()))
        spki = key.public_key().public_bytes(serialization.Encoding.DER,
                                             serialization.PublicFormat.SubjectPublicKeyInfo)
        return path, base64.b64encode(hashlib.sha256(spki).digest()).decode()


class Peer:
    """A connection, looked after by one thread: TLS in OpenSSL is for one at a time."""

    def __init__(self, sock, server):
        self.sock = sock
        self.sock.settimeout(0.01)
        self.server, self.generation = server, server.generation
        self.due = []
        self.data = b""

    def later(self, delay_s, function, *args):
        self.due.append((time.monotonic() + delay_s, function, args))

    def send(self, data):
        self.sock.settimeout(5)
        self.sock.sendall(data)
        self.sock.settimeout(0.01)

    def receive(self):
        """What comes next; meanwhile what is due is done."""
        while True:
            if not self.server.open or self.generation != self.server.generation:
                raise EOFError
            now = time.monotonic()
            due = [item for item in self.due if item[0] <= now]
            self.due = [item for item in self.due if item[0] > now]
            for _, function, args in due:
                function(*args)
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise EOFError
            return data

    def read(self, size):
        while len(self.data) < size:
            self.data += self.receive()
        data, self.data = self.data[:size], self.data[size:]
        return data


class TlsUpstream:
    """DNS over TLS.  By its first label a name is answered late (late-: 0.3 s), never (silent-),
    with half a message before the connection ends (mid-), with another id (id-) or another question
    (question-), as a frame of one octet (short-), before the one asked earlier (all in any order),
    or at once."""

    protocol = "dot"

    def __init__(self, certificate):
        self.port = free_port()
        self.asked = collections.Counter()
        self.sizes = []
        self.queries = []
        self.connections = 0
        self.resumed = 0
        self.open = True
        self.silent = False
        self.generation = 0  # of connections: those of an earlier one end
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.set_alpn_protocols([self.protocol])
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while self.open:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.guard, args=(peer,), daemon=True).start()

    def guard(self, peer):
        with contextlib.suppress(OSError, EOFError, ValueError, h2.exceptions.ProtocolError):
            peer = self.context.wrap_socket(peer, server_side=True)
            self.connections += 1
            self.resumed += bool(peer.session_reused)
            self.serve(Peer(peer, self))
        peer.close()

    def answer(self, wire):
        """(name, reply) of a query."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text().lower()
        self.asked[name] += 1
        self.sizes.append(len(wire))
        self.queries.append(query)
        return "silent-" if self.silent else name, Upstream.reply(query)

    @staticmethod
    def send(peer, wire):
        peer.send(struct.pack("!H", len(wire)) + wire)

    def serve(self, peer):
        while True:
            wire = peer.read(struct.unpack("!H", peer.read(2))[0])
            name, reply = self.answer(wire)
            wire = reply.to_wire()
            if name.startswith("silent-"):
                continue
            if name.startswith("mid-"):
                peer.send(struct.pack("!H", len(wire)) + wire[:len(wire) // 2])
                return
            if name.startswith("id-"):
                wire = bytes([wire[0] ^ 1]) + wire[1:]
            if name.startswith("question-"):
                wire = wire[:13] + bytes([wire[13] ^ 1]) + wire[14:]
            if name.startswith("short-"):
                wire = b"\0"
            if name.startswith("late-"):
                peer.later(0.3, self.send, peer, wire)
            else:
                self.send(peer, wire)

    def drop(self):
        """End all connections."""
        self.generation += 1

    def close(self):
        self.open = False
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()


class HttpsUpstream(TlsUpstream):
    """DNS over HTTPS.  By its first label: status 500 (500-), a redirect (302-), another type of
    content (html-), no DNS (garbage-), a body without end (endless-), a reset stream (reset-),
    GOAWAY behind the answer (goaway-), octets that are no frame (noise-); late- and silent-."""

    protocol = "h2"

    def __init__(self, certificate):
        self.headers = []
        self.reset = 0
        super().__init__(certificate)

    def serve(self, peer):
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False,
                                                                         header_encoding="utf-8"))
        http.initiate_connection()
        bodies = {}
        peer.send(http.data_to_send())
        while True:
            for event in http.receive_data(peer.receive()):
                if isinstance(event, h2.events.RequestReceived):
                    self.headers.append(dict(event.headers))
                    bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    self.reset += 1
                elif isinstance(event, h2.events.StreamEnded):
                    self.request(peer, http, event.stream_id, bodies.pop(event.stream_id))
            peer.send(http.data_to_send())

    def respond(self, http, stream, wire, status="200", kind="application/dns-message", more=()):
        http.send_headers(stream, [(":status", status), ("content-type", kind), *more])
        http.send_data(stream, wire, end_stream=True)

    def request(self, peer, http, stream, body):
        name, reply = self.answer(body)
        wire = reply.to_wire()
        word = name.split("-")[0]
        if word == "500":
            self.respond(http, stream, b"no", "500")
        elif word == "302":
            self.respond(http, stream, b"", "302", more=[("location", "https://127.0.0.1:1/")])
        elif word == "html":
            self.respond(http, stream, wire, kind="text/html")
        elif word == "garbage":
            self.respond(http, stream, b"garbage")
        elif word == "id":
            self.respond(http, stream, b"\1" + wire[1:])
        elif word == "endless":
            http.send_headers(stream, [(":status", "200"),
                                       ("content-type", "application/dns-message")])
            for _ in range(4):
                http.send_data(stream, b"x" * 16000)
            peer.send(http.data_to_send())
            with contextlib.suppress(h2.exceptions.FlowControlError):
                http.send_data(stream, b"x" * 1500)
        elif word == "reset":
            http.reset_stream(stream, 2)
        elif word == "goaway":
            self.respond(http, stream, wire)
            http.close_connection()
        elif word == "noise":
            peer.send(b"\xff" * 100)
        elif word == "late":
            peer.later(0.3, self.late, peer, http, stream, wire)
        elif word != "silent":
            self.respond(http, stream, wire)

    def late(self, peer, http, stream, wire):
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self.respond(http, stream, wire)
            peer.send(http.data_to_send())


def wait_for_counter(server, metric, value):
    """The part that counts hands its counters over four times a second."""
    wait_for(lambda: server.metrics()[metric] >= value)
    assert server.metrics()[metric] == value


def wait_for(condition, timeout_s=5):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
