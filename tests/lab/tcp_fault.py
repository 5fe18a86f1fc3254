#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A network that is bad in one way, between this host and one server:

    tcp_fault.py LISTEN-PORT SERVER PORT HOW

"reset:N" ends both connections with a reset after N bytes of the server, "hole:N" passes nothing
after them and keeps the connections, "garbage:N" replaces what comes after them, "slow" passes
one byte of the server a second.  Its own connections carry the mark 7, by which the rule that
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


def serve(client, where, how, number):
    """Nobody but the two threads keeps the connections: they end with them."""
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
