# SPDX-License-Identifier: BSD-2-Clause
"""Run by test_dnssec.py in a network of its own: PROGRAM, CONFIGURATION, PORT, FOLDER.

BIND serves a signed root with names that are right, names that were changed after they were signed,
a zone whose signatures have expired, and one that is not signed.  On standard output: what our server
answers to each line of FOLDER/questions, as JSON."""
import json
import pathlib
import re
import subprocess
import sys

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

ADDRESS = "198.41.0.4"  # a.root-servers.net
SOA = "@ 300 IN SOA a.root-servers.net. nobody. 1 3600 600 86400 300\n@ 300 IN NS a.root-servers.net.\n"
ROOT = SOA + f"""a.root-servers.net. 300 IN A {ADDRESS}
expired. 300 IN NS a.root-servers.net.
plain. 300 IN NS a.root-servers.net.
good.example. 300 IN A 192.0.2.53
changed.example. 300 IN A 192.0.2.54
stripped.example. 300 IN A 192.0.2.55
alias.example. 300 IN CNAME listed.example.
listed.example. 300 IN A 192.0.2.66
home.example. 300 IN A 192.168.1.1
"""
CONF = """options { directory "."; listen-on port 53 { 198.41.0.4; }; listen-on-v6 { none; };
 recursion no; pid-file none; session-keyfile none; dnssec-validation no; notify no; };
controls { };
zone "." { type primary; file "root.signed"; };
zone "expired" { type primary; file "expired.signed"; };
zone "plain" { type primary; file "plain"; };
"""


def run(folder, *command):
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def sign(folder, zone, name, *options):
    """FOLDER/NAME becomes FOLDER/NAME.signed; its DS records are in dsset-NAME."""
    for kind in ([], ["-f", "KSK"]):
        run(folder, "dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", *kind, "-n", "ZONE", zone)
    run(folder, "dnssec-signzone", "-O", "full", "-S", "-o", zone, "-f", f"{name}.signed", *options, name)


def make_zones(folder):
    (folder / "plain").write_text(SOA + "www 300 IN A 192.0.2.57\n")
    (folder / "expired").write_text(SOA + "www 300 IN A 192.0.2.56\n")
    sign(folder, "expired", "expired", "-P", "-s", "20200101000000", "-e", "20200201000000")
    (folder / "root").write_text(ROOT + (folder / "dsset-expired.").read_text())
    sign(folder, ".", "root")
    signed = (folder / "root.signed").read_text()
    signed, changed = re.subn(r"192\.0\.2\.54$", "192.0.2.99", signed, flags=re.MULTILINE)
    signed, stripped = re.subn(r"^stripped\.example\.\s+300\s+IN\s+RRSIG\s+A .*\n", "", signed,
                               flags=re.MULTILINE)
    assert changed == 1 and stripped == 1, signed
    (folder / "root.signed").write_text(signed)
    (folder / "anchor").write_text((folder / "dsset-.").read_text())
    (folder / "named.conf").write_text(CONF)


def ask(where, name, rdtype, do, flags):
    query = dns.message.make_query(name, rdtype, use_edns=0, want_dnssec=do)
    query.flags = dns.flags.RD | flags
    reply = dns.query.udp(query, where[0], port=where[1], timeout=8)
    edes = [[int.from_bytes(d[:2], "big"), d[2:].decode()]
            for d in (o.to_wire() for o in reply.options if o.otype == 15)]
    return {"rcode": dns.rcode.to_text(reply.rcode()), "edes": edes,
            "flags": dns.flags.to_text(reply.flags).split(), "do": bool(reply.ednsflags & dns.flags.DO),
            "answer": [[dns.rdatatype.to_text(r.rdtype), r[0].to_text()] for r in reply.answer],
            "authority": [dns.rdatatype.to_text(r.rdtype) for r in reply.authority]}


def ask_more(program, config, where, questions, answers):
    """One run of the server: ask on behind the `answers` that are there, each question twice, from
    upstream and from the cache.  The run ends where it could not ask (EDE 22, 23): libunbound gives
    a server as near as this one 50 ms, and on a busy machine remembers it as dead."""
    with subprocess.Popen([program, "serve", "-c", config], stderr=subprocess.PIPE,
                          text=True) as server:
        try:
            for line in server.stderr:
                if "ready" in line:
                    break
            for question in questions[len(answers):]:
                pair = [ask(where, *question), ask(where, *question)]
                if {22, 23} & {code for answer in pair for code, _ in answer["edes"]}:
                    return
                answers.append(pair)
        finally:
            server.terminate()


def main(program, config, port, folder):
    folder = pathlib.Path(folder)
    run(folder, "ip", "link", "set", "lo", "up")
    run(folder, "ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
    make_zones(folder)
    questions = json.loads((folder / "questions").read_text())
    with subprocess.Popen(["named", "-g", "-c", "named.conf"], cwd=folder,
                          stderr=subprocess.PIPE, text=True) as named:
        try:
            for line in named.stderr:
                assert "exiting" not in line, line
                if line.rstrip().endswith("running"):
                    break
            answers = []
            for _ in range(40):
                ask_more(program, config, ("127.0.0.1", int(port)), questions, answers)
                if len(answers) == len(questions):
                    break
            assert len(answers) == len(questions), \
                f"in 40 runs of the server {questions[len(answers)]} was not answered"
            print(json.dumps(answers))
        finally:
            named.terminate()


main(*sys.argv[1:])
