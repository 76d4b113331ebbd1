# SPDX-License-Identifier: BSD-2-Clause
"""Two programs of AdGuard's and our readers, over the same lines: where they differ, and why.

An *item* is what one reader makes of a line: (action, site) as our own format writes them, with a
target where a name is rewritten, or ("other", rule) for a rule that is no whole name.  CLASSES
explains every difference: what it looks like, and why it is so."""
import collections
import functools
import ipaddress
import pathlib
import re
import subprocess

FOLDER = pathlib.Path(__file__).parent
PROGRAM = FOLDER / "npm" / "read-lines.mjs"
SEPARATOR = "\x1f"
# What compile refuses of what the readers take.
REFUSALS = {"public-suffix", "single-label", "protected"}
NAME = r"[^\s^$|*/:,]+"
RULE = re.compile(rf"(\|\|\*\.|\|\||\||\*\.|\.)({NAME})(?:\^\|?|(?<=[^.])\|)")
PLAIN = re.compile(rf"(?!\.){NAME}\.{NAME}")
SUFFIXES = pathlib.Path("/usr/share/publicsuffix/public_suffix_list.dat")
# Suffixes that Debian 12 does not know, if that is still so.
NEW_SUFFIXES = {"bet.br"} - set(SUFFIXES.read_text(encoding="utf-8").splitlines())
NEWER = "public suffix of late"
COMPILER, AGTREE = "hostlist-compiler", "agtree"


def rule_item(text):
    """A rule, where it says a whole name and we would say it alike."""
    action, rest = ("allow", text[2:]) if text.startswith("@@") else ("block", text)
    pattern, dollar, modifiers = rest.partition("$")
    marks = {"important": "!", "badfilter": "~"}
    names = modifiers.split(",") if dollar and modifiers else []
    match = RULE.fullmatch(pattern)
    if not match or any(name not in marks for name in names):
        return "other", text
    scope = {"||": "", "|": "="}.get(match[1], "*.")
    flags = "".join(mark for name, mark in marks.items() if name in names)
    return action + flags, scope + match[2].lower()


class Line:
    """One line, and what each makes of it."""

    def __init__(self, text, form, ours, reasons, theirs):
        self.text, self.form, self.ours, self.reasons = text.strip(), form, ours, reasons
        compiled, parsed = theirs.split("\t")
        self.is_dropped = compiled == "-"
        rules = [] if compiled in ("", "-") else compiled.split(SEPARATOR)
        self.compiled = {rule_item(rule) for rule in rules}
        self.kind, *self.fields = parsed.split(SEPARATOR)

    def parsed(self):
        """agtree's items.  Of a name without marks it does not say what of the site is meant: as
        the format has it."""
        scope = "=" if self.form == "adblock" else ""
        if self.kind == "N":
            exception, pattern, *modifiers = self.fields
            if not exception and not modifiers and re.fullmatch(PLAIN, pattern):
                return {("block", scope + pattern.lower())}
            return {rule_item(exception + pattern + ("$" + ",".join(modifiers) if modifiers else ""))}
        if self.kind != "H":
            return set()
        address, *names = self.fields
        try:
            address = ipaddress.ip_address(address.partition("%")[0])
            is_sink = address.is_unspecified or address.is_loopback or int(address) == 0xffffffff
        except ValueError:
            is_sink = True
        if is_sink:
            return {("block", scope + name.lower().rstrip(".")) for name in names}
        kind = "AAAA" if address.version == 6 else "A"
        return {("rewrite", "=" + name.lower().rstrip("."), f"{kind} {address}") for name in names}


Difference = collections.namedtuple("Difference", "oracle line ours theirs")


def bare(item):
    return re.sub(r"^(=|\*\.)", "", item[1])


def pairs(ours, theirs):
    """What stands on one side alone; two that speak of one name stand together."""
    only_ours, only_theirs = sorted(ours - theirs), sorted(theirs - ours)
    for mine in only_ours:
        same = [item for item in only_theirs if bare(item) == bare(mine) or item[0] == "other"]
        if same:
            only_theirs.remove(same[0])
        yield mine, same[0] if same else None
    for item in only_theirs:
        yield None, item


def differences(line):
    for oracle, theirs in ((COMPILER, line.compiled), (AGTREE, line.parsed())):
        for mine, item in pairs(line.ours, theirs):
            yield Difference(oracle, line, mine, item)


# ---- Running ------------------------------------------------------------------------------------

def run(command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True,
                          **options).stdout.decode(errors="replace")


def unpacked(path):
    return subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout \
        if path.suffix == ".zst" else path.read_bytes()


def detected(build, path):
    tool = build / "src/list/list_tool"
    done = subprocess.run([tool, "-q", "auto", path], capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[0].removeprefix("format ")


def read_ours(build, form, path, scratch):
    """Line number -> items, and line number -> reasons."""
    items, reasons = collections.defaultdict(set), collections.defaultdict(set)
    for text in run([build / "src/list/list_tool", "-n", form, path]).splitlines():
        number, action, _, site, _, *target = text.split("\t")
        items[int(number)].add((action, site, *target))
    compiled = subprocess.run(
        [build / "programs/lindung", "compile", "-q", "-o", scratch / "image", "--category", "adult",
         "--format", form, "--rejects", path], capture_output=True, check=False)
    assert compiled.returncode == 0, compiled.stderr[-500:]
    for text in compiled.stderr.decode(errors="replace").split("\n"):
        match = re.match(rf"{re.escape(str(path))}:(\d+): ([a-z-]+): (.*)", text)
        if not match:
            continue
        number, reason = int(match[1]), match[2]
        reasons[number].add(reason)
        if reason in REFUSALS:
            items[number] -= {item for item in items[number] if bare(item) == match[3]}
    return items, reasons


def read(build, form, path, scratch):
    """Every line of a list, as Line."""
    text = unpacked(path)
    items, reasons = read_ours(build, form, path, scratch)
    lines = re.split("\r?\n", text.decode(errors="replace"))
    results = run(["node", PROGRAM], input=text).splitlines()
    assert len(results) == len(lines) - (lines[-1] == ""), path
    for number, (line, theirs) in enumerate(zip(lines, results), 1):
        yield Line(line, form, items[number], reasons[number], theirs)


def as_rules(build, form, path, target):
    """A list in a format that AdGuard does not read, as AdBlock rules: its names are compared."""
    marks = {"=": "|", "*": "||"}
    rules = []
    for text in run([build / "src/list/list_tool", form, path]).splitlines():
        action, _, site, *_ = text.split("\t")
        if action in ("block", "allow") and "/" not in site:
            rules.append(("@@" if action == "allow" else "") + marks.get(site[0], "||")
                         + site.lstrip("=") + "^")
    target.write_text("".join(rule + "\n" for rule in rules))
    return target


# ---- Why they differ ----------------------------------------------------------------------------

def ours_alone(d):
    return d.ours is not None and d.theirs is None


def theirs_alone(d):
    return d.ours is None and d.theirs is not None


def theirs_other(d):
    return d.theirs is not None and d.theirs[0] == "other"


def rejected(*reasons):
    return lambda d: d.ours is None and d.line.reasons & set(reasons) != set()


def name_of(d):
    return bare(d.ours or d.theirs)


def is_address(text):
    return re.fullmatch(r"(\|\|)?(\d{1,3}\.){3}\d{1,3}([\^/:].*)?", text) is not None


@functools.cache
def private_suffixes():
    text = SUFFIXES.read_text(encoding="utf-8").partition("===BEGIN PRIVATE DOMAINS===")[2]
    return {line for line in text.splitlines() if line and not line.startswith("//")}


def is_private_suffix(name):
    """One, or the whole of those of one hoster ("*.name")."""
    return bool({name, "*." + name, "*." + name.partition(".")[2]} & private_suffixes())


def has_modifier(d):
    return re.search(r"\^\$.+|[a-z]\$[a-z]", d.line.text) is not None


# (oracle or None for both, what a difference looks like, why it is so).  The first that fits.
CLASSES = [
    (COMPILER, "name with an underscore",
     "It takes letters, digits and hyphens alone. Such names exist in DNS and stand in the lists.",
     lambda d: ours_alone(d) and d.line.is_dropped and "_" in name_of(d)),
    (COMPILER, "hosts line dropped whole",
     "It drops a hosts line for one name on it that it does not take. We take the others.",
     lambda d: ours_alone(d) and d.line.is_dropped and d.line.form != "domains"
     and len(d.line.text.partition("#")[0].split()) > 2),
    (COMPILER, "name of four letters",
     "It drops plain names of less than five characters, as too wide. They are names as any other.",
     lambda d: ours_alone(d) and d.line.is_dropped and d.line.form == "domains"
     and len(d.line.text) < 5),
    (COMPILER, "part of a site",
     "It drops rules with a slash. We keep them as URL entries, which close no site.",
     lambda d: ours_alone(d) and d.line.is_dropped and "/" in d.ours[1]),
    (COMPILER, "http:// before a name",
     "It drops rules with a slash. http://name^ is that very host for AdGuard's engine, and for us.",
     lambda d: ours_alone(d) and d.line.is_dropped and d.line.text.startswith("http://")),
    (COMPILER, "plain name in a list of rules",
     "Compress makes ||name^ of it. By AdGuard's description a plain name or a hosts line is that "
     "very host, and a list that means more says ||.",
     lambda d: d.line.form == "adblock" and d.ours is not None and d.theirs is not None
     and d.ours[1] == "=" + d.theirs[1] and d.ours[0] == d.theirs[0]),
    (COMPILER, "comment behind a name",
     "It drops a plain name with a comment behind it. What is behind ' #' is a comment.",
     lambda d: ours_alone(d) and d.line.is_dropped and " #" in d.line.text),
    (COMPILER, "$ without modifiers",
     "It takes the rule. Something was meant to stand there that could narrow it.",
     lambda d: rejected("modifier")(d) and d.line.text.endswith("$")),
    (COMPILER, "address of a hosts line",
     "It makes a block of every hosts line. A real address is an answer, as in SafeSearch lists.",
     lambda d: d.theirs is not None and d.theirs[0] == "block"
     and d.ours is not None and d.ours[0] == "rewrite" and bare(d.ours) == d.theirs[1]),
    (None, "://name^",
     "They keep the text. It is that very host (with *. what lies below) for AdGuard's engine, and "
     "for us.",
     lambda d: d.ours is not None and theirs_other(d)
     and re.fullmatch(rf"(https?)?://(\*\.)?{NAME}\^", d.theirs[1]) is not None),
    (AGTREE, "part of a site",
     "It keeps the text of the rule. We keep it as a URL entry, which closes no site.",
     lambda d: d.ours is not None and theirs_other(d) and "/" in d.ours[1]),
    (None, "$dnsrewrite",
     "They keep the modifier as it stands. We take the answers that an entry can give.",
     lambda d: d.ours is not None and theirs_other(d) and "dnsrewrite" in d.theirs[1]),
    (None, "modifier that no entry can express",
     "They keep the rule for AdGuard's engine, which knows clients, types and the rest. We reject "
     "it: without its modifier it would close more than was meant.",
     lambda d: rejected("modifier")(d) and (theirs_other(d) or has_modifier(d))),
    (None, "pattern for a part of a name",
     "They keep the pattern for AdGuard's engine. An entry is a whole name; we reject what is not.",
     lambda d: rejected("pattern", "not-a-name")(d) and theirs_other(d)
     and d.line.form == "adblock"),
    (None, "regular expression",
     "They keep it for AdGuard's engine. An entry is a whole name.",
     lambda d: rejected("regex")(d) and theirs_other(d)),
    (None, "name that ends with a dot",
     "They keep the rule. AdGuard's engine asks for names without the last dot: it matches none.",
     lambda d: rejected("pattern")(d) and d.theirs[1].endswith(".")),
    (COMPILER, "label alone in a list of names",
     "It keeps a word as a pattern, for every name that has it inside. We do not close a top-level "
     "domain, nor names that were not written.",
     lambda d: rejected("single-label")(d) and theirs_other(d) and "." not in d.theirs[1]),
    (None, "not a name",
     "They keep the text. A label has letters, digits, underscores, and hyphens inside; the last one "
     "is no number.",
     lambda d: rejected("not-a-name", "idna", "too-long")(d)
     and (theirs_other(d) or re.search(r"(^|\.)-|-(\.|$)|\.\d+$", name_of(d)))),
    (AGTREE, "address in place of a name",
     "It takes the grammar alone. An IP address is no name.",
     lambda d: rejected("ip-address")(d)),
    (AGTREE, "name with a port",
     "It takes the grammar alone. Without its port the name would close more than was meant.",
     lambda d: rejected("port")(d) and re.search(r":\d+", d.line.text)),
    (None, "name of the machine itself",
     "They take it as any other. To close localhost is in nobody's interest.",
     lambda d: rejected("local")(d)),
    (COMPILER, "public suffix of the private section",
     "It looks at the suffixes of registries alone. Below those of hosters, too, anybody can publish: "
     "an ordinary list cannot close all of them.",
     lambda d: rejected("public-suffix")(d) and is_private_suffix(name_of(d))),
    (COMPILER, NEWER,
     "It brings a list of suffixes that is newer than the system's.",
     lambda d: ours_alone(d) and d.line.is_dropped and name_of(d) in NEW_SUFFIXES),
    (AGTREE, "public suffix or single label",
     "It takes the grammar alone. An ordinary list cannot close everybody below a suffix.",
     lambda d: rejected("public-suffix", "single-label")(d)),
    (None, "protected name",
     "They know no names that nothing can close.",
     lambda d: rejected("protected")(d)),
    (AGTREE, "capital letter in a hosts line",
     "It takes such a line for a pattern. Names have no case.",
     lambda d: d.line.form == "hosts" and theirs_other(d) and d.ours is not None
     and bare(d.ours) == d.theirs[1].split()[-1].lower()),
]


def explain(difference):
    """The class, or None."""
    for row in CLASSES:
        if row[0] in (None, difference.oracle) and row[3](difference):
            return row
    return None
