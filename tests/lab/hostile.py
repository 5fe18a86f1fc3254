#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Sends bytes to a port and tells what came back: [["135", "05000b...", ...], ...] on stdin, one
list of pieces for each connection.  A piece is hexadecimal, or {"repeat": n, "data": hex}.
Answers with JSON, for each: the types of the PDUs, a fault's status or a nak's reason, and how
it ended: "closed", "reset", or "open" when nothing more came for a while."""
import json
import socket
import struct
import sys

WAIT = 0.7
MOST = 1 << 20


def send(s, piece):
    times, data = (piece["repeat"], piece["data"]) if isinstance(piece, dict) else (1, piece)
    data = bytes.fromhex(data)
    for _ in range(times):
        s.sendall(data)


def receive(s):
    got, end = b"", "open"
    s.settimeout(WAIT)
    try:
        while len(got) < MOST:
            more = s.recv(65536)
            if not more:
                end = "closed"
                break
            got += more
    except socket.timeout:
        pass
    except OSError:
        end = "reset"
    return got, end


def pdus(data):
    out = []
    while len(data) >= 16:
        kind, little, size = data[2], data[4], struct.unpack_from("<H", data, 8)[0]
        one = {"type": kind, "call": struct.unpack_from("<I", data, 12)[0]}
        if kind == 3:
            one["status"] = struct.unpack_from("<I", data, 24)[0]
        if kind == 13:
            one["reason"] = struct.unpack_from("<H", data, 16)[0]
        out.append(one)
        if size < 16 or not little:
            break
        data = data[size:]
    return out


def main(server):
    out = []
    for port, *pieces in json.load(sys.stdin):
        s = socket.create_connection((server, int(port)), 5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        got, end = b"", None
        try:
            for piece in pieces:
                send(s, piece)
        except OSError:
            end = "reset"
        more, how = receive(s)
        out.append({"pdus": pdus(more), "end": how if end is None or how == "closed" else end})
        s.close()
    json.dump(out, sys.stdout)


main(sys.argv[1])
