# SPDX-License-Identifier: BSD-2-Clause
"""Run by test_deb.py in a network of its own: ROOT, a system with the package installed.  Starts the
server as its unit would, as far as that goes without systemd, and asks it on port 53."""
import configparser
import pathlib
import shlex
import subprocess
import sys

import dns.message
import dns.query
import dns.rcode


def command_of(root):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(root / "lib/systemd/system/lindung.service")
    service = unit["Service"]
    caps = service["AmbientCapabilities"].replace("CAP_", "+").lower()
    assert service["CapabilityBoundingSet"].replace("CAP_", "+").lower() == caps
    return ["chroot", str(root), "setpriv", f"--reuid={service['User']}", "--regid=lindung",
            "--clear-groups", f"--inh-caps=-all,{caps}", f"--ambient-caps=-all,{caps}",
            f"--bounding-set=-all,{caps}", "--no-new-privs", *shlex.split(service["ExecStart"])]


def main(root, listed):
    root = pathlib.Path(root)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    with subprocess.Popen(command_of(root), stderr=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stderr:
                print(line, end="")
                if "ready" in line:
                    break
            status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
            uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
            print(f"uid {uid}")
            for where in ("127.0.0.1", "::1"):
                query = dns.message.make_query(listed, "A", use_edns=0)
                for ask in (dns.query.udp, dns.query.tcp):
                    print(where, dns.rcode.to_text(ask(query, where, timeout=5).rcode()))
        finally:
            server.terminate()
            server.wait(timeout=10)
        print(f"ended with {server.returncode}")


main(*sys.argv[1:])
