"""Small UDP datagrams: bursts.py receive ADDRESS | send ADDRESS BURSTS DATAGRAMS.

The receiver says "ready", and "got N" when none has come for a second.
"""
import socket
import sys
import time

PORT = 5300
SO_RCVBUFFORCE = 33

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "receive":
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    s.bind((sys.argv[2], PORT))
    print("ready", flush=True)
    got = 0
    s.settimeout(15)
    try:
        while True:
            s.recv(2048)
            got += 1
            s.settimeout(1)
    except TimeoutError:
        pass
    print("got", got, flush=True)
else:
    s.connect((sys.argv[2], PORT))
    for _ in range(int(sys.argv[3])):
        for _ in range(int(sys.argv[4])):
            s.send(bytes(64))
        time.sleep(0.02)
