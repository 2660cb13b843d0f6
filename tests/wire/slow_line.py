# SPDX-License-Identifier: MIT
"""A control connection that takes its time: passes everything on, both ways, so many milliseconds later.

    python slow_line.py PORT HOST:PORT MILLISECONDS [MORE]

`MORE` is what any octets may take beyond that, by chance.
"""

from __future__ import annotations

import asyncio
import random
import sys


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, least_s: float, more_s: float) -> None:
    """Pass everything on in order, each part after its own delay."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            at, data = await under_way.get()
            await asyncio.sleep(at - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)

    delivering = asyncio.ensure_future(deliver())
    data = b"."
    while data:
        try:
            data = await reader.read(1 << 16)
        except OSError:
            data = b""
        due = max(due, loop.time() + least_s + random.uniform(0, more_s))
        under_way.put_nowait((due, data))
    await delivering


async def main(port: int, target: str, least_ms: float, more_ms: float = 0) -> None:
    """Serve for ever."""
    host, _, far_port = target.rpartition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(far_port))
        limits = (least_ms / 1000, more_ms / 1000)
        await asyncio.gather(carry(reader, far_writer, *limits), carry(far_reader, writer, *limits))

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print("listening", file=sys.stderr, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:])))
