"""pyftpdlib with TLS:   pyftpd.py PORT MODE CHAIN KEY FOLDER

MODE is explicit or implicit, with +upload where files may be written, +private where PROT P is demanded.
"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

port, mode, chain, key, folder = sys.argv[1:]
mode, *options = mode.split("+")


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


Explicit.authorizer.add_anonymous(folder, perm="elradfmw" if "upload" in options else "elr")
Explicit.tls_data_required = "private" in options
Explicit.tls_control_required = "private" in options
FTPServer(("127.0.0.1", int(port)), Implicit if mode == "implicit" else Explicit).serve_forever()
