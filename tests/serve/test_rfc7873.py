# SPDX-License-Identifier: BSD-2-Clause
"""RFC 7873, DNS cookies, made as in RFC 9018.  Its vectors: src/resolver/cookie_test.c."""
import json
import os
import signal
import struct
import subprocess
import time

import dns.rcode
import pytest

from serving import assert_answered, assert_blocked, free_port
from octets import COOKIE, ask, ask_tcp, opt, options_of, parse, query
from test_supervision import children, seconds_until_blocked, wait_until

CLIENT = bytes.fromhex("2464c4abcf10c957")


def siphash(key, data):
    """SipHash-2-4, written from its definition."""
    mask = (1 << 64) - 1

    def turn(x, bits):
        return (x << bits | x >> (64 - bits)) & mask

    def rounds(v, count):
        for _ in range(count):
            v[0] = v[0] + v[1] & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = v[2] + v[3] & mask
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = v[0] + v[3] & mask
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = v[2] + v[1] & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    data += bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", data):
        v[3] ^= word
        rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(v, 4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def server_cookie(secret, made_s, address=b"\x7f\0\0\1", client=CLIENT):
    front = client + b"\1\0\0\0" + struct.pack("!I", made_s)
    return front + siphash(secret, front + address)


def cookie_query(cookie, name="listed.example"):
    return query(name, additional=[opt(options=[(COOKIE, cookie)])])


def test_the_oracle_is_right():
    secret = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
    assert server_cookie(secret, 1559731985, bytes([198, 51, 100, 100])) == bytes.fromhex(
        "2464c4abcf10c957010000005cf79f111f8130c3eee29480")


def test_learning_and_using_one(serve, config):
    server = serve(config)
    for name, check in (("listed.example", assert_blocked), ("open.example", assert_answered)):
        wire = ask(server, cookie_query(CLIENT, name))
        check(parse(wire))
        cookie = options_of(wire)[COOKIE]
        assert len(cookie) == 24 and cookie[:12] == CLIENT + b"\1\0\0\0"
        assert abs(struct.unpack("!I", cookie[12:16])[0] - time.time()) < 5
        # The same comes back while it is young, whichever thread it meets.
        for way in [ask] * 8 + [ask_tcp]:
            wire = way(server, cookie_query(cookie, name))
            check(parse(wire))
            assert options_of(wire)[COOKIE] == cookie


def test_no_cookie_without_one(serve, config):
    server = serve(config)
    assert COOKIE not in options_of(ask(server, query("listed.example", additional=[opt()])))
    assert options_of(ask(server, query("listed.example"))) is None


def test_wrong_cookie_is_answered_with_a_good_one(serve, config):
    server = serve(config)
    good = options_of(ask(server, cookie_query(CLIENT)))[COOKIE]
    for wrong in (good[:-1] + bytes([good[-1] ^ 1]), CLIENT + bytes(8), CLIENT + bytes(32),
                  CLIENT + b"\2" + good[9:], b"x" * 24):
        wire = ask(server, cookie_query(wrong))
        assert_blocked(parse(wire))
        fresh = options_of(wire)[COOKIE]
        assert fresh[:8] == wrong[:8] and len(fresh) == 24
        assert fresh != wrong


@pytest.mark.parametrize("length", [0, 1, 7, 9, 15, 41, 100])
def test_malformed_length(serve, config, length):
    server = serve(config)
    for way in (ask, ask_tcp):
        wire = way(server, cookie_query(b"x" * length))
        assert parse(wire).rcode() == dns.rcode.FORMERR
        assert COOKIE not in options_of(wire)


def test_required_cookies(serve, config):
    config["cookie"] = {"required": True}
    server = serve(config)
    assert_blocked(parse(ask(server, query("listed.example", additional=[opt()]))))
    for name in ("listed.example", "open.example", "localhost"):
        wire = ask(server, cookie_query(CLIENT, name))
        reply = parse(wire)
        assert reply.rcode() == dns.rcode.BADCOOKIE
        assert not reply.answer and not reply.authority
        wire = ask(server, cookie_query(options_of(wire)[COOKIE], name))
        assert parse(wire).rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    # RFC 7873 section 5.2.3: a connection has shown where its client is.
    assert_blocked(parse(ask_tcp(server, cookie_query(CLIENT))))


def test_5_4_cookie_without_question(serve, config):
    server = serve(config)
    wire = ask(server, query(None, additional=[opt(options=[(COOKIE, CLIENT)])]))
    reply = parse(wire)
    assert reply.rcode() == dns.rcode.NOERROR
    assert not reply.question and not reply.answer and not reply.authority
    assert len(options_of(wire)[COOKIE]) == 24


def test_rfc9018_machines_with_one_secret(serve, config, tmp_path):
    """Two machines on one address, and a third program that knows the secret."""
    new, old = bytes(range(16)), bytes(range(16, 32))
    secrets = tmp_path / "cookie-secrets"
    secrets.write_text(f"{new.hex()}\n{old.hex().upper()}\n")
    config["cookie"] = {"required": True, "secret-file": str(secrets)}
    servers = [serve(config)]
    config["listen"] = [f"127.0.0.1@{free_port()}"]
    config["metrics"] = {"listen": f"127.0.0.1@{free_port()}"}
    servers.append(serve(config))
    cookie = options_of(ask(servers[0], cookie_query(CLIENT)))[COOKIE]
    made_s = struct.unpack("!I", cookie[12:16])[0]
    assert cookie == server_cookie(new, made_s)
    now_s = int(time.time())
    for server in servers:
        for good in (cookie, server_cookie(old, now_s), server_cookie(new, now_s - 3500),
                     server_cookie(new, now_s + 290)):
            assert_blocked(parse(ask(server, cookie_query(good))))
        for bad in (server_cookie(new, now_s - 3700), server_cookie(new, now_s + 320),
                    server_cookie(new, now_s, address=b"\x7f\0\0\2"),
                    server_cookie(bytes(16), now_s)):
            assert parse(ask(server, cookie_query(bad))).rcode() == dns.rcode.BADCOOKIE
        # Past half of its time it is answered with a new one.
        wire = ask(server, cookie_query(server_cookie(new, now_s - 1900)))
        assert_blocked(parse(wire))
        fresh = options_of(wire)[COOKIE]
        assert fresh == server_cookie(new, struct.unpack("!I", fresh[12:16])[0])
        assert struct.unpack("!I", fresh[12:16])[0] >= now_s


def test_given_secrets_outlive_the_resolver(serve, config, tmp_path):
    """The file is read by the parent, once: a resolver that is started again has them from there."""
    secrets = tmp_path / "cookie-secrets"
    secrets.write_text(bytes(range(16)).hex() + "\n")
    config["cookie"] = {"required": True, "secret-file": str(secrets)}
    server = serve(config)
    cookie = options_of(ask(server, cookie_query(CLIENT)))[COOKIE]
    secrets.unlink()
    pid = children(server)["resolver"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: children(server).get("resolver", pid) != pid)
    seconds_until_blocked(server)
    assert_blocked(parse(ask(server, cookie_query(cookie))))


@pytest.mark.parametrize("text,told", [
    ("00112233\n", ":1: expected 32 hexadecimal digits"),
    ("\n" + "g" * 32, ":2: expected 32 hexadecimal digits"),
    ("\n".join(["0" * 32] * 5), ":5: more than 4 secrets"),
    ("\n\n", " is empty"),
    (None, "No such file"),
])
def test_secret_file_that_is_none(lindung, config, tmp_path, text, told):
    secrets = tmp_path / "cookie-secrets"
    if text is not None:
        secrets.write_text(text)
    config["cookie"] = {"secret-file": str(secrets)}
    conf = tmp_path / "lindung.yaml"
    conf.write_text(json.dumps(config))
    done = lindung("serve", "-c", conf)
    assert done.returncode == 1
    assert told in done.stderr and str(secrets) in done.stderr
    assert text is None or text.strip() == "" or text.strip() not in done.stderr


def test_dig_and_kdig(serve, config):
    """dig asks again by itself after BADCOOKIE."""
    config["cookie"] = {"required": True}
    server = serve(config)
    for program in (["dig", "+cookie"], ["kdig", "+cookie"]):
        done = subprocess.run([*program, "-p", str(server.port), "@127.0.0.1", "open.example"],
                              capture_output=True, text=True, timeout=20, check=True)
        assert "192.0.2.53" in done.stdout, done.stdout
    assert "(good)" in subprocess.run(
        ["dig", "+cookie", "-p", str(server.port), "@127.0.0.1", "open.example"],
        capture_output=True, text=True, timeout=20, check=True).stdout
