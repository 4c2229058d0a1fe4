"""Asks an FTP server for TLS and sends a ClientHello in the form of SSLv2 (RFC 5246, E.2):   ssl2_hello.py PORT VERSION SPEC...

VERSION is what the hello asks for, each SPEC a cipher of three bytes, all in hex. Reads until the server has nothing more to say.
"""
import socket
import sys

port, version, *specs = sys.argv[1:]
control = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
control.recv(4096)
control.sendall(b"AUTH TLS\r\n")
control.recv(4096)
ciphers = bytes.fromhex("".join(specs))
challenge = bytes(range(16))
hello = b"\x01" + bytes.fromhex(version)
hello += b"".join(len(part).to_bytes(2, "big") for part in (ciphers, b"", challenge)) + ciphers + challenge
control.sendall((0x8000 | len(hello)).to_bytes(2, "big") + hello)
control.settimeout(2)
try:
    while control.recv(4096):
        pass
except (TimeoutError, ConnectionError):
    pass
