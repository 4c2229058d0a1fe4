#!/usr/bin/env python3
"""A line with a delay, for benches/audit.sh:   delay.py PORT TARGET_PORT ONE_WAY_MS COUNT_FILE

Passes connections at 127.0.0.1:PORT on to TARGET_PORT, everything later by ONE_WAY_MS in each direction; a connection itself takes a
round trip. COUNT_FILE always holds the number of connections so far. Ends with SIGTERM.
"""

import asyncio
import sys

PORT, TARGET, ONE_WAY, COUNT = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000, sys.argv[4]


async def pass_on(reader, writer):
    """Reads at once and writes later, so that what follows is not held up by what is on its way."""
    loop = asyncio.get_running_loop()
    on_its_way = asyncio.Queue()

    async def deliver():
        while True:
            due, data = await on_its_way.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    data = b"?"
    while data:
        try:
            data = await reader.read(65536)
        except OSError:
            data = b""
        await on_its_way.put((loop.time() + ONE_WAY, data))
    try:
        await delivery
    except OSError:
        pass


class Line:
    def __init__(self):
        self.count = 0

    async def connected(self, reader, writer):
        self.count += 1
        with open(COUNT, "w") as file:
            file.write(str(self.count))
        await asyncio.sleep(2 * ONE_WAY)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", TARGET)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))
        writer.close()
        back.close()


async def main():
    with open(COUNT, "w") as file:
        file.write("0")
    server = await asyncio.start_server(Line().connected, "127.0.0.1", PORT, backlog=256)
    async with server:
        await server.serve_forever()


asyncio.run(main())
