#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A man in the middle of one DCE/RPC connection after the other:

    proxy.py LISTEN-PORT SERVER PORT KIND NUMBER CHANGE

The NUMBER-th (from 0) PDU of type KIND that the client sends is changed: "flip:N" flips a bit of
byte N (negative: from the end), "level:N" says another auth level in the trailer, "call:N" adds N
to its call id, "drop" leaves it out, "twice" sends it twice, "cut:N" cuts the auth value to N bytes.  "mute" sends it as it is, waits for the
answer, and ends both connections with the answer in hand.
"""
import socket
import struct
import sys
import threading


def read_pdu(s):
    data = b""
    while len(data) < 16 or len(data) < struct.unpack_from("<H", data, 8)[0]:
        want = 16 - len(data) if len(data) < 16 else struct.unpack_from("<H", data, 8)[0] - len(data)
        more = s.recv(want)
        if not more:
            return None
        data += more
    return data


def change(data, how):
    what, _, number = how.partition(":")
    number = int(number) if number else 0
    out = bytearray(data)
    auth = struct.unpack_from("<H", data, 10)[0]
    if what == "flip":
        out[number] ^= 1
    elif what == "level":
        out[len(out) - auth - 7] = number
    elif what == "call":
        struct.pack_into("<I", out, 12, struct.unpack_from("<I", out, 12)[0] + number)
    elif what == "drop":
        return b""
    elif what == "twice":
        return data + data
    elif what == "cut":
        out = out[:len(out) - auth + number]
        struct.pack_into("<HH", out, 8, len(out), number)
    return bytes(out)


def forward(a, b, mute):
    try:
        while True:
            data = a.recv(65536)
            if mute.is_set():  # impacket waits for ever for a connection that ends well: reset it
                b.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                b.shutdown(socket.SHUT_RD)
                return
            if not data:
                break
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, server, kind, number, how):
    mute = threading.Event()
    threading.Thread(target=forward, args=(server, client, mute), daemon=True).start()
    seen = 0
    try:
        while (data := read_pdu(client)) is not None:
            if data[2] == kind:
                if seen == number:
                    data = change(data, how)
                    if how == "mute":
                        mute.set()
                seen += 1
            server.sendall(data)
        if mute.is_set():
            client.close()
        server.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main(port, server, server_port, kind, number, how):
    with socket.create_server(("127.0.0.1", int(port))) as door:
        while True:
            client, _ = door.accept()
            serve(client, socket.create_connection((server, int(server_port))), int(kind), int(number), how)


main(*sys.argv[1:])
