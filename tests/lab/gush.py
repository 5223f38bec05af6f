#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A mail server that answers DATA without end: a line for each connection says how many octets it could say before it was closed.

usage: gush.py HOST     port 25
"""
import os
import socket
import sys
import threading

PIECE = b"250 2.0.0 ok\r\n" * 20000
ANSWERS = {b"EHLO": b"250-gush.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-XCLIENT NAME ADDR PROTO HELO LOGIN PORT\r\n250 8BITMIME\r\n",
           b"XCLI": b"220 gush.test\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}


def gush(client):
    said = 0
    try:
        while True:
            said += client.send(PIECE)
    except OSError:
        os.write(sys.stdout.fileno(), f"{said}\n".encode())  # in one piece: others end at the same time


def serve(client):
    with client, client.makefile("rb") as lines:
        client.sendall(b"220 gush.test\r\n")
        for line in lines:
            if line[:4].upper() == b"DATA":
                gush(client)
                return
            client.sendall(ANSWERS.get(line[:4].upper(), b"250 2.0.0 ok\r\n"))


with socket.create_server((sys.argv[1], 25), backlog=100) as listening:
    while True:
        threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
