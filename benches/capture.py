"""Writes captures to measure with:   capture.py bulk|short MEGABYTES [MTU] >FILE

bulk   file data: a control connection with PASV in clear for every 10 MB, and behind it a data connection with records of TLS 1.2,
       16 kB each, in segments as they are on a wire (MTU 1500; with 65,000 as a card shows them that splits late), acknowledged in pairs.
short  sessions that fail in the handshake: about 1.3 kB each, a hello of 390 bytes, refused in one of six ways, ten greetings,
       of which one tells the time.
"""
import struct
import sys

out = sys.stdout.buffer
SYN, ACK, PSH, FIN, RST = 2, 16, 8, 1, 4


class Wire:
    """Packets in the order of their times, in pieces of a megabyte."""

    def __init__(self):
        self.at = 1_700_000_000_000_000
        self.pieces, self.size, self.written = [], 0, 24
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def packet(self, source, destination, seq, ack, flags, data=b"", after=37):
        self.at += after
        (a, p), (b, q) = source, destination
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, min(40 + len(data), 65535), 1, 0x4000, 64, 6, 0, a, b)
        tcp = struct.pack(">HHIIBBHHH", p, q, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        size = 54 + len(data)
        head = struct.pack("<IIII", self.at // 1_000_000, self.at % 1_000_000, size, size)
        self.pieces += [head, b"\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\x08\0", ip, tcp, data]
        self.size += 16 + size
        if self.size > 1_000_000:
            self.flush()

    def flush(self):
        out.write(b"".join(self.pieces))
        self.written += self.size
        self.pieces, self.size = [], 0


class Talk:
    """One TCP connection."""

    def __init__(self, wire, client, server, isn):
        self.wire, self.ends, self.next = wire, (client, server), [isn & 0xFFFFFFFF, isn * 7919 & 0xFFFFFFFF]
        wire.packet(client, server, self.next[0], 0, SYN)
        self.next[0] += 1
        wire.packet(server, client, self.next[1], self.next[0], SYN | ACK)
        self.next[1] += 1
        self.flag(0, ACK)

    def flag(self, who, flags, data=b"", after=37):
        self.wire.packet(self.ends[who], self.ends[1 - who], self.next[who], self.next[1 - who], flags, data, after)
        self.next[who] += len(data) + bool(flags & (SYN | FIN))

    def says(self, who, data, after=37):
        self.flag(who, PSH | ACK, data, after)

    def closes(self, who):
        self.flag(who, FIN | ACK)
        self.flag(1 - who, FIN | ACK)
        self.flag(who, ACK)


def handshake(kind, body):
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def hello(n):
    """A ClientHello of 390 bytes in its record, with a random of its own."""
    suites = b"".join(struct.pack(">H", s) for s in (0xC02C, 0xC030, 0x9F, 0xC02B, 0xC02F, 0x9E, 0xC024, 0xC028, 0x35, 0x2F))
    extensions = bytes.fromhex("000a00080006001d00170018000b00020100000d00080006040305030603") + b"\xff\x01\0\x01\0\0\x17\0\0"
    fixed = b"\x03\x03" + struct.pack(">Q", n) * 4 + b"\0" + len(suites).to_bytes(2, "big") + suites + b"\x01\0"
    padding = 390 - 9 - len(fixed) - 2 - len(extensions) - 4
    extensions += b"\0\x15" + padding.to_bytes(2, "big") + bytes(padding)
    return handshake(1, fixed + len(extensions).to_bytes(2, "big") + extensions)


def short(wire, n):
    client = (struct.pack(">I", 0x0A010000 + n // 50_000), 1024 + n % 50_000)
    server = (b"\x0a\0\0" + bytes([2 + n % 3]), 21)
    talk = Talk(wire, client, server, n * 104_729 + 1)
    told = wire.at // 1_000_000 % 86_400
    time = b" Local time is %02d:%02d:%02d." % (told // 3600, told // 60 % 60, told % 60) if n % 10 == 0 else b""
    talk.says(1, b"220 FTP server %d ready.%s\r\n" % (n % 10, time))
    talk.says(0, b"AUTH TLS\r\n")
    talk.says(1, b"234 AUTH TLS successful\r\n")
    talk.says(0, hello(n))
    kind = n % 6
    if kind == 0:
        talk.says(1, b"550 TLS handshake failed\r\n")
    elif kind == 1:
        talk.says(1, b"\x15\x03\x01\0\x02\x02\x28")
    elif kind == 2:
        talk.says(1, b"\x15\x03\x01\0\x02\x02\x46")
    elif kind == 4:
        return talk.flag(1, RST | ACK)
    elif kind == 5:
        talk.flag(0, FIN | ACK, after=5_000_000)
        return talk.flag(1, FIN | ACK)
    talk.closes(1)


def bulk(wire, n, mss, records):
    client, server = (b"\x0a\x01\0\x09", 20_000 + n % 20_000), (b"\x0a\0\0\x02", 21)
    control = Talk(wire, client, server, n * 104_729 + 1)
    control.says(1, b"220 FTP server ready.\r\n")
    for command, reply in ((b"USER anonymous", b"331 Password, please"), (b"PASS guest", b"230 Logged in"), (b"TYPE I", b"200 Type I")):
        control.says(0, command + b"\r\n")
        control.says(1, reply + b"\r\n")
    port = 40_000 + n % 20_000
    control.says(0, b"PASV\r\n")
    control.says(1, b"227 Entering Passive Mode (10,0,0,2,%d,%d)\r\n" % divmod(port, 256))
    control.says(0, b"RETR file%d\r\n" % n)
    data = Talk(wire, (client[0], 40_000 + n % 20_000), (server[0], port), n * 7919 + 5)
    control.says(1, b"150 Opening data connection\r\n")
    # A session that is resumed: hellos, and both ends are done.
    done = b"\x14\x03\x03\0\x01\x01\x16\x03\x03\0\x28" + bytes(range(40))
    random, chosen = bytes(reversed(range(32))), b"\0\xc0\x30\0\0\0"
    data.says(0, hello(n))
    data.says(1, handshake(2, b"\x03\x03" + random + chosen) + done)
    data.says(0, done)
    for k, at in enumerate(range(0, len(records), mss)):
        data.says(1, records[at : at + mss])
        if k % 2:
            data.flag(0, ACK)
    data.closes(1)
    control.says(1, b"226 Transfer complete\r\n")
    control.says(0, b"QUIT\r\n")
    control.says(1, b"221 Goodbye\r\n")
    control.closes(1)


def main():
    kind, megabytes, *mtu = sys.argv[1:]
    mss = int(mtu[0]) - 52 if mtu else 1448
    wire, size = Wire(), int(megabytes) * 1_000_000
    # What is encrypted looks like chance, whatever it is.
    body = bytes(range(256)) * 64
    records = (b"\x17\x03\x03\x40\0" + body) * 610
    n = 0
    while wire.written + wire.size < size:
        short(wire, n) if kind == "short" else bulk(wire, n, mss, records)
        n += 1
    wire.flush()


main()
