# SPDX-License-Identifier: BSD-2-Clause
"""The list is replaced while queries come in; a bad one never takes the place of a good one."""
import os
import shutil
import signal
import threading
import time

import dns.exception
import dns.rcode
import pytest

from serving import assert_answered, assert_blocked


def wait_until(check, timeout_s=5):
    """The seconds until `check` held."""
    start = time.monotonic()
    while not check():
        assert time.monotonic() - start < timeout_s, "it never came to that"
        time.sleep(0.02)
    return time.monotonic() - start


def is_blocked(server, name):
    return server.query(name).rcode() == dns.rcode.NXDOMAIN


def test_sighup_takes_the_new_list(serve, config, image, compile_image):
    config["list"]["watch"] = False
    server = serve(config)
    assert_answered(server.query("new.example"))
    compile_image(image, ["listed.example", "new.example"])
    time.sleep(0.7)
    assert_answered(server.query("new.example"))  # nobody watches the file
    server.kill(signal.SIGHUP)
    server.says("now in force: 2 names")
    # It was kept as an answer, too: the list is asked first.
    wait_until(lambda: is_blocked(server, "new.example"))
    assert_blocked(server.query("www.new.example", tcp=True))
    assert_answered(server.query("also-listed.example"))


def test_replaced_file_is_seen_within_a_second(serve, config, image, compile_image):
    server = serve(config)
    compile_image(image, ["listed.example", "new.example"])
    assert wait_until(lambda: is_blocked(server, "new.example")) < 1
    # The parent hears of it from the threads, and tells it for the metrics: a moment later.
    wait_until(lambda: server.metrics()["lindung_list_loads_total"] == 2)
    assert server.metrics()["lindung_list_load_failures_total"] == 0


def test_swaps_under_load_lose_no_query(serve, config, image, compile_image):
    server = serve(config)
    end, asked, lost = time.monotonic() + 4, [], []

    def client(number):
        count = 0
        while time.monotonic() < end:
            count += 1
            try:
                reply = server.query("listed.example", tcp=number == 0, timeout_s=2)
                if reply.rcode() != dns.rcode.NXDOMAIN:
                    lost.append(reply)
                assert_answered(server.query(f"n{count % 50}.unlisted.example", timeout_s=2))
            except (dns.exception.Timeout, AssertionError, EOFError) as failure:
                lost.append(failure)
        asked.append(count)

    clients = [threading.Thread(target=client, args=(i,)) for i in range(4)]
    for thread in clients:
        thread.start()
    swaps = 0
    while time.monotonic() < end:
        compile_image(image, ["listed.example", f"other{swaps}.example"])
        server.kill(signal.SIGHUP)
        swaps += 1
        time.sleep(0.05)
    for thread in clients:
        thread.join()
    assert not lost, lost[:3]
    assert sum(asked) > 200 and swaps > 10
    # A loader with a sanitizer in it takes its time to begin.
    slow = any("sanitizer" in line for line in server.lines)
    assert server.metrics()["lindung_list_loads_total"] > (2 if slow else 10)


def damage_garbage(image):
    return os.urandom(len(image))


def damage_cut(image):
    return image[:len(image) // 2]


def damage_last_octet(image):
    return image[:-1] + bytes([image[-1] ^ 0xff])


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("damage", [lambda image: b"", damage_garbage, damage_cut,
                                    damage_last_octet])
def test_bad_image_leaves_the_good_one(serve, config, image, tmp_path, damage, in_place):
    server = serve(config)
    bad = damage(image.read_bytes())
    if in_place:
        image.write_bytes(bad)  # as cp does: cut to nothing, then written
    else:
        (tmp_path / "bad").write_bytes(bad)
        (tmp_path / "bad").rename(image)
    line = server.says("stays in force")
    assert str(image) in line and "loaded" in line and "2 names" in line
    assert_blocked(server.query("listed.example"))
    assert_answered(server.query("www.unlisted.example"))
    assert server.metrics()["lindung_list_load_failures_total"] >= 1
    # Said once, not with every look at the file.
    lines = len(server.lines)
    time.sleep(1)
    assert len(server.lines) == lines


def test_image_that_is_gone_leaves_the_good_one(serve, config, image, compile_image):
    server = serve(config)
    image.unlink()
    server.says("stays in force")
    assert_blocked(server.query("listed.example"))
    compile_image(image, ["listed.example", "back.example"])
    wait_until(lambda: is_blocked(server, "back.example"))


def test_image_that_lost_most_names_needs_a_person(serve, config, image, compile_image):
    compile_image(image, [f"n{i}.example" for i in range(100)])
    server = serve(config)
    compile_image(image, [f"n{i}.example" for i in range(49)])
    assert "SIGUSR1" in server.says("list.shrink-max-percent")
    assert_blocked(server.query("n99.example"))
    server.kill(signal.SIGHUP)
    server.says("list.shrink-max-percent", after=len(server.lines) - 1)
    assert_blocked(server.query("n99.example"))
    server.kill(signal.SIGUSR1)
    server.says("now in force: 49 names")
    wait_until(lambda: not is_blocked(server, "n99.example"))
    assert_blocked(server.query("n48.example"))
    # Half of that is within the limit.
    compile_image(image, [f"n{i}.example" for i in range(25)])
    server.says("now in force: 25 names")


def test_one_name_is_added_by_an_overlay(serve, config, compile_image, tmp_path):
    overlay = tmp_path / "today.ldx"
    config["list"]["overlays"] = [str(overlay)]
    server = serve(config)
    assert_answered(server.query("added.example"))
    compile_image(overlay, ["added.example"])
    assert wait_until(lambda: is_blocked(server, "added.example")) < 1
    server.says("with 1 overlay")
    assert_blocked(server.query("listed.example"))
    overlay.write_bytes(b"no index")
    server.says("stays in force")
    assert_blocked(server.query("added.example"))
    overlay.unlink()
    wait_until(lambda: not is_blocked(server, "added.example"))
    assert_blocked(server.query("listed.example"))


@pytest.mark.parametrize("change", ["remove", "allow adult"])
def test_overlay_that_opens_most_names_needs_a_person(serve, config, image, compile_image, lindung,
                                                      tmp_path, change):
    overlay = tmp_path / "today.ldx"
    config["list"]["overlays"] = [str(overlay)]
    names = [f"n{i}.example" for i in range(100)]
    compile_image(image, names)
    server = serve(config)

    def lay(count):
        changes = [word for name in names[:count] for word in (*change.split(), name)]
        new = tmp_path / "new-overlay.ldx"
        done = lindung("edit", "-o", new, *changes)
        assert done.returncode == 0, done.stderr
        new.rename(overlay)

    lay(51)
    line = server.says("refused")
    assert "the overlays open 51 of its 100 names" in line and "SIGUSR1" in line
    assert_blocked(server.query("n0.example"))
    server.kill(signal.SIGUSR1)
    server.says("now in force")
    wait_until(lambda: not is_blocked(server, "n0.example"))
    assert_blocked(server.query("n99.example"))
    # Half of what is in force now (49) is within the limit; more than that is not.
    lay(75)
    server.says("now in force", after=len(server.lines) - 1)
    wait_until(lambda: not is_blocked(server, "n74.example"))
    lay(90)
    server.says("the overlays open 90 of its 100 names")
    assert_blocked(server.query("n89.example"))


def test_copied_over_in_place(serve, config, image, compile_image, tmp_path):
    server = serve(config)
    other = compile_image(tmp_path / "other.ldx", ["listed.example", "copied.example"])
    shutil.copyfile(other, image)
    wait_until(lambda: is_blocked(server, "copied.example"))
    assert_blocked(server.query("listed.example"))


def test_category_that_the_list_lacks_is_told(serve, config, image):
    config["list"]["categories"] = ["adlut"]
    server = serve(config, ready=False)
    server.says("list.categories")
    assert server.process.wait(timeout=10) == 1
    assert server.lines == [f'lindung: list.categories: "adlut" is not in {image}, so it would '
                            "close nothing; there are: adult"]


def test_list_without_a_category_that_is_closed_is_refused(serve, config, image, lindung, tmp_path):
    config["list"]["categories"] = ["adult"]
    server = serve(config)
    source, new = tmp_path / "other.txt", tmp_path / "other.ldx"
    source.write_text("listed.example\nalso-listed.example\n")
    assert lindung("compile", "--no-protected", "-o", new, "--category", "gambling",
                   source).returncode == 0
    new.rename(image)
    server.says('"adult" is not in')
    server.says("stays in force")
    assert_blocked(server.query("listed.example"))
    server.kill(signal.SIGUSR1)
    server.says("now in force")
