"""An FTP server on OpenSSL 1.0.2 as ProFTPD up to 1.3.7 was:   old_openssl.py PORT VARIANT CHAIN KEY LIBRARIES

VARIANT   default    TLS 1.0 to 1.2
          tls12      TLS 1.2 alone, by options on the general method
          notls1     no TLS 1.0: an older hello is answered without an alert, by clear text alone
          tls1       TLS 1.0 alone: a ServerHello whatever supported_versions say
          nocipher   TLS 1.0 to 1.2, ECDHE with AES-GCM alone
          nocert     no certificate, so no suite fits

When the handshake fails, what OpenSSL wrote is followed by "550 TLS handshake failed" in clear, as in tls_auth() of
mod_tls.c 1.3.5 to 1.3.7. A process for each connection; a session ends with QUIT or after 20 seconds of silence.
"""
import ctypes
import glob
import os
import signal
import socket
import sys

port, variant, chain, key, libraries = sys.argv[1:]
if libraries not in os.environ.get("LD_LIBRARY_PATH", ""):
    # The libraries do not say where their own needs lie, and the loader reads this variable once, at the start.
    os.environ["LD_LIBRARY_PATH"] = libraries
    os.execv(sys.executable, [sys.executable, *sys.argv])


def library(name):
    (path,) = glob.glob(f"{libraries}/{name}-*.so.1.0.2*")
    return ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


crypto, ssl = library("libcrypto"), library("libssl")
pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p


def function(name, result, *arguments):
    found = getattr(ssl, name)
    found.restype, found.argtypes = result, arguments
    return found


general_method = function("SSLv23_server_method", pointer)
new_context = function("SSL_CTX_new", pointer, pointer)
control = function("SSL_CTX_ctrl", ctypes.c_long, pointer, number, ctypes.c_long, pointer)
use_chain = function("SSL_CTX_use_certificate_chain_file", number, pointer, text)
use_key = function("SSL_CTX_use_PrivateKey_file", number, pointer, text, number)
use_ciphers = function("SSL_CTX_set_cipher_list", number, pointer, text)
new_session = function("SSL_new", pointer, pointer)
use_socket = function("SSL_set_fd", number, pointer, number)
accept = function("SSL_accept", number, pointer)
read = function("SSL_read", number, pointer, pointer, number)
write = function("SSL_write", number, pointer, text, number)
shut_down = function("SSL_shutdown", number, pointer)

SSL_CTRL_OPTIONS, SSL_CTRL_SET_ECDH_AUTO, PEM = 32, 94, 1
NO_SSL2, NO_SSL3, NO_TLS1, NO_TLS1_1, NO_TLS1_2 = 0x01000000, 0x02000000, 0x04000000, 0x10000000, 0x08000000
OFF = {"tls1": NO_TLS1_1 | NO_TLS1_2, "notls1": NO_TLS1, "tls12": NO_TLS1 | NO_TLS1_1}


def context():
    ssl.SSL_library_init()
    made = new_context(general_method())
    control(made, SSL_CTRL_OPTIONS, NO_SSL2 | NO_SSL3 | OFF.get(variant, 0), None)
    control(made, SSL_CTRL_SET_ECDH_AUTO, 1, None)  # 1.0.2 has no ECDHE without being asked
    if variant != "nocert":
        assert use_chain(made, chain.encode()) == 1 and use_key(made, key.encode(), PEM) == 1
    if variant == "nocipher":
        assert use_ciphers(made, b"ECDHE+AESGCM") == 1
    return made


def reply(command):
    verb = command.split(b" ")[0].upper()
    return {
        b"USER": b"331 Password required",
        b"PASS": b"530 Login incorrect.",
        b"FEAT": b"211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End",
        b"PBSZ": b"200 PBSZ 0 successful",
        b"PROT": b"200 Protection set",
        b"QUIT": b"221 Goodbye.",
    }.get(verb, b"500 " + verb + b" not understood")


def commands(receive):
    """The lines that come, until the other end stops."""
    line = b""
    while byte := receive():
        line += byte
        if line.endswith(b"\n"):
            yield line.strip()
            line = b""


def serve(connection, tls):
    # The library reads the socket itself: it has to block there, and give up in the end.
    for which in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, which, (20).to_bytes(8, "little") + bytes(8))
    connection.sendall(b"220 ProFTPD 1.3.5e Server (OpenSSL 1.0.2) [127.0.0.1]\r\n")
    for command in commands(lambda: connection.recv(1)):
        if command.upper() in (b"AUTH TLS", b"AUTH SSL"):
            connection.sendall(b"234 " + command + b" successful\r\n")
            break
        connection.sendall(reply(command) + b"\r\n")
        if command.upper() == b"QUIT":
            return
    else:
        return
    session = new_session(tls)
    use_socket(session, connection.fileno())
    if accept(session) != 1:
        connection.sendall(b"550 TLS handshake failed\r\n")
        return
    buffer = ctypes.create_string_buffer(1)
    for command in commands(lambda: buffer.raw if read(session, buffer, 1) == 1 else b""):
        answer = reply(command) + b"\r\n"
        write(session, answer, len(answer))
        if command.upper() == b"QUIT":
            break
    shut_down(session)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
tls = context()
listener = socket.create_server(("127.0.0.1", int(port)), backlog=64)
while True:
    connection, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        try:
            serve(connection, tls)
        except OSError:
            pass
        os._exit(0)
    connection.close()
