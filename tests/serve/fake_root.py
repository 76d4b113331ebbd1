# SPDX-License-Identifier: BSD-2-Clause
"""The DNS root, and all that is below it, in a network of its own (unshare -n): every name has an
address, and one that begins with slow- has it after 40 ms."""
import socket
import subprocess
import threading

import dns.flags
import dns.message
import dns.rrset

ADDRESS = "198.41.0.4"  # a.root-servers.net
ANSWER = "192.0.2.53"


def reply(query):
    message = dns.message.make_response(query)
    message.flags |= dns.flags.AA
    question = query.question[0]
    if question.name == dns.name.root and question.rdtype == 2:
        message.answer.append(dns.rrset.from_text(".", 3600, "IN", "NS", "a.root-servers.net."))
        message.additional.append(
            dns.rrset.from_text("a.root-servers.net.", 3600, "IN", "A", ADDRESS))
    elif question.rdtype == 1 and len(question.name) > 2:
        message.answer.append(dns.rrset.from_text(question.name, 300, "IN", "A", ANSWER))
    else:
        message.authority.append(dns.rrset.from_text(
            ".", 300, "IN", "SOA", "a.root-servers.net. nobody. 1 2 3 4 300"))
    return message


def run(sock):
    while True:
        wire, peer = sock.recvfrom(4096)
        query = dns.message.from_wire(wire)
        slow = query.question[0].name.to_text().lower().startswith("slow-")
        threading.Timer(0.04 if slow else 0, sock.sendto,
                        (reply(query).to_wire(), peer)).start()


def start():
    """Bring the network up, and answer from now on."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((ADDRESS, 53))
    threading.Thread(target=run, args=(sock,), daemon=True).start()
