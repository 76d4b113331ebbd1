# SPDX-License-Identifier: BSD-2-Clause
"""Servers that follow our zones, each in a folder of its own on a free port of 127.0.0.1.

`BIND`, `Unbound` and `PowerDNS Recursor` close names by the zone of all categories; `knotd` is an
authoritative server that checks the zone's digest and takes the catalog.  Unbound 1.17 knows no TSIG:
it follows a primary that looks at addresses alone."""
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))
import servers  # noqa: E402
from servers import A, Client, Server, ask_all, said  # noqa: E402,F401

NAME, CATALOG = "rpz.lindung", "catalog.lindung"
PATH_DIRS = servers.PATH


def find_program(name):
    return shutil.which(name, path=PATH_DIRS)


class Secondary(Server):
    closes = True  # it is a resolver
    keeps = True   # a zone on its disk, over a restart
    signs = True   # it knows TSIG

    def __init__(self, folder, primary_port, key, upstream_port):
        super().__init__(folder, None, upstream_port)
        self.primary_port, self.key = primary_port, key

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")

    def wait_for(self, name, closed, timeout_s=180):
        """Until it answers like this.  The seconds that it took."""
        begin = time.monotonic()
        question = [(servers.dns.name.from_text(name), A)]
        while time.monotonic() < begin + timeout_s:
            rcode = said(ask_all(self.port, question)[0])[0]
            if (rcode == "NXDOMAIN") == closed and rcode in ("NXDOMAIN", "NOERROR"):
                return time.monotonic() - begin
            time.sleep(0.05)
        raise AssertionError(f"{type(self).__name__}: {name} is not "
                             f"{'closed' if closed else 'open'}\n{self.log_text()[-3000:]}")


class Bind(Secondary):
    program = "named"
    catalog = ""

    def run(self):
        path = self.folder / "named.conf"
        policy = "" if self.catalog else (
            f'response-policy {{ zone "{NAME}" min-update-interval 0; }} qname-wait-recurse no '
            "nsip-enable no nsdname-enable no break-dnssec yes;")
        zone = self.catalog or NAME
        path.write_text(f"""
key "{self.key.name}" {{ algorithm hmac-sha256; secret "{self.key.secret}"; }};
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
  allow-transfer {{ 127.0.0.1; }};
  transfer-format many-answers;
  {policy}
  {self.catalog_option()}
}};
controls {{ }};
zone "{zone}" {{
  type secondary; file "{zone}.db"; masterfile-format text; check-names ignore;
  primaries port {self.primary_port} {{ 127.0.0.1 key "{self.key.name}"; }};
}};
""")
        self.start([self.find(), "-g", "-n", "1", "-U", "1", "-c", path])

    def catalog_option(self):
        if not self.catalog:
            return ""
        return (f'catalog-zones {{ zone "{self.catalog}" zone-directory "{self.folder}" in-memory yes '
                f'default-masters port {self.primary_port} {{ 127.0.0.1 key "{self.key.name}"; }}; }};')


class BindCatalog(Bind):
    closes = False
    catalog = CATALOG


class Unbound(Secondary):
    program = "unbound"
    signs = False
    keeps = False

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
  verbosity: 2
  interface: 127.0.0.1@{self.port}
  num-threads: 1
  module-config: "respip iterator"
  do-not-query-localhost: no
  do-ip6: no
  minimal-responses: yes
remote-control:
  control-enable: no
rpz:
  name: {NAME}
  primary: 127.0.0.1@{self.primary_port}
  allow-notify: 127.0.0.1
forward-zone:
  name: .
  forward-addr: 127.0.0.1@{self.upstream_port}
""")
        self.start([self.find(), "-d", "-p", "-c", path])


class PowerDns(Secondary):
    program = "pdns_recursor"
    keeps = False

    def run(self):
        (self.folder / "rpz.lua").write_text(
            f'rpzPrimary("127.0.0.1:{self.primary_port}", "{NAME}", {{ refresh = 1, '
            f'tsigname = "{self.key.name}", tsigalgo = "hmac-sha256", '
            f'tsigsecret = "{self.key.secret}" }})\n')
        (self.folder / "recursor.conf").write_text(f"""
config-dir={self.folder}
socket-dir={self.folder}
local-address=127.0.0.1
local-port={self.port}
daemon=no
disable-syslog=yes
quiet=yes
loglevel=6
security-poll-suffix=
threads=1
dnssec=off
dont-query=
packetcache-ttl=1
max-negative-ttl=1
max-cache-ttl=15
forward-zones-recurse=.=127.0.0.1:{self.upstream_port}
lua-config-file={self.folder}/rpz.lua
""")
        self.start([self.find(), f"--config-dir={self.folder}"])


class Knotd(Secondary):
    program = "knotd"
    closes = False

    def run(self):
        path = self.folder / "knot.conf"
        path.write_text(f"""
server:
    rundir: "{self.folder}"
    listen: 127.0.0.1@{self.port}
database:
    storage: "{self.folder}"
log:
  - target: stderr
    any: info
key:
  - id: {self.key.name}
    algorithm: hmac-sha256
    secret: {self.key.secret}
remote:
  - id: primary
    address: 127.0.0.1@{self.primary_port}
    key: {self.key.name}
acl:
  - id: told
    address: 127.0.0.1
    key: {self.key.name}
    action: notify
  - id: asked
    address: 127.0.0.1
    action: transfer
template:
  - id: default
    storage: "{self.folder}"
    master: primary
    acl: [told, asked]
    zonemd-verify: on
    semantic-checks: off
    journal-content: changes
zone:
  - domain: {CATALOG}
    catalog-role: interpret
    catalog-template: default
""")
        self.start([self.find(), "-c", path])
