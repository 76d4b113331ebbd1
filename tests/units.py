# SPDX-License-Identifier: BSD-2-Clause
"""The systemd units as a build has them: what they run, read as systemd.service(5) says."""
import ctypes
import os
import pathlib
import re
import shlex
import subprocess

ALLOW, EPERM = 0x7fff0000, 0x00050001  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM)


def system_calls(name):
    """The calls in a set of systemd's, through the sets it is made of."""
    out = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True,
                         text=True, check=True).stdout
    calls = set()
    for line in out.splitlines()[1:]:
        line = line.strip()
        if line.startswith("@"):
            calls |= system_calls(line)
        elif line and not line.startswith("#"):
            calls.add(line)
    return calls


class Unit:
    """unit["User"]: the values of a key, in their order."""

    def __init__(self, path, instance=""):
        self.text = pathlib.Path(path).read_text(encoding="utf-8")
        self.instance = instance
        self.settings = {}
        for line in self.text.replace("\\\n", " ").splitlines():
            if re.match(r"\w+=", line):
                key, value = line.split("=", 1)
                self.settings.setdefault(key, []).append(value.replace("%i", instance))

    def __getitem__(self, key):
        return self.settings.get(key, [])

    def commands(self, places=(), env=None):
        """What ExecStart= runs, with variables put in.  places: (from, to), what stands elsewhere."""
        return [self.words(line, places, env or {}) for line in self["ExecStart"]]

    @staticmethod
    def words(line, places, env):
        for old, new in places:
            line = line.replace(str(old), str(new))
        words = []
        for word in shlex.split(line):
            if re.fullmatch(r"\$\w+", word):  # as many words as it has
                words += shlex.split(env.get(word[1:], ""))
            else:
                word = re.sub(r"(?<!\$)\$\{(\w+)\}", lambda m: env.get(m[1], ""), word)
                words.append(word.replace("$$", "$"))
        return words

    def allowed(self):
        """The system calls that its processes may make."""
        allowed = system_calls("@default")
        for words in self["SystemCallFilter"]:
            for word in words.lstrip("~").split():
                calls = system_calls(word) if word.startswith("@") else {word}
                allowed = allowed - calls if words.startswith("~") else allowed | calls
        return allowed

    def wall(self):
        """What puts up the filter of system calls in a new process, for preexec_fn."""
        library = ctypes.CDLL("libseccomp.so.2")
        library.seccomp_init.restype = ctypes.c_void_p
        assert self["SystemCallErrorNumber"] == ["EPERM"]
        filter_made = ctypes.c_void_p(library.seccomp_init(EPERM))
        for call in self.allowed():
            number = library.seccomp_syscall_resolve_name(call.encode())
            if number >= 0:  # one of this architecture
                assert library.seccomp_rule_add(filter_made, ALLOW, number, 0) == 0, call

        def put_up():
            if library.seccomp_load(filter_made) != 0:
                raise OSError("no filter of system calls")
        return put_up

    def umask(self):
        mask, = self["UMask"]
        return int(mask, 8)

    def run(self, places=(), env=None, **more):
        """As systemd does a oneshot: one command after the other, until one fails.  (done, said)"""
        good = {0, *(int(status) for status in self["SuccessExitStatus"])}
        said = ""
        for command in self.commands(places, env):
            done = subprocess.run(command, env={**os.environ, **(env or {})}, text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                  umask=self.umask(), **more)
            said += done.stdout
            if done.returncode not in good:
                return False, said
        return True, said
