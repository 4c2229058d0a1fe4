"""pyftpdlib with TLS:   pyftpd.py PORT explicit|implicit CHAIN KEY FOLDER"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

port, mode, chain, key, folder = sys.argv[1:]


class Explicit(TLS_FTPHandler):
    certfile, keyfile = chain, key
    authorizer = DummyAuthorizer()


class Implicit(Explicit):
    # pyftpdlib knows AUTH TLS alone: TLS has to begin before its greeting is written.
    def handle(self):
        self.secure_connection(self.get_ssl_context())
        super().handle()

    def handle_ssl_established(self):
        pass  # there is no AUTH to answer


Explicit.authorizer.add_anonymous(folder)
FTPServer(("127.0.0.1", int(port)), Implicit if mode == "implicit" else Explicit).serve_forever()
