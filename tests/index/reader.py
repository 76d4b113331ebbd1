# SPDX-License-Identifier: BSD-2-Clause
"""A reader of index files, written from formats/index.md and nothing else.

    image = Image(open("family.ldx", "rb").read())
    for key, tuple_number in image.keys(): ...
    image.find(b"com\\x01example")    through the filter and the fences: a tuple's number or None

Slow and plain on purpose: what it says about a file is what the specification says.
"""
import struct
from typing import NamedTuple

M = (1 << 64) - 1
MAGIC = bytes.fromhex("894C44580D0A1A0A")
SECTIONS = ("categories", "sources", "targets", "rules", "tuples", "codes", "dictionary", "steps",
            "fences", "offsets", "blocks", "filter", "sealed")


class Damaged(Exception):
    """The file does not follow the specification."""


def check(condition, what):
    """Section 12."""
    if not condition:
        raise Damaged(what)


def u64(data, at=0):
    """Eight octets, zeros behind the end."""
    return int.from_bytes(data[at:at + 8], "little")


def mix(a, b):
    """Section 7."""
    product = a * b
    return (product & M) ^ (product >> 64)


def hash_octets(data, seed):
    """Section 8."""
    k0, k1 = 0x6a09e667f3bcc909, 0xbb67ae8584caa73b
    k2, k3 = 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1
    h = mix(seed ^ k0, k1)
    whole = len(data) // 16 * 16
    for a, b in struct.iter_unpack("<QQ", data[:whole]):
        h = mix(a ^ k1, b ^ h)
    rest = data[whole:] + bytes(16)
    h = mix(u64(rest) ^ k2, u64(rest, 8) ^ h)
    return mix(h ^ k3, len(data) ^ k0)


def hash_key(key):
    """Section 7."""
    host, slash, path = key.partition(b"/")
    result = 0x452821e638d01377
    for label in host.split(b"\x01"):
        h = result ^ (len(label) * 0xc0ac29b7c97c50dd & M)
        while True:
            low, high = u64(label), u64(label, 8)
            h = mix(low ^ h, high ^ 0xbe5466cf34e90c6d ^ h >> 32)
            if len(label) <= 16:
                break
            label = label[16:]
        result = h
    return hash_octets(slash + path, result) if slash else result


def siphash_128(key, data):
    """Section 14: SipHash-2-4 with 128 bits of output."""
    def turn(x, bits):
        return (x << bits | x >> 64 - bits) & M

    def rounds(count):
        for _ in range(count):
            v[0], v[2] = v[0] + v[1] & M, v[2] + v[3] & M
            v[1], v[3] = turn(v[1], 13) ^ v[0], turn(v[3], 16) ^ v[2]
            v[0] = turn(v[0], 32)
            v[2], v[0] = v[2] + v[1] & M, v[0] + v[3] & M
            v[1], v[3] = turn(v[1], 17) ^ v[2], turn(v[3], 21) ^ v[0]
            v[2] = turn(v[2], 32)

    k0, k1 = u64(key), u64(key, 8)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261,
         k1 ^ 0x7465646279746573]
    whole = len(data) // 8 * 8
    for at in range(0, whole + 1, 8):
        word = u64(data, at) if at < whole else u64(data[whole:]) | (len(data) & 255) << 56
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xee
    rounds(4)
    low = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xdd
    rounds(4)
    return struct.pack("<QQ", low, v[0] ^ v[1] ^ v[2] ^ v[3])


def step(text):
    """Section 6: the four numbers of a text's first 32 octets."""
    return list(struct.unpack(">4Q", text[:32].ljust(32, b"\0")))


def window(text, first):
    """Section 6: the number of four octets from `first` on."""
    number = 0
    for octet in text[first:first + 4].ljust(4, b"\0"):
        number = number << 7 | octet & 127
    return number


class Rule(NamedTuple):
    """Section 3, texts instead of numbers; category "*" for every one."""
    category: bytes
    action: int
    scope: int
    flags: int
    source: bytes
    target: bytes


class Code:
    """A canonical prefix code (section 4): bits to symbols."""

    def __init__(self, lengths):
        self.symbols = {}
        code = 0
        for length in range(1, 13):
            for symbol, its in enumerate(lengths):
                check(its <= 12, "code length")
                if its == length:
                    check(code < 1 << length, "code overfull")
                    self.symbols[length, code] = symbol
                    code += 1
            code <<= 1

    def read(self, bits):
        """The highest bit of a code comes first."""
        code = 0
        for length in range(1, 13):
            code = code << 1 | bits.raw(1)
            if (length, code) in self.symbols:
                return self.symbols[length, code]
        raise Damaged("no such code")


class Bits:
    """Bits of a half: from its start on, and 12 at a time from its end backwards."""

    def __init__(self, data):
        self.data = data
        self.at, self.end = 0, 8 * len(data)

    def _bits(self, at, count):
        few = int.from_bytes(self.data[at // 8:at // 8 + 4], "little")
        return few >> at % 8 & (1 << count) - 1

    def raw(self, count):
        """Least significant first."""
        self.at += count
        return self._bits(self.at - count, count)

    def string(self):
        """The next string's number."""
        self.end -= 12
        check(self.end >= 0, "more strings than octets")
        return self._bits(self.end, 12)


class Image:
    """An index file."""

    def __init__(self, data, verify=True):
        check(len(data) >= 512 and data[:8] == MAGIC, "no index")
        version, self.flags, length, self.count = struct.unpack_from("<IIQQ", data, 8)
        check(version in (2, 3), "version")
        check(u64(data, 504) == hash_octets(data[:504], version), "header hash")
        check(length == len(data) and self.flags & ~3 == 0, "length or flags")
        self.date, self.suffix_date, self.block_count, self.labels_min, self.labels_max = (
            struct.unpack_from("<5I", data, 40))
        self.sections = {}
        for number, name in enumerate(SECTIONS if version == 3 else SECTIONS[:12]):
            offset, size, expected = struct.unpack_from("<QQQ", data, 64 + 24 * number)
            check(offset + size <= len(data), name)
            self.sections[name] = data[offset:offset + size]
            if verify:
                check(hash_octets(self.sections[name], number) == expected, f"hash of {name}")
                check(offset % 64 == 0, f"{name} is not aligned")
        self.categories, self.sources, self.targets = map(self._texts, SECTIONS[:3])
        self.rules = [self._rule(*r) for r in struct.iter_unpack("<BBBBHH", self.sections["rules"])]
        self._tuples()
        codes = self.sections["codes"]
        self.shape_code = Code(codes[:1025])
        self.tuple_code = Code(codes[1025:])
        self.escape = len(codes) - 1026
        self._dictionary()
        self._places()
        self._sealed()

    def _texts(self, name):
        data = self.sections[name]
        count, = struct.unpack_from("<I", data)
        ends = struct.unpack_from(f"<{count}I", data, 4)
        octets = data[4 + 4 * count:]
        return [octets[a:b] for a, b in zip((0, *ends), ends)]

    def _rule(self, category, action_scope, flags, zero, source, target):
        check(zero == 0 and action_scope & 15 <= 3 and 1 <= action_scope >> 4 <= 4, "rule")
        return Rule(b"*" if category == 255 else self.categories[category], action_scope & 15,
                    action_scope >> 4, flags, self.sources[source],
                    b"" if target == 65535 else self.targets[target])

    def _tuples(self):
        data = self.sections["tuples"]
        count, = struct.unpack_from("<I", data)
        ends = struct.unpack_from(f"<{count}I", data, 4)
        numbers = struct.unpack_from(f"<{ends[-1] if ends else 0}H", data, 4 + 4 * count)
        self.tuples = [[self.rules[n] for n in numbers[a:b]] for a, b in zip((0, *ends), ends)]

    def _sealed(self):
        """Section 14: blinded hashes with the numbers of their tuples."""
        data = self.sections.get("sealed", b"")
        check(len(data) == 0 or len(data) > 16 and (len(data) - 16) % 18 == 0, "sealed")
        count = max(len(data) - 16, 0) // 18
        self.seal_key = data[:16]
        hashes = [data[16 + 16 * i:32 + 16 * i] for i in range(count)]
        check(all(a < b for a, b in zip(hashes, hashes[1:])), "sealed hashes in order")
        numbers = struct.unpack_from(f"<{count}H", data, 16 + 16 * count) if count else ()
        self.sealed = dict(zip(hashes, numbers))
        for number in numbers:
            check(all(r.flags & 8 and r.action in (0, 3) for r in self.tuples[number]), "seals")

    def _dictionary(self):
        data = self.sections["dictionary"]
        count, = struct.unpack_from("<I", data)
        check(len(data) == 4 + 9 * count and count <= 4096, "dictionary")
        lengths = data[4 + 8 * count:]
        self.strings = [data[4 + 8 * i:4 + 8 * i + lengths[i]] for i in range(count)]

    def _places(self):
        """Where each block begins, and where the last one ends."""
        groups = (self.block_count + 15) // 16
        check(self.block_count == (self.count + 31) // 32, "number of blocks")
        check(len(self.sections["steps"]) == 33 * groups, "steps")
        check(len(self.sections["fences"]) == 4 * self.block_count, "fences")
        data = self.sections["offsets"]
        bases = struct.unpack_from(f"<{groups}I", data)
        deltas = struct.unpack_from(f"<{self.block_count}H", data, 4 * groups)
        wide = 4 * groups + 2 * self.block_count
        self.places = []
        for block in range(self.block_count):
            base = bases[block // 16]
            if base >> 31:
                at = wide + 64 * (base & 0x7fffffff) + 4 * (block % 16)
                self.places += struct.unpack_from("<I", data, at)
            else:
                self.places.append(base + deltas[block])
        self.places.append(len(self.sections["blocks"]) - 16)
        check(self.places == sorted(self.places), "blocks in order")

    def _half(self, data, first_key, count, prefix):
        """Keys with tuples of a half; `first_key`: what its first key joins on to (None: nothing).
        Returns them and the prefix of the block."""
        bits, keys, before, tuple_number = Bits(data), [], first_key, None
        for _ in range(count):
            shape = self.shape_code.read(bits)
            if shape == 1024:
                shape = bits.raw(10)
            same, shared, symbols = shape & 1, shape >> 1 & 31, shape >> 6
            if shared == 31:
                shared = bits.raw(12)
            if symbols == 15:
                symbols = bits.raw(12)
            if not same:
                tuple_number = self.tuple_code.read(bits)
                if tuple_number == self.escape:
                    tuple_number = bits.raw(16)
            rest = b"".join(self.strings[bits.string()] for _ in range(symbols))
            if before is None:
                prefix, key = shared, rest
            else:
                check(prefix + shared <= len(before), "shares more than there is")
                key = before[:prefix + shared] + rest
            check(0 < len(key) <= 4095 and tuple_number < len(self.tuples), "key")
            keys.append((key, tuple_number))
            before = key
        check(bits.end - bits.at in range(8), "bits left over")
        return keys, prefix

    def block(self, number):
        """Keys with tuples of one block."""
        data = self.sections["blocks"][self.places[number]:self.places[number + 1]]
        count = min(32, self.count - 32 * number)
        length, start = data[0], 1
        if length == 255:
            length, start = int.from_bytes(data[1:4], "little"), 4
        keys, prefix = self._half(data[start:start + length], None, min(count, 16), 0)
        if count > 16:
            keys += self._half(data[start + length:], keys[0][0], count - 16, prefix)[0]
        check(all(key.startswith(keys[0][0][:prefix]) for key, _ in keys), "prefix")
        return keys

    def keys(self):
        """All keys in order, with the numbers of their tuples."""
        for number in range(self.block_count):
            yield from self.block(number)

    def may_hold(self, key):
        """What the filter says."""
        data = self.sections["filter"]
        bits, = struct.unpack_from("<I", data)
        h = hash_key(key)
        seed, offset, window, mask = struct.unpack_from("<QIII", data, 4 + 20 * (h >> 64 - bits))
        h ^= seed
        h = (h ^ h >> 32) * 0x9fb21c651e98df25 & M
        h = (h ^ h >> 28) * 0xd6e8feb86659fd93 & M
        h ^= h >> 32
        p0 = h * window >> 64
        p1 = (p0 + mask + 1) ^ (h >> 18 & mask)
        p2 = (p0 + 2 * (mask + 1)) ^ (h & mask)
        return (data[offset + p0] ^ data[offset + p1] ^ data[offset + p2]) == (h >> 36 ^ h) & 255

    def find(self, key):
        """The number of the key's tuple, or None: filter, then groups by steps, blocks by fences."""
        if not self.may_hold(key):
            return None
        groups = (self.block_count + 15) // 16
        steps = struct.unpack_from(f"<{4 * groups}Q", self.sections["steps"])
        shared = self.sections["steps"][32 * groups:]
        ours = step(key)
        for group in reversed(range(groups)):
            if [steps[i * groups + group] for i in range(4)] > ours:
                continue
            if self.block(16 * group)[0][0] <= key:
                return self._find_in_group(group, shared[group], key)
            if [steps[i * groups + group] for i in range(4)] < ours:
                return None
        return None

    def find_sealed(self, key):
        """The number of the tuple of a sealed key, or None."""
        if not self.sealed or not self.may_hold(key):
            return None
        return self.sealed.get(siphash_128(self.seal_key, key))

    def _find_in_group(self, group, prefix, key):
        """Walk the fences: `level` windows agree with the cut of the last block not past the key."""
        first, end = 16 * group, min(16 * group + 16, self.block_count)
        fences = struct.unpack(f"<{self.block_count}I", self.sections["fences"])
        found, level = None, 0
        for block in range(first, end):
            theirs, number = fences[block] >> 28, fences[block] & 0xfffffff
            ours = window(key, prefix + 4 * level)
            if theirs < level or (theirs == level and number > ours):
                break
            found = block
            if theirs == level and number == ours:
                level += 1
        while found is not None and found >= first:
            keys = self.block(found)
            if keys[0][0] <= key:
                return dict(keys).get(key)
            # Only if the key agrees with the cut as far as the fence tells can it be before it.
            if window(key, prefix + 4 * (fences[found] >> 28)) != fences[found] & 0xfffffff:
                return None
            found -= 1
        return None


def host_to_key(host):
    """www.example.com to com 01 example 01 www."""
    return b"\x01".join(reversed(host.encode("ascii").split(b".")))


def key_to_entry(key, scope):
    """As formats/list.md writes it."""
    host, slash, path = key.partition(b"/")
    text = b".".join(reversed(host.split(b"\x01"))) + slash + path
    return ({1: "=", 2: "*."}.get(scope, "")) + text.decode("ascii")


def judge(image, host):
    """Section 9, for one name and every category: (protected, blocked, allowed, target)."""
    labels = host.lower().rstrip(".").encode("ascii").split(b".")
    locked, important, plain, target, protected = {}, {}, {}, b"", False
    for first in range(len(labels)):
        key = b"\x01".join(reversed(labels[first:]))
        numbers = [n for n in (image.find(key), image.find_sealed(key)) if n is not None]
        rules = [r for n in numbers for r in image.tuples[n] if r.scope & (1 if first == 0 else 2)]
        for said, flag in ((locked, 8), (important, 1), (plain, 0)):
            mine = {}
            for r in rules:
                if r.flags & 9 != flag or r.action > 1:
                    continue
                for category in image.categories if r.category == b"*" else [r.category]:
                    mine[category] = mine.get(category, False) or r.action == 1
            for category, opens in mine.items():
                said.setdefault(category, opens)
        protected = protected or any(r.flags & 4 for r in rules)
        target = target or next((r.target for r in rules if r.action == 2), b"")
    decided = {**plain, **important, **locked}
    blocked = set() if protected else {c for c, opens in decided.items() if not opens}
    return (protected, blocked, {c for c, opens in decided.items() if opens},
            b"" if protected or blocked else target)
