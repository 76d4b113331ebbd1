# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are compared: ours and those that read response policy zones, each in a folder of
its own on a free port of 127.0.0.1, all asking one upstream, which knows every name.

The upstream is a process of its own (this file, started as a program): it has an answer for every
name but those whose first label begins with "nx-", and an alias for those that begin with "alias-"."""
import asyncio
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import time
import zlib

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

# Also run as a program, from which the folder above is not seen.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from ports import free_port  # noqa: E402

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
A, CNAME, SOA, TXT, AAAA = 1, 5, 6, 16, 28
NXDOMAIN = 3


# ---- The upstream -------------------------------------------------------------------------------

def record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, 300, len(data)) + data


def labels_of(wire, at=12):
    labels = []
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]])
        at += 1 + wire[at]
    return labels, at + 5


def wire_of(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def upstream_reply(query):
    """An answer made from the name alone."""
    labels, end = labels_of(query)
    kind = struct.unpack("!H", query[end - 4:end - 2])[0]
    lower = [label.lower() for label in labels]
    number = zlib.crc32(b".".join(lower))
    answers, rcode, owner = [], 0, b"\xc0\x0c"
    if lower and lower[0].startswith(b"nx-"):
        rcode = NXDOMAIN
    elif len(lower) > 2 and lower[0].startswith(b"alias-"):
        target = lower[1].replace(b"--", b".").split(b".")
        answers.append(record(owner, CNAME, wire_of(target)))
        owner = wire_of(target)
        number = zlib.crc32(b".".join(target))
    if rcode == 0 and kind == A:
        answers.append(record(owner, A, bytes([198, 51, 100, number % 250 + 1])))
    elif rcode == 0 and kind == AAAA:
        answers.append(record(owner, AAAA, b"\x20\x01\x0d\xb8" + bytes(8) + number.to_bytes(4, "big")))
    elif rcode == 0 and kind == TXT:
        answers.append(record(owner, TXT, b"\x04text"))
    authority = b""
    if rcode or not answers or kind not in (A, AAAA, TXT):
        # A zone for every two last labels: from an NXDOMAIN of the root PowerDNS concludes too much.
        authority = record(wire_of(labels[-2:]), SOA, b"\0\0" + struct.pack("!IIIII", 1, 3600, 600, 86400, 60))
    header = query[:2] + struct.pack("!HHHHH", 0x8480 | (query[2] & 1) << 8 | rcode, 1, len(answers),
                                     1 if authority else 0, 0)
    return header + query[12:end] + b"".join(answers) + authority


def upstream_main(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", port))
    print("ready", flush=True)
    while True:
        query, peer = sock.recvfrom(4096)
        sock.sendto(upstream_reply(query), peer)


# ---- The client ---------------------------------------------------------------------------------

class Client(asyncio.DatagramProtocol):
    """Asks many questions, WINDOW of them at a time, and asks again what got no answer in TRY_S."""

    WINDOW, TRY_S, TRIES = 200, 3, 4

    def __init__(self):
        self.waiting = {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        future = self.waiting.get(data[:2])
        if future is not None and not future.done():
            future.set_result(data)

    async def ask(self, number, question):
        name, kind = question
        ident = (number % 65536).to_bytes(2, "big")
        query = ident + b"\x01\x00\0\x01\0\0\0\0\0\0" + name.to_wire() + struct.pack("!HH", kind, 1)
        for _ in range(self.TRIES):
            self.waiting[ident] = asyncio.get_running_loop().create_future()
            self.transport.sendto(query)
            try:
                return await asyncio.wait_for(self.waiting[ident], self.TRY_S)
            except asyncio.TimeoutError:
                continue
            finally:
                del self.waiting[ident]
        return None


async def ask_all_async(port, questions):
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", port))
    answers = [None] * len(questions)
    numbers = iter(range(len(questions)))

    async def worker():
        for number in numbers:
            answers[number] = await client.ask(number, questions[number])

    await asyncio.gather(*(worker() for _ in range(client.WINDOW)))
    transport.close()
    return answers


def ask_all(port, questions):
    """[(dns.name.Name, type)] -> the answers' bytes; None where none came."""
    return asyncio.run(ask_all_async(port, questions))


def said(answer):
    """What matters of an answer: rcode, and the records of the answer section in any order."""
    if answer is None:
        return "no answer", ()
    message = dns.message.from_wire(answer, ignore_trailing=True)
    records = [(rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype),
                rdata.to_text().lower()) for rrset in message.answer for rdata in rrset]
    return dns.rcode.to_text(message.rcode()), tuple(sorted(records))


# ---- The servers --------------------------------------------------------------------------------

class Server:
    """A process that is ended at the end."""

    program = None
    loaded = ""  # what the log says when the whole zone is in force

    def __init__(self, folder, zone, upstream_port):
        self.folder, self.zone, self.upstream_port = folder, zone, upstream_port
        self.port = free_port()
        folder.mkdir()
        self.process = None

    @classmethod
    def find(cls):
        return shutil.which(cls.program, path=PATH)

    def start(self, command):
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([str(word) for word in command], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def wait(self, name, timeout_s):
        """Until `name` is closed.  The seconds that it took."""
        begin = time.monotonic()
        question = [(dns.name.from_text(name), A)]
        while time.monotonic() < begin + timeout_s:
            if self.process.poll() is not None:
                break
            if (self.loaded in (self.folder / "log").read_text(errors="replace")
                    and said(asyncio.run(self.probe(question)))[0] == "NXDOMAIN"):
                return time.monotonic() - begin
            time.sleep(0.1)
        raise AssertionError(f"{type(self).__name__} does not answer:\n"
                             + (self.folder / "log").read_text(errors="replace")[-2000:])

    async def probe(self, question):
        class Once(Client):
            TRY_S, TRIES = 0.5, 1
        transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
            Once, remote_addr=("127.0.0.1", self.port))
        try:
            return await client.ask(1, question[0])
        finally:
            transport.close()

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Lindung(Server):
    """Ours."""

    def run(self, program, image):
        config = {
            "listen": [f"127.0.0.1@{self.port}"],
            "threads": 1,
            "list": {"image": str(image)},
            "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{self.upstream_port}"]},
            "metrics": {"listen": f"127.0.0.1@{free_port()}"},
        }
        path = self.folder / "lindung.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        self.start([program, "serve", "-c", path])


class Unbound(Server):
    program = "unbound"

    def run(self):
        path = self.folder / "unbound.conf"
        path.write_text(f"""
server:
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: "{self.folder}/pid"
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1@{self.port}
  num-threads: 1
  module-config: "respip iterator"
  do-not-query-localhost: no
  do-ip6: no
  minimal-responses: yes
remote-control:
  control-enable: no
rpz:
  name: rpz.lindung
  zonefile: "{self.zone}"
forward-zone:
  name: .
  forward-addr: 127.0.0.1@{self.upstream_port}
""")
        self.start([self.find(), "-d", "-p", "-c", path])


class Bind(Server):
    program = "named"
    loaded = "rpz.lindung: reload done: success"  # till then it knows the first names alone

    def run(self):
        path = self.folder / "named.conf"
        path.write_text(f"""
options {{
  directory "{self.folder}";
  pid-file none; session-keyfile none; lock-file none;
  listen-on port {self.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion yes;
  forward only;
  forwarders {{ 127.0.0.1 port {self.upstream_port}; }};
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses yes;
  notify no;
  response-policy {{ zone "rpz.lindung" min-update-interval 0; }}
    qname-wait-recurse no nsip-enable no nsdname-enable no break-dnssec yes;
}};
controls {{ }};
zone "rpz.lindung" {{ type primary; file "{self.zone}"; check-names ignore; }};
""")
        self.start([self.find(), "-g", "-n", "1", "-U", "1", "-c", path])


class Knot(Server):
    program = "kresd"

    def run(self):
        path = self.folder / "kresd.conf"
        path.write_text(f"""
log_level('notice')
net.listen('127.0.0.1', {self.port}, {{ kind = 'dns' }})
cache.open(100 * MB, 'lmdb://{self.folder}/cache')
trust_anchors.remove('.')
modules = {{ 'policy' }}
local zone = policy.rpz(policy.DENY, '{self.zone}', false)
local forward = policy.FORWARD({{ '127.0.0.1@{self.upstream_port}' }})
-- What the zone lets pass would end the search for a rule, and with it go to the root servers.
policy.add(function (request, query)
	local action = zone(request, query)
	return action ~= policy.PASS and action or forward
end)
""")
        self.start([self.find(), "-n", "-c", path, self.folder])


class PowerDns(Server):
    program = "pdns_recursor"

    def run(self):
        (self.folder / "rpz.lua").write_text(f'rpzFile("{self.zone}", {{ policyName = "rpz" }})\n')
        (self.folder / "recursor.conf").write_text(f"""
config-dir={self.folder}
socket-dir={self.folder}
local-address=127.0.0.1
local-port={self.port}
daemon=no
disable-syslog=yes
quiet=yes
loglevel=4
security-poll-suffix=
threads=1
dnssec=off
dont-query=
forward-zones-recurse=.=127.0.0.1:{self.upstream_port}
lua-config-file={self.folder}/rpz.lua
""")
        self.start([self.find(), f"--config-dir={self.folder}"])


if __name__ == "__main__":
    upstream_main(int(sys.argv[1]))
