# SPDX-License-Identifier: BSD-2-Clause
"""Run by test_recursion.py in a network of its own: PROGRAM, CONFIGURATION, PORT."""
import socket
import struct
import subprocess
import sys
import time

import dns.message
import dns.query

import fake_root


def two_wait(where, name):
    """The addresses that the first and the second get who wait for `name`; behind the first, on its
    connection, waits a question that libunbound answers at once."""
    with socket.create_connection(where, timeout=6) as tcp, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
        for asked in (name, "warm.example"):
            wire = dns.message.make_query(asked, "A").to_wire()
            tcp.sendall(struct.pack("!H", len(wire)) + wire)
        time.sleep(0.01)
        second.settimeout(6)
        second.sendto(dns.message.make_query(name, "A").to_wire(), where)
        first, _ = dns.query.receive_tcp(tcp, time.time() + 6)
        dns.query.receive_tcp(tcp, time.time() + 6)
        return [[str(rrset[0]) for rrset in message.answer]
                for message in (first, dns.message.from_wire(second.recv(4096)))]


def main(program, config, port):
    where = ("127.0.0.1", int(port))
    fake_root.start()
    with subprocess.Popen([program, "serve", "-c", config], stderr=subprocess.PIPE,
                          text=True) as server:
        try:
            while "ready" not in server.stderr.readline():
                pass
            for i in range(5):
                query = dns.message.make_query("warm.example", "A")
                dns.query.udp(query, where[0], port=where[1], timeout=6)
                time.sleep(1.1)  # our cache forgets it (cache.ttl-max-s), libunbound's does not
                print(*two_wait(where, f"slow-{i}.example"), sep="; ")
        finally:
            server.terminate()


main(*sys.argv[1:])
