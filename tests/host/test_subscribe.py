# SPDX-License-Identifier: BSD-2-Clause
"""`lindung subscribe`: lists of others, from a server that the test plays."""
import http.server
import json
import threading

import pytest

NAMES = [f"bet{i:03}.example" for i in range(100)]
T0, DAY = "2026-11-01T00:00:00Z", 86400


class Site:
    """A web server with one list, which can change, fail and lie."""

    def __init__(self):
        self.status, self.body, self.asked, self.tags, self.retry = 200, "\n".join(NAMES) + "\n", 0, [], None
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked += 1
                site.tags.append(self.headers.get("If-None-Match"))
                tag = f'"{hash(site.body)}"'
                same = site.status == 200 and self.headers.get("If-None-Match") == tag
                body = b"" if same else site.body.encode()
                self.send_response(304 if same else site.status)
                self.send_header("ETag", tag)
                if site.retry:
                    self.send_header("Retry-After", str(site.retry))
                if not same:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/list.txt"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site():
    playing = Site()
    yield playing
    playing.server.shutdown()
    playing.server.server_close()


@pytest.fixture
def subscribe(lindung, site, tmp_path):
    """Run it at a time, in hours after the beginning; gives the status and the facts of the list."""
    config = tmp_path / "subscriptions.yaml"
    folder = tmp_path / "lists"

    def run(hours, *options, extra="", update=True):
        config.write_text(f"version: 1\nlists:\n  - name: ours\n    url: {site.url}\n    category: gambling\n"
                          f"    basis: law\n    canaries: [bet001.example]\n    never: [www.good.example]\n{extra}",
                          encoding="utf-8")
        at = f"2026-11-{1 + hours // 24:02}T{hours % 24:02}:00:00Z"
        done = lindung("subscribe", *(["--update"] if update else []), "-d", folder, "--json", "--at", at,
                       *options, config)
        assert done.returncode in (0, 3), done.stderr
        return done.returncode, json.loads(done.stdout)

    run.folder, run.config = folder, config
    return run


def test_what_comes_is_kept_and_compiled(lindung, subscribe, tmp_path, site):
    status, facts = subscribe(0)
    assert status == 0 and facts["state"] == "good" and facts["entries"] == 100 and facts["in_force"]
    image = tmp_path / "an.image"
    done = lindung("compile", "-q", "-o", image, "--manifest", subscribe.folder / "lists.yaml")
    assert done.returncode == 0, done.stderr
    assert "block" in lindung("query", image, "bet007.example").stdout
    assert "ours" in lindung("query", image, "bet007.example").stdout
    # Not due: nobody is asked.  Due: the tag is sent, and nothing has changed.
    subscribe(1)
    assert site.asked == 1
    status, facts = subscribe(25)
    assert status == 0 and site.asked == 2 and site.tags[1] is not None
    assert facts["checked"] == facts["good"] + 25 * 3600
    # To show it asks nobody and changes nothing.
    assert subscribe(200, update=False)[1] == facts


@pytest.mark.parametrize("body,said", [
    ("\n".join(NAMES[2:]) + "\n", "lacks bet001.example"),
    ("\n".join(f"||{n}^" for n in NAMES) + "\n@@||bet001.example^\n", "lacks bet001.example"),
    ("\n".join(f"||{n}^" for n in NAMES if n != "bet001.example") + "\n||bet001.example/x^\n",
     "lacks bet001.example"),
    ("# lindung list 1\n" + "".join(f"block\tgambling\t{n}\tours\n" for n in NAMES)
     + "allow\t*\tother.example\tours\n", "category *"),
    ("# lindung list 1\n" + "".join(f"block\tadult\t{n}\tours\n" for n in NAMES), "category adult"),
    ("# lindung list 1\n" + "".join(f"block\tgambling\t{n}\tours\n" for n in NAMES)
     + "remove\tgambling\tother.example\tours\n", "removes"),
    ("\n".join(NAMES + ["good.example"]) + "\n", "closes www.good.example"),
    ("\n".join(NAMES + ["www.good.example"]) + "\n", "closes www.good.example"),
    ("\n".join(NAMES[:49]) + "\n", "shrinks"),
    ("\n".join(f"x{i}.{n}" for i in range(4) for n in NAMES) + "\n" + "\n".join(NAMES), "grows"),
    ("", "is no list"),
    ("<html><body>Welcome to this hotel's network</body></html>\n", "is no list"),
])
def test_what_is_not_as_it_must_be_is_refused(subscribe, site, body, said):
    assert subscribe(0)[0] == 0
    before = (subscribe.folder / "ours.list").read_bytes()
    site.body = body
    status, facts = subscribe(25)
    assert status == 3 and facts["state"] == "refused" and said in facts["why"], facts
    assert facts["in_force"] and facts["entries"] == 100 and facts["failures"] == 1
    assert (subscribe.folder / "ours.list").read_bytes() == before
    assert sorted(path.name for path in subscribe.folder.iterdir() if "ours" in path.name) == ["ours.list"]
    # A person may accept a size; not what a canary says.
    status, facts = subscribe(26, "--accept", "ours")
    assert (status == 0) == (said in ("shrinks", "grows")), facts


def test_a_server_that_fails_is_asked_less_and_less_often(subscribe, site):
    assert subscribe(0)[0] == 0
    site.status = 500
    waits = []
    hour = 25
    for turn in range(4):
        status, facts = subscribe(hour, "--now")
        assert status == 3 and facts["state"] == "failed" and facts["in_force"]
        assert facts["failures"] == turn + 1 and "500" in facts["why"]
        waits.append(facts["next"])
        hour += 1
    gaps = [waits[i] - waits[0] - i * 3600 for i in range(4)]
    assert gaps[1] > 100 and gaps[2] > 500 and gaps[3] > 1200
    site.retry = 7200
    now = subscribe(hour, "--now")[1]
    assert now["next"] - waits[3] > 3600 + 2 * 3600 * 0.9 - 2400
    site.status, site.retry = 200, None
    assert subscribe(hour + 24)[1]["failures"] == 0


def test_expiry_is_enforced(subscribe, site):
    extra = "    expires: 2026-11-03\n"
    assert subscribe(0, extra=extra)[1]["in_force"]
    assert "ours.list" in (subscribe.folder / "lists.yaml").read_text()
    asked = site.asked
    status, facts = subscribe(48, "--now", extra=extra)
    assert status == 3 and facts["state"] == "expired" and not facts["in_force"]
    assert site.asked == asked
    assert "ours.list" not in (subscribe.folder / "lists.yaml").read_text()


def test_another_address_is_asked_at_once(subscribe, site):
    subscribe(0)
    site.url = site.url.replace("list.txt", "other.txt")
    assert subscribe(1)[0] == 0
    assert site.asked == 2 and site.tags[1] is None


@pytest.mark.parametrize("lines,said", [
    ("version: 2\nlists: []\n", "version: 1"),
    ("version: 1\nlists:\n  - name: a\n", "url"),
    ("version: 1\nlists:\n  - name: ../a\n    url: http://a\n    category: x\n    basis: b\n", "name"),
    ("version: 1\nlists:\n  - name: a\n    url: file:///etc/passwd\n    category: x\n    basis: b\n", "url"),
    ("version: 1\nlists:\n  - name: a\n    url: http://a\n    category: x\n", "basis"),
    ("version: 1\nlists:\n  - name: a\n    url: http://a\n    category: x\n    basis: b\n    colour: red\n",
     ":7: colour: there is no such key"),
    ("version: 1\nlists:\n  - name: a\n    url: http://a\n    category: x\n    basis: b\n    every: 1m\n", "every"),
    ("version: 1\nlists:\n  - name: a\n    url: http://a\n    category: x\n    basis: b\n    shrink: 101%\n",
     "shrink"),
    ("version: 1\nlists:\n  - {name: a, url: 'http://a', category: x, basis: b}\n"
     "  - {name: a, url: 'http://a', category: x, basis: b}\n", "another list of this name"),
])
def test_a_bad_file_is_told_with_its_line(lindung, tmp_path, lines, said):
    config = tmp_path / "s.yaml"
    config.write_text(lines, encoding="utf-8")
    done = lindung("subscribe", "-d", tmp_path / "lists", config)
    assert done.returncode == 1 and said in done.stderr and "s.yaml" in done.stderr
