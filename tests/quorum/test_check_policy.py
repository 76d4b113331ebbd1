# SPDX-License-Identifier: BSD-2-Clause
"""lindung check-policy."""
import re

import pytest

import world


@pytest.fixture
def head(build_dir):
    tool = world.Tool(build_dir)
    yield (f"lindung policy 1\nlog {tool.key('log.example')}\nroot 1 {tool.key('root-1')}\n"
           f"witness w1 {tool.key('w1.example', 'witness')}\nquorum w1\nmax-age 3d\n")
    tool.close()


def check(lindung, tmp_path, text, *options):
    path = tmp_path / "policy"
    path.write_text(text)
    done = lindung("check-policy", *options, path)
    return done.returncode, done.stdout, done.stderr


def test_the_default_policy(lindung, tmp_path, root, head):
    status, out, err = check(lindung, tmp_path, f"{head}include {root}/data/policy/default.policy\n")
    assert (status, err) == (0, "")
    assert re.search(r": OK, hash [0-9a-f]{64}$", out, re.M)
    # Every category that there is has a rule of its own.
    named = set(re.findall(r"^category (\S+)", (root / "data/policy/default.policy").read_text(), re.M))
    keys = set(re.findall(r"^ *- key: (\S+)", (root / "data/categories.yaml").read_text(), re.M))
    assert named == keys | {"*"}


def test_what_is_laxer_needs_a_reason_and_is_told(lindung, tmp_path, root, head):
    text = f"{head}include {root}/data/policy/default.policy\ncategory scam\n  lives 365d\n"
    status, out, err = check(lindung, tmp_path, text)
    assert (status, out) == (1, "")
    assert "category scam" in err and "lives" in err and "laxer REASON" in err
    status, out, err = check(lindung, tmp_path, text + "  laxer the ministry renews once a year\n")
    assert (status, err) == (0, "")
    assert "the ministry renews once a year" in out


def test_what_cannot_work(lindung, tmp_path, head):
    status, out, _ = check(lindung, tmp_path, head + "group g all a.example b.example\n"
                           "group h all a.example g\ncategory one\n  agree h\n")
    assert status == 1
    assert "wrong: group h: nobody can satisfy it" in out
    status, _, err = check(lindung, tmp_path, head + "group g 2 a.example\n")
    assert status == 1
    assert "policy:7: 2 of 1: nobody can satisfy that" in err


def test_the_hash_is_of_the_meaning(lindung, tmp_path, head):
    def hash_of(text):
        return check(lindung, tmp_path, text)[1].split("hash ")[1]

    one = head + "group g 2 kind:ngo a.example\ncategory one\n  agree g\n"
    two = head + "# other words\ngroup other 2 a.example  kind:ngo\n\ncategory one\n\tagree other # x\n"
    assert hash_of(one) == hash_of(two)
    assert hash_of(one) != hash_of(one.replace("2 kind", "any kind"))


def test_popular_names(lindung, tmp_path, head):
    text = head + "popular builtin\ncategory one\n  agree kind:ngo\n"
    assert check(lindung, tmp_path, text)[0] == 0
    names = tmp_path / "names"
    names.write_text("not a name\n")
    status, _, err = check(lindung, tmp_path, text, "--popular", names)
    assert status == 1
    assert 'names:1: "not a name" is not a domain name' in err


def test_wrong_usage(lindung, tmp_path):
    assert lindung("check-policy").returncode == 2
    assert lindung("check-policy", "a", "b").returncode == 2
    assert lindung("check-policy", "--frob").returncode == 2
    assert lindung("check-policy", "--help").returncode == 0
    done = lindung("check-policy", tmp_path / "none")
    assert done.returncode == 1 and "none" in done.stderr
