# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are measured side by side: how each takes a list, starts, and reloads.

Each closes the names of a list and all below them with NXDOMAIN, and forwards the rest to one
upstream on 127.0.0.1; one thread, no log of queries.  Response policy zones need two records for
that, "d" and "*.d"."""
import json
import os
import shutil
import signal
import subprocess
import time

from measure import BUILD, first_line, process_tree

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
UPSTREAM_PORT = None  # set by who starts the upstream


def lines_write(path, template, names):
    """A line (or several) for each name; in place of what was there in one step."""
    part = path.with_suffix(".new")
    with part.open("w", encoding="ascii") as out:
        out.writelines(template.format(name) for name in names)
    part.rename(path)


def rpz_write(path, names):
    part = path.with_suffix(".new")
    with part.open("w", encoding="ascii") as out:
        out.write(f"$TTL 3600\n$ORIGIN rpz.\n@ SOA localhost. root.localhost. {time.time():.0f} "
                  "3600 600 86400 60\n@ NS localhost.\n")
        out.writelines(f"{name} CNAME .\n*.{name} CNAME .\n" for name in names)
    part.rename(path)


class Server:
    """One row of the tables."""

    label = program = package = None
    encrypted = False  # can be asked over TLS and HTTPS
    has_reload = True
    in_memory = True   # holds the list in its own memory, not in a mapped file

    def __init__(self, folder, port, tls=None):
        self.folder, self.port, self.process = folder, port, None
        self.tls = tls  # {"certificate", "key", "dot", "doh"}: the ports, or None
        folder.mkdir(parents=True)

    @classmethod
    def find(cls):
        return shutil.which(cls.program, path=PATH)

    @classmethod
    def version(cls):
        return first_line([cls.find(), "--version"])

    def prepare(self, names):
        """Make its files of the list: whatever happens before a start."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def swap(self, names):
        """Make the files of the next list ready."""
        self.prepare(names)

    def reload(self):
        """Tell it to use them."""
        self.process.send_signal(signal.SIGHUP)

    def start(self, core):
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core), *map(str, self.command())], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log_tail(self):
        return (self.folder / "log").read_text(errors="replace").strip()[-300:]

    def pids(self):
        return process_tree(self.process.pid)


class Lindung(Server):
    """Ours."""

    label = "lindung"
    encrypted = True
    in_memory = False

    @classmethod
    def find(cls):
        return str(BUILD / "programs" / "lindung")

    def compile(self, names, image):
        listed = self.folder / "list.txt"
        lines_write(listed, "{}\n", names)
        begin = time.monotonic()
        subprocess.run([self.find(), "compile", "-q", "--category", "adult", "--format", "domains",
                        "-o", str(image), str(listed)], check=True)
        self.compiled_s = time.monotonic() - begin

    def prepare(self, names):
        self.compile(names, self.folder / "list.ldx")
        config = {"listen": [f"127.0.0.1@{self.port}"], "threads": 1,
                  "list": {"image": str(self.folder / "list.ldx")},
                  "upstream": {"mode": "forward", "servers": [f"127.0.0.1@{UPSTREAM_PORT}"]},
                  "metrics": {"listen": ""}}
        if self.tls:
            config["tls"] = {"listen": [f"127.0.0.1@{self.tls['dot']}"],
                             "certificate": str(self.tls["certificate"]),
                             "key": str(self.tls["key"])}
            config["https"] = {"listen": [f"127.0.0.1@{self.tls['doh']}"]}
        (self.folder / "conf.yaml").write_text(json.dumps(config), encoding="utf-8")

    def swap(self, names):
        self.compile(names, self.folder / "next.ldx")

    def reload(self):
        (self.folder / "next.ldx").rename(self.folder / "list.ldx")
        super().reload()

    def command(self):
        return [self.find(), "serve", "-c", self.folder / "conf.yaml"]


class Unbound(Server):
    program = package = "unbound"
    encrypted = True

    @classmethod
    def version(cls):
        return first_line([cls.find(), "-V"])

    def config(self, modules, list_lines):
        tls = "" if self.tls is None else f"""
  interface: 127.0.0.1@{self.tls["dot"]}
  interface: 127.0.0.1@{self.tls["doh"]}
  tls-port: {self.tls["dot"]}
  https-port: {self.tls["doh"]}
  tls-service-pem: "{self.tls["certificate"]}"
  tls-service-key: "{self.tls["key"]}"
"""
        (self.folder / "unbound.conf").write_text(f"""
server:
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: "{self.folder}/pid"
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1@{self.port}{tls}
  num-threads: 1
  module-config: "{modules}"
  do-not-query-localhost: no
  do-ip6: no
{list_lines}
forward-zone:
  name: .
  forward-addr: 127.0.0.1@{UPSTREAM_PORT}
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: "{self.folder}/control"
""", encoding="ascii")

    def command(self):
        return [self.find(), "-d", "-p", "-c", self.folder / "unbound.conf"]

    def control(self, *words):
        subprocess.run([shutil.which("unbound-control", path=PATH), "-c",
                        str(self.folder / "unbound.conf"), *words], check=True,
                       stdout=subprocess.DEVNULL)


class UnboundRpz(Unbound):
    label = "unbound rpz"

    def prepare(self, names):
        rpz_write(self.folder / "zone", names)
        self.config("respip iterator", f'rpz:\n  name: rpz\n  zonefile: "{self.folder}/zone"')

    def reload(self):
        self.control("auth_zone_reload", "rpz")


class UnboundZones(Unbound):
    label = "unbound local-zone"

    def prepare(self, names):
        lines_write(self.folder / "zones.conf", 'local-zone: "{}" always_nxdomain\n', names)
        self.config("iterator", f'  include: "{self.folder}/zones.conf"')

    def reload(self):
        self.control("reload")


class Bind(Server):
    label, program, package = "bind9 rpz", "named", "bind9"
    encrypted = True

    @classmethod
    def version(cls):
        return first_line([cls.find(), "-v"])

    def prepare(self, names):
        rpz_write(self.folder / "zone", names)
        keys = listen = ""
        if self.tls:
            keys = (f'tls local {{ cert-file "{self.tls["certificate"]}"; '
                    f'key-file "{self.tls["key"]}"; }};')
            listen = (f'listen-on port {self.tls["dot"]} tls local {{ 127.0.0.1; }};\n'
                      f'  listen-on port {self.tls["doh"]} tls local http default '
                      "{ 127.0.0.1; };")
        (self.folder / "named.conf").write_text(f"""
{keys}
options {{
  directory "{self.folder}";
  pid-file none; session-keyfile none; lock-file none;
  listen-on port {self.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  {listen}
  recursion yes;
  forward only;
  forwarders {{ 127.0.0.1 port {UPSTREAM_PORT}; }};
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses yes;
  notify no;
  response-policy {{ zone "rpz" min-update-interval 0; }}
    qname-wait-recurse no nsip-enable no nsdname-enable no break-dnssec yes;
}};
controls {{ }};
zone "rpz" {{ type primary; file "{self.folder}/zone"; check-names ignore; }};
""", encoding="ascii")

    def swap(self, names):
        rpz_write(self.folder / "zone", names)

    def command(self):
        return [self.find(), "-g", "-n", "1", "-U", "1", "-c", self.folder / "named.conf"]


class PowerDns(Server):
    label, program, package = "pdns-recursor rpz", "pdns_recursor", "pdns-recursor"

    def prepare(self, names):
        rpz_write(self.folder / "zone", names)
        (self.folder / "rpz.lua").write_text(f'rpzFile("{self.folder}/zone", {{}})\n')
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
pdns-distributes-queries=no
dnssec=off
dont-query=
forward-zones-recurse=.=127.0.0.1:{UPSTREAM_PORT}
lua-config-file={self.folder}/rpz.lua
""", encoding="ascii")

    def command(self):
        return [self.find(), f"--config-dir={self.folder}"]

    def reload(self):
        subprocess.run([shutil.which("rec_control", path=PATH), f"--config-dir={self.folder}",
                        f"--socket-dir={self.folder}", "reload-lua-config"], check=True,
                       stdout=subprocess.DEVNULL)


class Knot(Server):
    label, program, package = "knot-resolver rpz", "kresd", "knot-resolver"

    def prepare(self, names):
        watched = self.folder / "watched"
        watched.mkdir(exist_ok=True)
        rpz_write(watched / "zone", names)
        # It watches the file only with Lua's cqueues; without, it is not told of changes.
        (self.folder / "kresd.conf").write_text(f"""
log_level('notice')
net.listen('127.0.0.1', {self.port}, {{ kind = 'dns' }})
cache.open(100 * MB, 'lmdb://{self.folder}/cache')
trust_anchors.remove('.')
modules = {{ 'policy' }}
policy.add(policy.rpz(policy.DENY, '{watched}/zone', pcall(require, 'cqueues')))
policy.add(policy.all(policy.FORWARD({{ '127.0.0.1@{UPSTREAM_PORT}' }})))
""", encoding="ascii")

    def swap(self, names):
        rpz_write(self.folder / "next", names)

    def reload(self):
        (self.folder / "next").rename(self.folder / "watched" / "zone")

    def command(self):
        return [self.find(), "-n", "-c", self.folder / "kresd.conf", self.folder]


class Dnsdist(Server):
    program = package = "dnsdist"
    encrypted = True

    def config(self, rules):
        tls = ""
        if self.tls:
            pair = f'"{self.tls["certificate"]}", "{self.tls["key"]}"'
            tls = (f'addTLSLocal("127.0.0.1:{self.tls["dot"]}", {pair})\n'
                   f'addDOHLocal("127.0.0.1:{self.tls["doh"]}", {pair}, "/dns-query")\n')
        (self.folder / "dnsdist.conf").write_text(f"""
setSecurityPollSuffix("")
setUDPMultipleMessagesVectorSize(64)
setLocal("127.0.0.1:{self.port}")
{tls}newServer({{ address = "127.0.0.1:{UPSTREAM_PORT}" }})
getPool(""):setCache(newPacketCache(100000))
{rules}
""", encoding="ascii")

    def command(self):
        return [self.find(), "--supervised", "--disable-syslog", "-C",
                self.folder / "dnsdist.conf"]


class DnsdistTree(Dnsdist):
    label = "dnsdist SuffixMatchNode"
    has_reload = False  # only by a console of its own, for which there is no row

    def prepare(self, names):
        lines_write(self.folder / "list", "{}\n", names)
        self.config(f"""tree = newSuffixMatchNode()
for name in io.lines("{self.folder}/list") do tree:add(newDNSName(name)) end
addAction(SuffixMatchNodeRule(tree), RCodeAction(DNSRCode.NXDOMAIN))""")


class DnsdistCdb(Dnsdist):
    label = "dnsdist CDB"
    in_memory = False

    @classmethod
    def find(cls):
        return super().find() if shutil.which("cdb") else None

    def cdb(self, names, path):
        records = "".join(f"+{len(name)},1:{name}->1\n" for name in names) + "\n"
        subprocess.run(["cdb", "-c", str(path), "-"], input=records.encode("ascii"), check=True)

    def prepare(self, names):
        self.cdb(names, self.folder / "list.cdb")
        self.config(f"""store = newCDBKVStore("{self.folder}/list.cdb", 1)
addAction(KeyValueStoreLookupRule(store, KeyValueLookupKeySuffix(2, false)),
          RCodeAction(DNSRCode.NXDOMAIN))""")

    def swap(self, names):
        self.cdb(names, self.folder / "next.cdb")

    def reload(self):
        (self.folder / "next.cdb").rename(self.folder / "list.cdb")


class Dnsmasq(Server):
    label, program, package = "dnsmasq", "dnsmasq", "dnsmasq-base"

    def prepare(self, names):
        lines_write(self.folder / "servers", "server=/{}/\n", names)
        (self.folder / "dnsmasq.conf").write_text(f"""
port={self.port}
listen-address=127.0.0.1
bind-interfaces
user=root
no-resolv
no-hosts
no-poll
cache-size=10000
server=127.0.0.1#{UPSTREAM_PORT}
servers-file={self.folder}/servers
log-facility={self.folder}/messages
pid-file=
""", encoding="ascii")

    def swap(self, names):
        lines_write(self.folder / "servers", "server=/{}/\n", names)

    def command(self):
        return [self.find(), "-k", "-C", self.folder / "dnsmasq.conf"]


ALL = (Lindung, UnboundRpz, UnboundZones, Bind, PowerDns, Knot, DnsdistTree, DnsdistCdb, Dnsmasq)
