#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A network that is bad in one way, between this host and one server:

    tcp_fault.py LISTEN-PORT SERVER PORT HOW

"reset:N" ends both connections with a reset after N bytes of the server, "hole:N" passes nothing
after them and keeps the connections, "garbage:N" replaces what comes after them, "slow" passes
one byte of the server a second, "referral" answers each LDAP message itself: ask this server again.  Its own connections carry the mark 7, by which the rule that
leads others here passes them over.
"""
import os
import socket
import struct
import sys
import threading
import time

MARK = 7


def forward(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def back(server, client, how, number):
    left = number
    try:
        while data := server.recv(65536):
            if how == "slow":
                for byte in data:
                    client.sendall(bytes([byte]))
                    time.sleep(1)
                continue
            good, rest = data[:left], data[left:]
            left -= len(good)
            client.sendall(good)
            if not rest:
                continue
            if how == "garbage":
                client.sendall(os.urandom(len(rest)))
            elif how == "reset":
                for s in (client, server):
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.shutdown(socket.SHUT_RD)  # the other thread lets go of it, too
                return
        client.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def refer(client, where):
    """RFC 4511 4.1.10: result 10, and where to go: here again.  A message begins with its number."""
    url = f"ldap://{where[0]}:{where[1]}".encode()
    try:
        while data := client.recv(65536):
            at = 2 if data[1] < 0x80 else 2 + (data[1] & 0x7f)
            number = data[at:at + 2 + data[at + 1]]
            to = bytes([4, len(url)]) + url
            op = data[at + len(number)]
            result = b"\x0a\x01\x0a\x04\x00\x04\x00" + bytes([0xa3, len(to)]) + to
            answer = bytes([0x61 if op == 0x60 else 0x65, len(result)]) + result
            client.sendall(bytes([0x30, len(number) + len(answer)]) + number + answer)
    except (OSError, IndexError):
        pass


def serve(client, where, how, number):
    """Nobody but the two threads keeps the connections: they end with them."""
    if how == "referral":
        threading.Thread(target=refer, args=(client, where), daemon=True).start()
        return
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    server.connect(where)
    threading.Thread(target=forward, args=(client, server), daemon=True).start()
    threading.Thread(target=back, args=(server, client, how, number), daemon=True).start()


def main():
    port, server, server_port, what = sys.argv[1:]
    how, _, number = what.partition(":")
    listener = socket.create_server(("0.0.0.0", int(port)))
    print("listening", flush=True)
    while True:
        serve(listener.accept()[0], (server, int(server_port)), how, int(number or 0))


main()
