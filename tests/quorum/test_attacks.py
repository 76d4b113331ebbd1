# SPDX-License-Identifier: BSD-2-Clause
"""What somebody might try, and what comes of it.  Every case also runs past the oracle."""
import pytest

import oracle
import world

DAY = oracle.DAY
START = 1767225600  # 2026-01-01
PARTIES = {"min.example": ("ministry", "ID"), "hot.example": ("hotline", "ID"),
           "pol.example": ("police", "MY"), "ngo.example": ("ngo", "ID"),
           "uni.example": ("academic", "MY"), "op.example": ("isp", "ID")}


def of(needed, *members):
    made = []
    for m in members:
        if isinstance(m, oracle.Group):
            made.append(("group", m))
        elif m.startswith("kind:"):
            made.append(("kind", m[5:].split("/")[0], (m.split("/") + [None])[1]))
        elif m.startswith("country:"):
            made.append(("kind", None, m[8:]))
        else:
            made.append(("party", m))
    return oracle.Group(needed, made)


CRITICS = of(1, "kind:ngo", "kind:academic", "kind:hotline")
DECIDERS = of(2, "kind:ministry", "kind:police", "kind:academic")


@pytest.fixture
def tool(build_dir, tmp_path):
    popular = tmp_path / "popular.txt"
    popular.write_text("bank.test\nhelp.bank-of.test\n")
    tool = world.Tool(build_dir, str(popular))
    yield tool
    tool.close()


@pytest.fixture
def make(tool):
    """make(rule...) -> a world whose log knows the parties."""
    def begin(flood=None, roots=None, **rule):
        rule = {"agree": of(1, "kind:ministry", "kind:hotline"), "suspend": (2, CRITICS),
                "uphold": DECIDERS, "clock": 14 * DAY, **rule}
        policy = oracle.Policy(world.ORIGIN,
                               roots or [(2, {"root-1", "root-2", "root-3"}, oracle.NEVER)],
                               {"gambling": oracle.Rule(**rule)},
                               {"bank.test", "help.bank-of.test"}, {"op.example"}, flood or {})
        w = world.World(tool, policy)
        for party in PARTIES:
            party_add(w, party, START)
        return w
    return begin


def party_add(w, party, time, key=None, signers=("root-1", "root-2"), **fields):
    kind, country = PARTIES[party]
    fields = {"kind": kind, "country": country, **fields}
    return said(w, world.statement("party-add", "root", time, signers=signers, subject=party,
                                   key=key or party, **fields))


def revoke(w, party, time, since, signers=("root-1", "root-3")):
    return said(w, world.statement("party-revoke", "root", time, signers=signers, subject=party,
                                   from_=since))


def said(w, s, block=None):
    w.add(s, block)
    return s


def lists(w, party, time, *entries, action="list", key=None, block=None, **fields):
    fields.setdefault("category", "gambling")
    return said(w, world.statement(action, party, time, signers=(key or party,),
                                   entries=list(entries), **fields), block)


def says(w, action, party, time, about, *entries, key=None, **fields):
    return said(w, world.statement(action, party, time, signers=(key or party,),
                                   entries=list(entries) or None, statement=about.ident, **fields))


def closed(w, now):
    return sorted(entry for (_, entry), (action, _) in w.settle(now).items() if action == "block")


# ---- Keys ---------------------------------------------------------------------------------------

def test_a_stolen_key_is_revoked_from_before_the_theft(make):
    w = make()
    lists(w, "min.example", START + 10, "good.test")
    lists(w, "min.example", START + 2 * DAY, "bad.test")  # the thief
    assert closed(w, START + 2 * DAY) == ["bad.test", "good.test"]
    revoke(w, "min.example", START + 3 * DAY, START + DAY)
    assert closed(w, START + 3 * DAY) == []  # its statements die with its validity
    party_add(w, "min.example", START + 3 * DAY + 1, key="min.example/2")
    assert closed(w, START + 3 * DAY + 1) == ["good.test"]


def test_the_thief_goes_on_after_the_revoke(make):
    w = make()
    revoke(w, "min.example", START + DAY, START + DAY)
    assert lists(w, "min.example", START + DAY + 5, "x.test").refusal == "revoked-party"
    # dated from before
    assert lists(w, "min.example", START + 5, "x.test").refusal == "revoked-party"
    party_add(w, "min.example", START + 2 * DAY, key="min.example/2")
    assert lists(w, "min.example", START + 2 * DAY, "x.test").refusal == "signature"
    assert closed(w, START + 3 * DAY) == []


def test_a_thief_cannot_date_back(make):
    w = make()
    lists(w, "min.example", START + 5 * DAY, "good.test")
    assert lists(w, "min.example", START + 4 * DAY, "bad.test").refusal == "backdated"
    assert closed(w, START + 6 * DAY) == ["good.test"]


def test_a_thief_cannot_date_back_to_before_the_key(make):
    w = make()
    party_add(w, "min.example", START + 5 * DAY, key="min.example/2")
    assert lists(w, "min.example", START + DAY, "bad.test", key="min.example/2").refusal == "backdated"


def test_what_a_thief_withdrew_comes_back(make):
    w = make()
    s = lists(w, "min.example", START + 10, "good.test")
    says(w, "withdraw", "min.example", START + 2 * DAY, s)
    assert closed(w, START + 2 * DAY) == []
    revoke(w, "min.example", START + 3 * DAY, START + DAY)
    party_add(w, "min.example", START + 3 * DAY, key="min.example/2")
    assert closed(w, START + 3 * DAY) == ["good.test"]


def test_an_endorsement_keeps_what_an_ended_party_has_said(make):
    w = make(agree=of(1, "kind:ministry", "kind:ngo"))
    s = lists(w, "min.example", START + 10, "kept.test", "lost.test")
    says(w, "endorse", "ngo.example", START + 20, s, "kept.test")
    revoke(w, "min.example", START + 3 * DAY, START + 2 * DAY)
    assert closed(w, START + 3 * DAY) == ["kept.test"]
    # but not what means nothing at all
    revoke(w, "min.example", START + 4 * DAY, START)
    assert closed(w, START + 4 * DAY) == []


def test_a_revoked_key_never_comes_back(make):
    w = make()
    party_add(w, "min.example", START + DAY, key="min.example/2")
    revoke(w, "min.example", START + 2 * DAY, START + 2 * DAY)
    for key in ("min.example", "min.example/2"):
        assert party_add(w, "min.example", START + 3 * DAY, key=key).refusal == "used-key"


def test_an_old_party_add_that_was_held_back(make):
    w = make()
    revoke(w, "min.example", START + 2 * DAY, START)
    assert party_add(w, "min.example", START + DAY, key="min.example/2").refusal == "backdated"


def test_the_root_needs_its_quorum_each_key_once(make):
    w = make()
    assert revoke(w, "min.example", START + DAY, START, signers=("root-1",)).refusal == "root-signatures"
    assert revoke(w, "min.example", START + DAY, START,
                  signers=("root-1", "min.example")).refusal == "root-signatures"


def test_an_expired_root(make):
    w = make(roots=[(1, {"root-1", "root-2"}, START + 10 * DAY), (1, {"root-3"}, oracle.NEVER)])
    new = {"signers": ("root-1",), "key": "min.example/2"}
    assert party_add(w, "min.example", START + 9 * DAY, **new).refusal is None
    new["key"] = "min.example/3"
    assert party_add(w, "min.example", START + 10 * DAY, **new).refusal == "root-signatures"
    new["signers"] = ("root-3",)
    assert party_add(w, "min.example", START + 10 * DAY, **new).refusal is None


def test_a_party_does_not_pass_for_two(make, tool):
    """The same key under another name."""
    w = make(agree=of(2, "kind:ministry"))
    s = world.statement("party-add", "root", START + 1, signers=("root-1", "root-2"),
                        subject="twin.example", key="min.example", kind="ministry", country="ID")
    text = world.text_of(tool, s)
    # Its name must be the party's: with the name of the first it is no statement.
    assert tool.ask("add root-1,root-2", text) == ["syntax"]


# ---- Replay --------------------------------------------------------------------------------------

def test_a_statement_of_another_log(make):
    w = make()
    assert lists(w, "min.example", START + 10, "x.test", log="other.example").refusal == "other-log"
    assert closed(w, START + DAY) == []


def test_the_same_statement_again_after_its_withdraw(make):
    w = make()
    s = lists(w, "min.example", START + 10, "x.test")
    says(w, "withdraw", "min.example", START + 20, s)
    assert lists(w, "min.example", START + 10, "x.test").refusal == "repeated"
    assert closed(w, START + DAY) == []


def test_a_note_without_a_signature(make):
    w = make()
    s = world.statement("list", "min.example", START + 10, signers=("min.example",), entries=["x.test"],
                        category="gambling")
    text = world.text_of(w.tool, s)
    assert w.tool.ask("add -", text) == ["syntax"]
    assert w.tool.ask("add ngo.example", text) == ["signature"]
    # The id is not taken by those who could not sign it.
    assert w.tool.ask("add min.example", text) == ["none"]


# ---- Names that must not be closed ---------------------------------------------------------------

def test_a_well_known_name_takes_more(make):
    w = make(popular=of(1, "kind:academic"))
    s = lists(w, "min.example", START + 10, "bank.test", "www.bank.test", "=m.bank.test", "bank-of.test",
              "sub.bank.test", "bank.test/page", "*.bank.test", "notbank.test", "=bank-of.test")
    assert closed(w, START + 20) == ["=bank-of.test", "bank.test/page", "notbank.test", "sub.bank.test"]
    says(w, "endorse", "uni.example", START + 30, s)
    assert len(closed(w, START + 40)) == 9


def test_disputes_suspend_until_they_are_decided(make):
    w = make()
    s = lists(w, "min.example", START + 10, "site.test", "other.test")
    one = says(w, "dispute", "ngo.example", START + 20, s, "site.test")
    says(w, "dispute", "ngo.example", START + 25, s, "site.test")  # twice is once
    says(w, "dispute", "op.example", START + 26, s, "site.test")  # not of the group
    assert closed(w, START + 30) == ["other.test", "site.test"]
    two = says(w, "dispute", "uni.example", START + 40, s, "site.test")
    assert closed(w, START + 40) == ["other.test"]
    says(w, "decide", "min.example", START + 50, one, decision="uphold")
    assert closed(w, START + 50) == ["other.test"]
    # It ends the entry for what stood before it; anew it may be listed.
    says(w, "decide", "pol.example", START + 60, one, decision="uphold")
    lists(w, "hot.example", START + 70, "site.test")
    assert closed(w, START + 70) == ["other.test", "site.test"]
    assert two.refusal is None


def test_a_rejected_dispute_does_not_suspend_again_at_once(make):
    w = make(suspend=(1, CRITICS))
    s = lists(w, "hot.example", START + 10, "site.test")
    d = says(w, "dispute", "ngo.example", START + 20, s)
    assert closed(w, START + 20) == []
    says(w, "decide", "min.example", START + 30, d, decision="reject")
    says(w, "decide", "pol.example", START + 31, d, decision="reject")
    assert closed(w, START + 31) == ["site.test"]
    says(w, "dispute", "ngo.example", START + 40, s)
    assert closed(w, START + 40) == ["site.test"]
    assert closed(w, START + 40 + 14 * DAY) == []  # but its clock runs


def test_nobody_decides_in_its_own_favour(make):
    w = make(uphold=of(1, "kind:ministry", "kind:ngo"))
    s = lists(w, "min.example", START + 10, "site.test")
    d = says(w, "dispute", "ngo.example", START + 20, s)
    assert says(w, "decide", "ngo.example", START + 30, d, decision="uphold").refusal == "own-favour"
    assert says(w, "decide", "min.example", START + 30, d, decision="reject").refusal == "own-favour"
    assert says(w, "decide", "min.example", START + 31, d, decision="uphold").refusal is None
    assert closed(w, START + 31) == []


def test_a_party_decides_once(make):
    w = make()
    s = lists(w, "hot.example", START + 10, "site.test")
    d = says(w, "dispute", "ngo.example", START + 20, s)
    says(w, "decide", "min.example", START + 30, d, decision="uphold")
    says(w, "decide", "min.example", START + 31, d, decision="uphold")
    assert closed(w, START + 31) == ["site.test"]
    # What it says last counts.
    says(w, "decide", "min.example", START + 32, d, decision="reject")
    says(w, "decide", "pol.example", START + 33, d, decision="uphold")
    assert closed(w, START + 33) == ["site.test"]
    says(w, "decide", "uni.example", START + 34, d, decision="uphold")
    assert closed(w, START + 34) == []
    # And what is decided is decided.
    says(w, "decide", "pol.example", START + 35, d, decision="reject")
    says(w, "decide", "uni.example", START + 36, d, decision="reject")
    assert closed(w, START + 36) == []


def test_an_appeal_does_not_set_the_clock_back(make):
    w = make()
    s = lists(w, "op.example", START + 5000, "site.test")
    assert says(w, "appeal", "op.example", START + 5000, s).refusal is None
    assert lists(w, "op.example", START + 4999, "other.test").refusal == "backdated"
    assert lists(w, "op.example", START + 5000, "other.test").refusal is None


def test_an_appeal_that_nobody_answers(make):
    w = make()
    s = lists(w, "min.example", START + 10, "site.test", "other.test")
    assert says(w, "appeal", "ngo.example", START + DAY, s, "site.test").refusal == "not-operator"
    says(w, "appeal", "op.example", START + DAY + 500, s, "site.test")
    assert closed(w, START + 15 * DAY - 1) == ["other.test", "site.test"]
    assert w.next <= START + 15 * DAY
    assert closed(w, START + 15 * DAY) == ["other.test"]


def test_a_relisted_name_stays_suspended(make):
    w = make(suspend=(1, CRITICS))
    s = lists(w, "min.example", START + 10, "site.test")
    says(w, "dispute", "ngo.example", START + 20, s)
    says(w, "withdraw", "min.example", START + 30, s)
    lists(w, "min.example", START + 40, "site.test")
    assert closed(w, START + 50) == []


# ---- Floods --------------------------------------------------------------------------------------

def test_a_flood_of_entries_waits_for_another(make):
    w = make(flood={"listed": 3})
    lists(w, "min.example", START + 10, "a.test", "b.test")
    s = lists(w, "min.example", START + 20, "c.test", "d.test")
    assert closed(w, START + 30) == ["a.test", "b.test"]
    says(w, "endorse", "min.example", START + 40, s)  # not by itself... but as its own word
    says(w, "endorse", "ngo.example", START + 50, s, "d.test")
    lists(w, "min.example", START + DAY, "next-day.test")
    assert "d.test" in closed(w, START + DAY)
    assert "next-day.test" in closed(w, START + DAY)


def test_a_flood_of_disputes_opens_nothing(make):
    w = make(flood={"disputed": 2}, suspend=(1, CRITICS))
    s = lists(w, "min.example", START + 10, "a.test", "b.test", "c.test")
    says(w, "dispute", "ngo.example", START + 20, s)
    assert len(closed(w, START + 20)) == 3
    says(w, "dispute", "ngo.example", START + DAY, s, "a.test")
    assert closed(w, START + DAY) == ["b.test", "c.test"]


def test_a_flood_of_statements(make):
    w = make(flood={"statements": 2})
    s = lists(w, "min.example", START + 10, "a.test")
    lists(w, "min.example", START + 20, "b.test")
    assert lists(w, "min.example", START + 30, "c.test").refusal == "flood"
    assert says(w, "withdraw", "min.example", START + 40, s).refusal is None
    assert lists(w, "min.example", START + DAY, "c.test").refusal is None


# ---- Who counts ----------------------------------------------------------------------------------

@pytest.mark.parametrize("agree, who, enough", [
    # of the same line, once: by id and as a kind
    (of(2, "min.example", "kind:ministry"), ["min.example"], False),
    (of(2, "kind:ministry", "country:ID"), ["min.example"], False),
    (of(2, "kind:ministry", "country:ID"), ["min.example", "ngo.example"], True),
    (of(1, "kind:ministry/MY"), ["min.example"], False),
    (of(2, "kind:police/MY", "kind:ngo/ID"), ["ngo.example", "pol.example"], True),
    # by itself and in a group of the line
    (of(2, "min.example", of(1, "min.example", "ngo.example")), ["min.example"], False),
    (of(2, "min.example", of(1, "min.example", "ngo.example")), ["min.example", "ngo.example"], True),
    # two groups of a line may both rest on one
    (of(2, of(1, "kind:hotline", "kind:police"), of(2, "kind:hotline", "kind:ngo")),
     ["hot.example"], False),
    (of(2, of(1, "kind:hotline", "kind:police"), of(2, "kind:hotline", "kind:ngo")),
     ["hot.example", "ngo.example"], True),
    (of(2, of(1, of(1, "kind:ngo"), "uni.example"), "min.example"), ["uni.example", "min.example"], True),
])
def test_groups(make, agree, who, enough):
    w = make(agree=agree)
    s = lists(w, who[0], START + 10, "x.test")
    for party in who[1:]:
        says(w, "endorse", party, START + 20, s)
    says(w, "endorse", who[0], START + 30, s)
    assert closed(w, START + 40) == (["x.test"] if enough else [])


def test_two_lists_count_together(make):
    w = make(agree=of(2, "kind:ministry", "kind:ngo"))
    lists(w, "min.example", START + 10, "x.test", "y.test")
    lists(w, "ngo.example", START + 20, "x.test", category="gambling")
    assert closed(w, START + 30) == ["x.test"]
    assert w.list["gambling", "x.test"][1] == "min.example:6,ngo.example:7"


def test_allow_opens_and_its_dispute_closes(make):
    w = make(suspend=(1, CRITICS))
    lists(w, "min.example", START + 10, "x.test")
    a = lists(w, "hot.example", START + 20, "x.test", action="allow")
    assert closed(w, START + 30) == []
    assert w.list["gambling", "x.test"] == ("allow", "hot.example:7")
    says(w, "dispute", "ngo.example", START + 40, a)
    assert closed(w, START + 40) == ["x.test"]


# ---- Time -----------------------------------------------------------------------------------------

def test_lives_and_expiry(make):
    w = make(lives=5 * DAY)
    lists(w, "min.example", START + 10, "long.test")
    lists(w, "min.example", START + 20, "short.test", expires=START + DAY)
    assert closed(w, START + DAY - 1) == ["long.test", "short.test"]
    assert closed(w, START + DAY) == ["long.test"]
    assert closed(w, START + 5 * DAY + 9) == ["long.test"]
    assert closed(w, START + 5 * DAY + 10) == []


def test_a_party_that_expires(make):
    w = make()
    party_add(w, "hot.example", START + 1, expires=START + 2 * DAY)
    lists(w, "hot.example", START + 10, "x.test")
    assert closed(w, START + 2 * DAY - 1) == ["x.test"]
    assert closed(w, START + 2 * DAY) == []
    assert lists(w, "hot.example", START + 2 * DAY, "y.test").refusal == "expired-key"
    party_add(w, "hot.example", START + 3 * DAY)
    assert closed(w, START + 3 * DAY) == ["x.test"]


def test_a_clock_that_is_ahead(make):
    w = make()
    lists(w, "min.example", START + DAY, "x.test")
    assert closed(w, START + 10) == []
    assert w.next == START + DAY
    assert closed(w, START + DAY) == ["x.test"]


def test_time_does_not_go_back(make, tool):
    w = make()
    w.settle(START + 10)
    assert tool.ask(f"settle {START + 9}") == ["error -1"]


# ---- What the operator asks ----------------------------------------------------------------------

def test_admission(make, tool):
    w = make()
    s = world.statement("list", "min.example", START + 10, entries=["x.test"], category="gambling")
    text = world.text_of(tool, s)

    def admits(now, signers="min.example", what=text):
        number, _, why = tool.ask(f"admits {signers} {now}", what)[0].partition(" ")
        return int(number), why

    assert admits(START + 10) == (0, "")
    assert admits(START + 10 - 601)[0] == -27
    assert admits(START + 10 - 600)[0] == 0
    assert admits(START + 10 + 7 * DAY)[0] == 0
    assert admits(START + 11 + 7 * DAY)[0] == -27
    assert admits(START + 10, "ngo.example")[0] == -21
    assert admits(START + 10, what="nonsense\n")[0] == -12
    w.add(s)
    assert admits(START + 10)[0] == -28
    # Nothing of a category that is sealed only may come to stand in a public log.
    assert "sealed" in make_sealed(tool, text)


def make_sealed(tool, text):
    policy = oracle.Policy(world.ORIGIN, [(1, {"root-1"}, oracle.NEVER)],
                           {"gambling": oracle.Rule(agree=of(1, "kind:ministry"), sealed="required")})
    w = world.World(tool, policy)
    party_add(w, "min.example", START, signers=("root-1",))
    return tool.ask(f"admits min.example {START + 10}", text)[0]
