# SPDX-License-Identifier: BSD-2-Clause
"""A reader of statements written from formats/statement.md alone, to compare ours with.

Slow and plain on purpose: one rule a line, as that page has them.
"""
import base64
import datetime
import hashlib
import re
import unicodedata
import urllib.parse

KINDS = "ministry hotline police ngo school isp academic company family".split()
ACTIONS = ("list endorse dispute withdraw allow appeal decide party-add party-revoke "
           "release").split()
GROUNDED = set(ACTIONS) - {"appeal", "release"}
LISTS = {"list", "allow"}
ABOUT = {"endorse", "dispute", "withdraw", "appeal", "decide"}
PARTIES = {"party-add", "party-revoke"}

# Key, actions that have it, actions that may.
FIELDS = [
    ("log", set(ACTIONS), set()),
    ("party", set(ACTIONS), set()),
    ("time", set(ACTIONS), set()),
    ("action", set(ACTIONS), set()),
    ("category", LISTS, set()),
    ("jurisdiction", GROUNDED, set()),
    ("basis", GROUNDED, set()),
    ("statement", ABOUT, set()),
    ("decision", {"decide"}, set()),
    ("reasons", {"dispute", "appeal", "decide"}, set()),
    ("subject", PARTIES, set()),
    ("name", {"party-add"}, set()),
    ("kind", {"party-add"}, set()),
    ("country", {"party-add"}, set()),
    ("key", {"party-add"}, set()),
    ("from", {"party-revoke"}, set()),
    ("evidence", set(), LISTS | {"endorse", "dispute"}),
    ("expires", LISTS | {"endorse", "party-add"}, set()),
    ("note", set(), LISTS | {"dispute", "decide"}),
    ("data", {"release"}, set()),
    ("entries", LISTS, ABOUT - {"decide"}),
]

PARTY = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){1,7}")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
ENTRIES = re.compile(r"(inline) ([1-9][0-9]{0,2})"
                     r"|(block|sealed) sha256:[0-9a-f]{64} count ([1-9][0-9]{0,6})")
UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"


class Refused(Exception):
    """The text is no statement."""


def need(condition, what):
    if not condition:
        raise Refused(what)


def is_prose(text):
    """`text` may stand where people write."""
    if unicodedata.normalize("NFC", text) != text:
        return False
    return all(c in " \u200c\u200d" or (c not in UNSEEN and unicodedata.category(c) not in (
        "Cc", "Cf", "Cn", "Cs", "Co", "Zl", "Zp", "Zs")) for c in text)


def time_of(text, form):
    need(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?", text), "time")
    try:
        time = datetime.datetime.strptime(text, form)
    except ValueError as error:
        raise Refused("time") from error
    need(time.year >= 1970, "time")
    return time


def is_host(host):
    labels = host.split(".")
    return (len(host) <= 253 and len(labels) >= 2 and
            all(len(label) <= 63 and LABEL.fullmatch(label) for label in labels) and
            not labels[-1].isdigit() and not re.fullmatch("0x[0-9a-f]*", labels[-1]))


def is_path(path):
    """`path`, a query with it perhaps, is canonical."""
    if re.search(rb"[^\x21-\x7e]|#", path.encode()) or re.search("%(?![0-9A-F]{2})", path):
        return False
    for code in re.findall("%(..)", path):
        octet = int(code, 16)
        if 0x21 <= octet <= 0x7e and octet not in b"#%":
            return False
    # An escape that would be one again after it is undone.
    once = urllib.parse.unquote_to_bytes(path)
    if re.search(rb"%[0-9A-Fa-f]{2}", once):
        return False
    plain = path.split("?")[0]
    return "//" not in plain and not any(part in (".", "..") for part in plain.split("/"))


def order_of(entry):
    """What entries are ordered by; refuses one that is not canonical."""
    need(len(entry.encode()) <= 1023, "entry")
    host, slash, path = entry.partition("/")
    rank = 4 if slash else 1
    if not slash and host.startswith("="):
        host, rank = host[1:], 2
    elif not slash and host.startswith("*."):
        host, rank = host[2:], 3
    need(is_host(host) and (not slash or is_path("/" + path)), "entry")
    return [label.encode() for label in reversed(host.split("."))], rank, path.encode()


P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """Sum of two points of edwards25519 (RFC 8032 section 5.1.4)."""
    k = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + k, P - 2, P) % P
    return x, (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, P - 2, P) % P


def is_prime_order_point(octets):
    """A canonical point of the group that signatures are made in, other than its zero."""
    number = int.from_bytes(octets, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return False
    point, power, total = (x if x % 2 == sign else P - x, y), ORDER, (0, 1)
    twice = point
    while power:
        total = add(total, twice) if power % 2 else total
        twice, power = add(twice, twice), power // 2
    return total == (0, 1) and point != (0, 1)


def is_key(text, subject):
    match = re.fullmatch(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", text)
    if not match:
        return False
    raw = base64.b64decode(match[3])
    digest = hashlib.sha256(match[1].encode() + b"\n" + raw).hexdigest()[:8]
    return (match[1] == subject and digest == match[2] and raw[0] == 1 and
            is_prime_order_point(raw[1:]))


def check_value(key, value, fields):
    limits = {"basis": 500, "evidence": 500, "note": 500, "reasons": 1000, "name": 200}
    if key in limits:
        need(len(value.encode()) <= limits[key] and is_prose(value), key)
    elif key == "log":
        need(re.fullmatch(r"[!-*,-~]{1,128}", value), key)
    elif key in ("party", "subject"):
        need((key == "party" and value == "root") or
             (PARTY.fullmatch(value) and len(value) <= 128), key)
    elif key == "action":
        need(value in ACTIONS, key)
        time_of(fields["time"], "%Y-%m-%d" if value == "appeal" else "%Y-%m-%dT%H:%M:%SZ")
        need((len(fields["time"]) == 10) == (value == "appeal"), "time")
    elif key == "category":
        need(re.fullmatch("[a-z0-9-]{1,32}", value), key)
    elif key in ("jurisdiction", "country"):
        need(re.fullmatch("[A-Z]{2}|INT", value), key)
    elif key == "statement":
        need(re.fullmatch("[0-9a-f]{64}", value), key)
    elif key == "decision":
        need(value in ("uphold", "reject"), key)
    elif key == "kind":
        need(value in KINDS, key)
    elif key == "key":
        need(is_key(value, fields["subject"]), key)
    elif key == "from":
        time_of(value, "%Y-%m-%dT%H:%M:%SZ")
    elif key == "expires":
        need(len(value) == 10, key)
        life = time_of(value, "%Y-%m-%d") - datetime.datetime.fromisoformat(fields["time"][:19])
        need(datetime.timedelta(0) < life <= datetime.timedelta(3653), key)
    elif key == "data":
        need(re.fullmatch("sha256:[0-9a-f]{64} size [1-9][0-9]{0,14}", value), key)


def check_entries(value, lines, action):
    match = ENTRIES.fullmatch(value)
    need(match, "entries")
    if match[1]:
        need(int(match[2]) <= 200 and len(lines) == int(match[2]), "count")
        need(all(line.startswith(" ") for line in lines), "blank")
        orders = [order_of(line[1:]) for line in lines]
        need(all(a < b for a, b in zip(orders, orders[1:])), "order")
        return
    need(not lines and int(match[4]) <= 2000000, "count")
    need(match[3] == "block" or action != "allow", "sealed")


def read(octets):
    """The id of the statement with this text; raises Refused."""
    need(len(octets) <= 65535 and octets.endswith(b"\n"), "end")
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise Refused("UTF-8") from error
    first, *lines = text[:-1].split("\n")
    need(first == "lindung statement 1", "first line")
    fields, entries = {}, []
    for number, line in enumerate(lines):
        need(len(line.encode()) <= 1024, "line")
        key, colon, value = line.partition(": ")
        need(colon and value and value == value.strip(" "), "line")
        need(key in [f[0] for f in FIELDS] and key not in fields, key)
        fields[key] = value
        if key == "entries":
            entries = lines[number + 1:]
            break
    keys = [f[0] for f in FIELDS]
    need(list(fields) == sorted(fields, key=keys.index), "order")
    action = fields.get("action")
    for key, must, may in FIELDS:
        need(key in fields or action not in must, key)
        need(key not in fields or action in must | may or len(fields) < 4, key)
    need(all(key in fields for key in keys[:4]), "field")
    for key, value in fields.items():
        check_value(key, value, fields)
    if "entries" in fields:
        check_entries(fields["entries"], entries, action)
    need((fields["party"] == "root") == (action in PARTIES), "root")
    return hashlib.sha256(octets).hexdigest()
