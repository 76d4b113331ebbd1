# SPDX-License-Identifier: BSD-2-Clause
"""A running server, an upstream that the test plays, and what is asked of answers."""
import collections
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.request

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset

from ports import free_port

ANSWER = "192.0.2.53"


class Upstream:
    """A DNS server.  By its first label a name is answered late (late-: 0.3 s), cut over UDP
    (cut-), never (silent-), or at once."""

    def __init__(self):
        self.asked = collections.Counter()
        self.asked_tcp = collections.Counter()
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.open = True
        for run in (self.run_udp, self.run_tcp):
            threading.Thread(target=run, daemon=True).start()

    @staticmethod
    def reply(query):
        reply = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        if question.rdtype == 1:
            reply.answer.append(dns.rrset.from_text(question.name, 300, "IN", "A", ANSWER))
        return reply

    def run_udp(self):
        while self.open:
            try:
                wire, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not self.open:
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text().lower()
            self.asked[name] += 1
            self.take(name, query, wire, peer)

    def take(self, name, query, _wire, peer):
        """Answer one query over UDP, or not."""
        if name.startswith("silent-"):
            return
        reply = self.reply(query)
        if name.startswith("cut-"):
            reply.answer.clear()
            reply.flags |= dns.flags.TC
        if name.startswith("late-"):
            threading.Timer(0.3, self.send, (reply.to_wire(), peer)).start()
        else:
            self.send(reply.to_wire(), peer)

    def send(self, wire, peer):
        with contextlib.suppress(OSError):
            self.udp.sendto(wire, peer)

    def run_tcp(self):
        while self.open:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError, EOFError):
                query, _ = dns.query.receive_tcp(peer, time.time() + 2)
                self.asked_tcp[query.question[0].name.to_text().lower()] += 1
                dns.query.send_tcp(peer, self.reply(query))

    def close(self):
        self.open = False
        # A thread that waits in a call keeps its socket alive: wake it.
        with contextlib.suppress(OSError):
            self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        with contextlib.suppress(OSError):
            self.udp.shutdown(socket.SHUT_RDWR)
        self.udp.close()


class Server:
    """`lindung serve` as a process."""

    def __init__(self, program, config, config_path, prefix=(), env=None):
        self.port = int(config["listen"][0].split("@")[1])
        self.metrics_port = int(config["metrics"]["listen"].split("@")[1])
        config_path.write_text(json.dumps(config))  # JSON is YAML
        self.lines = []
        self.process = subprocess.Popen(
            [*prefix, str(program), "serve", "-c", str(config_path)], stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True, env={**os.environ, **(env or {})})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def says(self, part, timeout_s=10, after=0):
        """Wait for a line with `part` in it; the lines before `after` do not count."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            # Asked first: what it says before it ends is in the lines by then.
            over = self.process.poll() is not None and not self.reader.is_alive()
            for line in self.lines[after:]:
                if part in line:
                    return line
            if over:
                break
            time.sleep(0.01)
        raise AssertionError(f"no line with {part!r} in {self.lines}")

    def query(self, name, rdtype="A", tcp=False, where="127.0.0.1", timeout_s=8, **options):
        options.setdefault("use_edns", 0)
        query = dns.message.make_query(name, rdtype, **options)
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(query, where, port=self.port, timeout=timeout_s)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics",
                                    timeout=5) as page:
            assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = page.read().decode().splitlines()
        return {key: float(value) for key, value in
                (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def kill(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """End it; the seconds it took.  It must end well, without a finding of a sanitizer."""
        start = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        took_s = time.monotonic() - start
        self.reader.join(timeout=5)
        assert status == 0, self.lines
        return took_s


def ede(reply):
    """(code, text) of the Extended DNS Error, or None."""
    for option in reply.options:
        if option.otype == 15:
            data = option.to_wire() or b""
            return struct.unpack("!H", data[:2])[0], data[2:].decode()
    return None


def assert_blocked(reply):
    assert reply.rcode() == dns.rcode.NXDOMAIN, reply
    code, text = ede(reply)
    assert code == 17
    assert "adult" in text


def assert_answered(reply):
    assert reply.rcode() == dns.rcode.NOERROR, reply
    assert [rdata.address for rdata in reply.answer[0]] == [ANSWER]
