#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A small origin for a log: files of a folder with ETag and ranges, and a count of what it costs.

usage: bench/origin.py FOLDER PORT

GET /.stats gives connections, requests, octets in and out so far, as JSON; it is not counted.
"""
import asyncio
import hashlib
import json
import pathlib
import re
import resource
import sys

COUNTS = {"connections": 0, "requests": 0, "in": 0, "out": 0}
TAGS = {}


def file_of(folder, path):
    """Octets and ETag; those that never change are read once."""
    if path in TAGS:
        return TAGS[path]
    try:
        body = (folder / path).read_bytes()
    except OSError:
        return None, ""
    found = body, '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
    if path != "checkpoint":
        TAGS[path] = found
    return found


def answer_of(folder, head):
    path = head.split(b" ", 2)[1].decode().lstrip("/")
    headers = dict(re.findall(r"(?im)^([\w-]+): (.*?)\r?$", head.decode()))
    headers = {key.lower(): value for key, value in headers.items()}
    if path == ".stats":
        body = json.dumps(COUNTS).encode()
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body, False
    body, tag = file_of(folder, path)
    if body is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", True
    if headers.get("if-none-match") == tag:
        return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode(), True
    wanted = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
    if wanted and int(wanted[1]) < len(body):
        start = int(wanted[1])
        return (f"HTTP/1.1 206 Partial Content\r\nETag: {tag}\r\n"
                f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}\r\n"
                f"Content-Length: {len(body) - start}\r\n\r\n").encode() + body[start:], True
    return (f"HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + \
        body, True


async def serve(folder, port):
    async def client(reader, writer):
        counted = False
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                answer, counts = answer_of(folder, head)
                if counts:
                    COUNTS["connections"] += not counted
                    counted = True
                    COUNTS["requests"] += 1
                    COUNTS["in"] += len(head)
                    COUNTS["out"] += len(answer)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
    server = await asyncio.start_server(client, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    asyncio.run(serve(pathlib.Path(sys.argv[1]), int(sys.argv[2])))
