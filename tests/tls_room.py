# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority of the test's own, and clients that trust it."""
import datetime
import ipaddress
import socket
import ssl
import struct

import dns.message
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "dns.family.example"


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Signs certificates for 127.0.0.1 and NAME, into a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / "authority.pem"
        self.path.write_bytes(self.sign("Test Authority", self.key.public_key(), None))

    def sign(self, subject, key, names, days=30):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(name_of(subject))
                   .issuer_name(name_of("Test Authority")).public_key(key)
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=100))
                   .not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.BasicConstraints(names is None, None), True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def pair(self, stem, days=30):
        """Make STEM.crt and STEM.key: (certificate, key)."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate_path = self.folder / f"{stem}.crt"
        key_path = self.folder / f"{stem}.key"
        certificate_path.write_bytes(self.sign(stem, key.public_key(), names, days))
        key_path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return certificate_path, key_path

    def context(self, alpn=("dot",), version=None):
        context = ssl.create_default_context(cafile=str(self.path))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if version:
            context.minimum_version = context.maximum_version = version
        return context


def receive(sock, count):
    """Exactly so many octets."""
    data = b""
    while len(data) < count:
        got = sock.recv(count - len(data))
        if not got:
            raise EOFError(f"{len(data)} octets of {count}, then the end")
        data += got
    return data


class Connection:
    """A DNS over TLS client that trusts the authority."""

    def __init__(self, port, context, session=None, name=NAME, timeout_s=5):
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        try:
            self.socket = context.wrap_socket(plain, server_hostname=name, session=session)
        except BaseException:
            plain.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def frame(name, rdtype="A", number=None, **options):
        query = dns.message.make_query(name, rdtype, **{"use_edns": 0, **options})
        if number is not None:
            query.id = number
        wire = query.to_wire()
        return struct.pack("!H", len(wire)) + wire

    def send(self, *names, **options):
        self.socket.sendall(b"".join(self.frame(name, **options) for name in names))

    def reply(self):
        length, = struct.unpack("!H", receive(self.socket, 2))
        return dns.message.from_wire(receive(self.socket, length))

    def query(self, name, **options):
        self.send(name, **options)
        return self.reply()

    def subject(self):
        """Whose certificate was shown."""
        return dict(part[0] for part in self.socket.getpeercert()["subject"])["commonName"]
