# SPDX-License-Identifier: BSD-2-Clause
"""Names and URLs against programs that nobody here wrote: dnspython, libidn2's command, python3-idna,
and the published rules of the public suffix list and of Safe Browsing, written down once more.

Runs build/src/name/name_tool; LINDUNG_BUILD names another build directory.
"""

import collections
import os
import pathlib
import random
import re
import socket
import string
import struct
import subprocess
import unicodedata
import urllib.parse

import dns.exception
import dns.name
import idna
import pytest

HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(os.environ.get("LINDUNG_BUILD", HERE.parent.parent / "build"))
SYSTEM_PSL = pathlib.Path("/usr/share/publicsuffix/public_suffix_list.dat")

ELIMIT, ENAME, ENOTASCII, EIDNA, EURL = "!-7", "!-8", "!-9", "!-10", "!-11"


def run(op, arguments):
    """The tool's answer to each argument: bytes, or a tuple of bytes."""
    lines = (
        op + "\t" + (",".join(a.hex() for a in arg) if isinstance(arg, tuple) else arg.hex())
        for arg in arguments
    )
    done = subprocess.run(
        [BUILD / "src/name/name_tool"],
        input="".join(line + "\n" for line in lines).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    answers = done.stdout.decode("ascii").splitlines()
    assert len(answers) == len(arguments)
    return answers


def real_idn_names():
    names = (HERE / "data/idn/names.txt").read_text("ascii").split()
    assert len(names) == 2024
    return names


# ---- Text, wire, order: dnspython ---------------------------------------------------------------


def hostile_text(rng):
    """Name text near the limits and in the corners: escapes, long labels, empty labels, any octet."""
    pieces = []
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5, 10, 60, 127, 128))):
        size = rng.choice((0, 1, 1, 1, 2, 3, 5, 8, 61, 62, 63, 64)) if rng.random() < 0.3 else 1
        label = b""
        for _ in range(size):
            kind = rng.randrange(10)
            if kind < 6:
                label += rng.choice(string.ascii_letters + string.digits + "-_").encode()
            elif kind == 6:
                label += b"\\%03d" % rng.randrange(270)
            elif kind == 7:
                label += b"\\" + rng.choice(b'.\\"();@$ az').to_bytes(1, "big")
            elif kind == 8:
                label += rng.choice(b'"();@$ *').to_bytes(1, "big")
            else:
                label += bytes([rng.randrange(256)])
        pieces.append(label)
    text = b".".join(pieces)
    if rng.random() < 0.05:
        text += rng.choice((b".", b"..", b"\\", b"\\1", b"\\12"))
    return text


def ordinary_text(rng):
    count = rng.choice((1, 2, 2, 2, 3, 3, 4))
    letters = string.ascii_letters + string.digits + "-_"
    return ".".join(
        "".join(rng.choice(letters) for _ in range(rng.randint(1, 12))) for _ in range(count)
    ).encode()


def dnspython_wire(text):
    # dnspython reads these two as names relative to an origin; here there is none.
    if text == b"":
        return ENAME
    if text == b"@":
        return b"\x01@\x00"
    try:
        return dns.name.from_text(text, dns.name.root).to_wire()
    except (dns.exception.DNSException, struct.error):  # the latter for "\\256"
        return ENAME


def test_text_wire_and_order_as_dnspython():
    rng = random.Random(20261122)
    texts = [b"", b".", b"@", b"..", b"a.", b"a..", b".a", b"\\.", b"\\"]
    texts += [ordinary_text(rng) for _ in range(40000)]
    texts += [hostile_text(rng) for _ in range(70000)]
    wires = []
    outcomes = collections.Counter()
    for text, answer in zip(texts, run("text-to-wire", texts)):
        expected = dnspython_wire(text)
        got = answer if answer.startswith("!") else bytes.fromhex(answer)
        assert got == expected, text
        outcomes[expected == ENAME] += 1
        if expected != ENAME:
            wires.append(expected)
    assert outcomes[True] > 5000 and outcomes[False] > 60000  # both kinds were tried
    for wire, answer in zip(wires, run("wire-to-text", wires)):
        expected = dns.name.from_wire(wire, 0)[0].to_text(omit_final_dot=True)
        assert bytes.fromhex(answer).decode("ascii") == expected
    compare_as_dnspython(rng, wires)


def compare_as_dnspython(rng, wires):
    pairs = []
    for _ in range(60000):
        a = rng.choice(wires)
        kind = rng.randrange(4)
        if kind == 0:
            b = rng.choice(wires)
        elif kind == 1:  # a parent of it
            b = a
            while b[0] != 0 and rng.random() < 0.6:
                b = b[b[0] + 1 :]
        elif kind == 2:  # the same, in other case
            b = bytes(c ^ 0x20 if chr(c).isalpha() and c < 128 else c for c in a)
            if len(b) != len(a) or any(x != y and y < 64 for x, y in zip(a, b)):
                b = a
        else:  # a child
            b = b"\x01" + bytes([rng.randrange(256)]) + a
            if len(b) > 255:
                b = a
        pairs.append((a, b) if rng.random() < 0.5 else (b, a))
    seen = collections.Counter()
    for (a, b), answer in zip(pairs, run("compare", pairs)):
        x, y = dns.name.from_wire(a, 0)[0], dns.name.from_wire(b, 0)[0]
        order = x.fullcompare(y)[1]
        expected = ((order > 0) - (order < 0), int(x == y), int(x.is_subdomain(y)))
        assert tuple(map(int, answer.split())) == expected, (x, y)
        seen[expected] += 1
    assert len(seen) >= 4


def test_wire_that_is_damaged_as_dnspython():
    rng = random.Random(7)
    wires = []
    for _ in range(20000):
        wire = bytearray(dns.name.from_text(ordinary_text(rng), dns.name.root).to_wire())
        for _ in range(rng.randrange(3)):
            wire[rng.randrange(len(wire))] = rng.choice((0, 1, 5, 63, 64, 192, 255))
        wires.append(bytes(wire[: rng.randint(1, len(wire))]))
    refused = 0
    for wire, answer in zip(wires, run("wire-to-text", wires)):
        try:
            name, used = dns.name.from_wire(wire, 0)
            # A pointer is for the message's reader, not for a name on its own.
            bad = used != len(name.to_wire())
        except dns.exception.DNSException:
            bad = True
        assert (answer == ENAME) == bad, wire
        if not bad:
            assert bytes.fromhex(answer).decode() == name.to_text(omit_final_dot=True)
        refused += bad
    assert 1000 < refused < 19000


# ---- Hosts: the definition as a pattern ---------------------------------------------------------

LABEL = r"(?!-)[a-z0-9_-]+(?<!-)"
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*")


def host_expected(text):
    if any(c >= 0x80 for c in text):
        return ENOTASCII
    host = text.decode("ascii").lower()
    host = host[:-1] if host.endswith(".") else host
    if not HOST.fullmatch(host):
        return ENAME
    if len(host) > 253 or any(len(label) > 63 for label in host.split(".")):
        return ELIMIT
    return ENAME if host.split(".")[-1].isdigit() else host.encode().hex()


def test_hosts_as_the_definition_says():
    rng = random.Random(3)
    texts = [b"", b".", b"a" * 63, b"a" * 64, b".".join([b"a"] * 127), b".".join([b"a"] * 128)]
    for _ in range(60000):
        labels = []
        for _ in range(rng.choice((1, 2, 3, 4, 5))):
            size = rng.choice((0, 1, 2, 3, 62, 63, 64)) if rng.random() < 0.2 else rng.randint(1, 9)
            labels.append("".join(rng.choice("abcXYZ0189-_") for _ in range(size)))
        text = ".".join(labels).encode() + (b"." if rng.random() < 0.1 else b"")
        if rng.random() < 0.1:
            at = rng.randrange(len(text) + 1)
            text = text[:at] + bytes([rng.randrange(256)]) + text[at:]
        texts.append(text)
    outcomes = collections.Counter()
    for text, answer in zip(texts, run("host", texts)):
        assert answer == host_expected(text), text
        outcomes[answer if answer.startswith("!") else "host"] += 1
    assert set(outcomes) == {"host", ENAME, ELIMIT, ENOTASCII}


# ---- IDNA: libidn2's command, python3-idna ------------------------------------------------------

SCRIPTS = (
    (0x00DF, 0x0180), (0x0391, 0x03CA), (0x0410, 0x0460), (0x05D0, 0x05EB), (0x0621, 0x064B),
    (0x0905, 0x0940), (0x0E01, 0x0E31), (0x3041, 0x3097), (0x30A1, 0x30FB), (0x4E00, 0x9FA0),
    (0xAC00, 0xD7A4), (0xFF21, 0xFF5B), (0x0300, 0x0310), (0x2000, 0x2070), (0x2100, 0x2200),
)  # fmt: skip


def unicode_names(rng, count):
    """Names of one script a label, with ASCII beside them, and some that IDNA must refuse."""
    for _ in range(count):
        labels = []
        for _ in range(rng.randint(1, 4)):
            kind = rng.random()
            if kind < 0.4:
                label = "".join(rng.choice("abcxyz019") for _ in range(rng.randint(1, 8)))
            else:
                low, high = rng.choice(SCRIPTS[:12] if rng.random() < 0.9 else SCRIPTS)
                label = "".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 7)))
            if rng.random() < 0.04:
                at = rng.randrange(len(label) + 1)
                label = label[:at] + rng.choice(("-", "--", "_", "ß", "ς", "\u200d", " ", "١"))
            labels.append(label)
        yield rng.choice((".", ".", ".", "。", "．", "｡")).join(labels)


def python_idna(name):
    try:
        return idna.encode(name, uts46=True, std3_rules=False, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        return None


def idn2_command(names):
    """What idn2 makes of names that it takes, one process for all."""
    done = subprocess.run(
        ["idn2", "--tr46nt", "--quiet"],
        input="".join(name + "\n" for name in names),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else None


def separated(name):
    return re.split("[.。．｡]", name)


def has_double_hyphen(name):
    """We hand an ASCII label on as it is; both others mind "--" in its third and fourth place."""
    return any(label.isascii() and label[2:4] == "--" for label in separated(name))


CONTEXTO = re.compile("[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u30fb]")


def accepted_difference(name, ours, theirs):
    """Why we take a name and python3-idna does not, or gives another; None if it is a fault."""
    if theirs is None and "_" in ours:
        return "underscore: python3-idna refuses it, names in use have it"
    if theirs is None and has_double_hyphen(name):
        return "hyphens: an ASCII label passes as it is"
    if theirs is None and CONTEXTO.search(unicodedata.normalize("NFKC", name)):
        return "contexto: rules of IDNA2008 for some characters, which UTS #46 does not ask for"
    return None


def refused_difference(name, error):
    """The reverse."""
    if error == ENAME and unicodedata.normalize("NFKC", separated(name)[-1]).isdecimal():
        return "number: a host's last label is not all digits"
    return None


def test_idna_as_python_idna_and_idn2():
    rng = random.Random(46)
    names = [
        bytes.fromhex(shown).decode() for shown in run("unicode", list(map(str.encode, real_idn_names())))
    ]
    names = [name for name in names if not name.isascii() and "xn--" not in name]
    assert len(names) > 1900
    names += [name for name in unicode_names(rng, 22000) if not name.isascii()]
    names += [f"r{i % 10}---sn-5hne6nsz.{name}" for i, name in enumerate(rng.sample(names, 100))]
    assert len(names) >= 20000
    answers = run("idna", [name.encode() for name in names])
    taken, refused, reasons, faults = [], [], collections.Counter(), []
    for name, answer in zip(names, answers):
        theirs = python_idna(name)
        theirs = theirs.rstrip(".") if theirs is not None else None
        if answer.startswith("!"):
            refused.append(name)
            if theirs is None:
                reasons["both refuse"] += 1
                continue
            reason = refused_difference(name, answer)
        else:
            ours = bytes.fromhex(answer).decode()
            taken.append((name, ours))
            if ours == theirs:
                reasons["both take"] += 1
                continue
            reason = accepted_difference(name, ours, theirs)
        if reason is None:
            faults.append((name, answer, theirs))
        reasons[reason] += 1
    print("\n".join(f"{count:6} {reason}" for reason, count in reasons.most_common()))
    assert not faults, (len(faults), faults[:10])
    assert reasons["both take"] > 10000 and reasons["both refuse"] > 500
    idn2_agrees(rng, taken, refused)


def idn2_agrees(rng, taken, refused):
    asked = [(name, ours) for name, ours in taken if not has_double_hyphen(name)]
    answers = idn2_command([name for name, _ in asked])
    assert answers is not None
    assert [a.rstrip(".") for a in answers] == [ours for _, ours in asked]
    explained = 0
    for name in rng.sample(refused, 150):
        # What libidn2 takes and we refuse is refused by the rules for hosts alone.
        answer = idn2_command([name])
        if answer is not None:
            assert host_expected(answer[0].encode()).startswith("!"), name
            explained += 1
    assert explained < 150


def test_real_names_are_shown_and_read_back():
    names = [name.encode() for name in real_idn_names()]
    shown = [bytes.fromhex(answer) for answer in run("unicode", names)]
    assert [bytes.fromhex(answer) for answer in run("idna", shown)] == names
    for name, text in zip(names, shown):
        for ascii_label, label in zip(name.decode().split("."), text.decode().split(".")):
            if label != ascii_label:
                assert idna.encode(label).decode() == ascii_label
            elif label.startswith("xn--"):  # hand-made: with '⇔', or with 'ã' and '¶'
                with pytest.raises((idna.IDNAError, UnicodeError)):
                    idna.decode(label)


# ---- Public suffixes: the algorithm of publicsuffix.org -----------------------------------------


def psl_rules():
    rules = {}
    for line in SYSTEM_PSL.read_text("utf-8").splitlines():
        line = line.split()[0] if line.split() else ""
        if line and not line.startswith("//"):
            kind = "!" if line[0] == "!" else "*" if line.startswith("*.") else ""
            base = line[len(kind) + (kind == "*") :]
            rules.setdefault(idna.encode(base).decode(), set()).add(kind)
    return rules


def psl_suffix(rules, host):
    """Labels in the public suffix of a host."""
    labels = host.split(".")
    for at in range(len(labels)):
        rest = ".".join(labels[at:])
        if "!" in rules.get(rest, ()):
            return len(labels) - at - 1
        if "" in rules.get(rest, ()) or "*" in rules.get(".".join(labels[at + 1 :]), ()):
            return len(labels) - at
    return 1


def test_public_suffixes_as_published():
    rules = psl_rules()
    assert len(rules) > 9000
    rng = random.Random(5)
    hosts = set()
    for rule in rules:
        hosts |= {rule, "a." + rule, "b.a." + rule, "x" + rule}
        hosts.add(rule.split(".", 1)[-1])
    real = [name for name in real_idn_names()]
    hosts |= set(real) | {f"{rng.randrange(10**6)}.{rng.choice(real)}" for _ in range(5000)}
    hosts = sorted(hosts)
    implied = set()
    for host, answer in zip(hosts, run("suffix", [h.encode() for h in hosts])):
        is_suffix, _, domain = answer.partition(" ")
        count = psl_suffix(rules, host)
        labels = host.split(".")
        expected = ".".join(labels[-count - 1 :]) if len(labels) > count else ""
        got = bytes.fromhex(domain).decode()
        if (int(is_suffix), got) != (int(not expected), expected):
            assert (int(is_suffix), got) == (1, "")
            implied.add(host)
    # libpsl takes "kobe.jp" for a suffix because of "*.kobe.jp"; by the letter it is none.
    assert implied == {
        rule
        for rule, kinds in rules.items()
        if "*" in kinds and psl_suffix(rules, rule) != rule.count(".") + 1
    }
    assert "kobe.jp" in implied
    assert len(hosts) > 30000


# ---- URLs: Safe Browsing's rules, step by step --------------------------------------------------


def url_expected(url):
    """The published steps, one after the other and without a thought for speed."""
    url = url.partition(b"#")[0].strip(b" \t\r\n")
    url = re.sub(rb"[\t\r\n]", b"", url)
    while True:
        decoded = urllib.parse.unquote_to_bytes(url)
        if decoded == url:
            break
        url = decoded
    match = re.fullmatch(rb"(?s)([A-Za-z][A-Za-z0-9+.-]*://)?([^/?]*)([^?]*)(\?.*)?", url)
    scheme, authority, path, query = match.groups()
    host = re.sub(rb"\.+", b".", authority_host(authority, scheme)).strip(b".").lower()
    path = path or b"/"
    while b"/./" in path:
        path = path.replace(b"/./", b"/")
    path = re.sub(rb"/\.\Z", b"/", path)
    path = re.sub(rb"/\.\.\Z", b"/../", path)
    while b"/../" in path:
        path = re.sub(rb"\A((?:/[^/]*)*?)(/[^/]*)?/\.\./", up_one, path, count=1)
    path = re.sub(rb"/+", b"/", path)
    text = path + (query or b"")
    escaped = "".join(
        chr(c) if 0x20 < c < 0x7F and c not in b"#%" else f"%{c:02X}" for c in text
    )
    return address_or_host(host), escaped


def up_one(match):
    before, gone = match.group(1), match.group(2)
    return before + b"/" if gone is not None else b"/"


def authority_host(authority, scheme):
    host = authority.rpartition(b"@")[2]
    host, colon, port = host.partition(b":")
    if colon and not (port.isdigit() and int(port) < 65536 or (port == b"" and scheme)):
        return b"!"
    return host


def address_or_host(host):
    if any(c >= 0x80 for c in host):
        return ENOTASCII
    if re.fullmatch(rb"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", host):
        try:
            # inet_aton() would stop at a blank and be content.
            digits = host.decode() if re.fullmatch(rb"[0-9a-fx.]+", host) else "no"
            return socket.inet_ntoa(socket.inet_aton(digits))
        except OSError:
            return EURL
    answer = host_expected(host)
    if answer == ELIMIT:
        return ELIMIT
    return EURL if answer.startswith("!") or host.endswith(b".") else host.decode()


URL_PIECES = (
    b"http://", b"https://", b"ftp://", b"//", b"/", b"/", b"/", b"/./", b"/../", b"/..", b"/.", b"?",
    b"#", b"@", b":80", b":", b"%", b"%25", b"%2", b"5", b"%2e", b"%2F", b"%3f", b"%23", b"%40", b"%00",
    b"%0a", b"\t", b"\n", b" ", b"\x80", b"\xff", b"a", b"b", b"Host", b".com", b".", b"..", b"1.2.3.4",
    b"0x7f.1", b"3279880203", b"017.1", b"q=1", b"-", b"_", b"%41", b"%%34%31", b"%25%32%35",
)  # fmt: skip


def test_urls_as_safe_browsing_says():
    rng = random.Random(8)
    urls = []
    for _ in range(60000):
        start = rng.choice((b"", b"http://host.com", b"http://a.b.c/", b"host/", b"http://1.2.3.4/x"))
        urls.append(start + b"".join(rng.choices(URL_PIECES, k=rng.randrange(12))))
    for _ in range(10000):
        parts = [
            rng.choice(("%d", "0%o", "0x%x", "0X%X")) % rng.choice(
                (rng.randrange(256), rng.randrange(300), rng.randrange(70000), rng.randrange(2**33))
            )
            for _ in range(rng.choice((1, 2, 3, 4, 4, 5)))
        ]
        urls.append(b"http://" + ".".join(parts).encode() + b"/")
    outcomes = collections.Counter()
    for url, answer in zip(urls, run("url", urls)):
        host, text = url_expected(url)
        expected = host if host.startswith("!") else host + text
        assert answer == expected, url
        outcomes[host if host.startswith("!") else "taken"] += 1
    assert outcomes["taken"] > 10000 and outcomes[EURL] > 1000 and outcomes[ENOTASCII] > 500
