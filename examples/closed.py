#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Are these names closed?  closed.py IMAGE NAME ..."""
import ctypes
import os
import sys


class Answer(ctypes.Structure):
    _fields_ = [("verdict", ctypes.c_int), ("is_protected", ctypes.c_bool),
                ("holds_below", ctypes.c_bool),
                ("blocked", ctypes.c_uint64), ("allowed", ctypes.c_uint64),
                ("category", ctypes.c_int), ("match_labels", ctypes.c_uint),
                ("target", ctypes.c_char_p), ("target_len", ctypes.c_size_t)]


lindung = ctypes.CDLL(os.environ.get("LIBLINDUNG", "liblindung.so.0"))
lindung.lindung_strerror.restype = ctypes.c_char_p
handle, answer = ctypes.c_void_p(), Answer()
err = lindung.lindung_open(ctypes.byref(handle), sys.argv[1].encode(), 0)
if err:
    sys.exit(f"{sys.argv[1]}: {lindung.lindung_strerror(err).decode()}")
for name in sys.argv[2:]:
    text = name.encode("idna")
    err = lindung.lindung_lookup_name(handle, text, ctypes.c_size_t(len(text)),
                                      ctypes.c_uint64(2**64 - 1), ctypes.byref(answer))
    print(f"{name}:", lindung.lindung_strerror(err).decode() if err else
          "closed" if answer.verdict == 1 else "open")
lindung.lindung_close(handle)
