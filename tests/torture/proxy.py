"""A proxy between dag and its database that reads enough of the protocol to know a COMMIT, and does
to connections what networks do.

What is to happen at the next COMMIT is armed by name (TRAPS; those of COMMIT_TRAPS may come at any
moment of any task); what happens to connections at
any moment is a method.  The proxy runs on a loop in a thread of its own.
"""

import asyncio
import socket
import struct
import threading

CANCEL = 80877102
STARTUP_WITH_ANSWER = (80877103, 80877104)  # the requests for TLS and GSS: one byte comes back
HOLD_S = 1.5  # how long what is held back is held


def is_commit(message):
    """Alone, or behind the result in the same text."""
    return message[:1] == b"Q" and message.rstrip(b"\0 ").endswith(b"COMMIT")


class Link:
    """One connection: dag's end and the server's."""

    def __init__(self, proxy, reader, writer):
        self.proxy = proxy
        self.reader, self.writer = reader, writer
        self.server_reader = self.server_writer = None
        self.at_answer = None  # a coroutine that gets the server's next bytes instead of dag

    def cut(self, ours=True, theirs=True):
        """Ends without a word: the other side gets a reset."""
        for writer in (self.writer if ours else None, self.server_writer if theirs else None):
            if not writer:
                continue
            end = writer.get_extra_info("socket")
            if end and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def run(self):
        try:
            self.server_reader, self.server_writer = await asyncio.open_connection(
                *self.proxy.server)
            await self.start()
            ways = {asyncio.ensure_future(self.to_server()), asyncio.ensure_future(self.to_dag())}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.proxy.links.discard(self)
            self.writer.close()
            if self.server_writer and self not in self.proxy.stuck:
                self.server_writer.close()

    async def start(self):
        while True:
            size = await self.reader.readexactly(4)
            rest = await self.reader.readexactly(struct.unpack("!i", size)[0] - 4)
            code = struct.unpack("!i", rest[:4])[0]
            if code == CANCEL:
                await self.proxy.cancels.wait()
            self.server_writer.write(size + rest)
            if code not in STARTUP_WITH_ANSWER:
                return
            self.writer.write(await self.server_reader.readexactly(1))

    async def to_server(self):
        while True:
            head = await self.reader.readexactly(5)
            rest = await self.reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
            await self.proxy.flowing.wait()
            if is_commit(head + rest) and self.proxy.trap:
                trap, self.proxy.trap = self.proxy.trap, None
                trap.hit.set()
                await TRAPS[trap.name](self, head + rest)
            else:
                self.server_writer.write(head + rest)
                await self.server_writer.drain()

    async def to_dag(self):
        while True:
            data = await self.server_reader.read(65536)
            if not data:
                raise ConnectionResetError
            await self.proxy.flowing.wait()
            if self.at_answer:
                at_answer, self.at_answer = self.at_answer, None
                await at_answer(data)
            else:
                self.writer.write(data)
                await self.writer.drain()


# ---- what can happen at a COMMIT -----------------------------------------------------------------


async def never_sent(link, _commit):
    """Cut before it is passed on: it cannot commit."""
    link.cut()


async def server_end_stays(link, _commit):
    """Never passed on, and the server does not learn that dag is gone: the claim stays held."""
    link.proxy.stuck.add(link)
    link.cut(theirs=False)


async def cut_at_once(link, commit):
    """Passed on, and both ends are cut before the answer."""
    link.server_writer.write(commit)
    await link.server_writer.drain()
    link.cut()


async def answer_lost(link, commit):
    """It commits; dag's end is cut when the answer comes."""
    async def cut(_data):
        link.cut()
    link.at_answer = cut
    link.server_writer.write(commit)


async def answer_torn(link, commit):
    """dag gets the first bytes of the answer."""
    async def tear(data):
        link.writer.write(data[:7])
        await link.writer.drain()
        await asyncio.sleep(0.05)
        link.cut()
    link.at_answer = tear
    link.server_writer.write(commit)


async def silence(link, commit):
    """It commits, nothing comes back for a while, then the connection is gone."""
    async def hold(_data):
        await asyncio.sleep(HOLD_S)
        link.cut()
    link.at_answer = hold
    link.server_writer.write(commit)


async def late_answer(link, commit):
    """It commits and the answer comes, late."""
    async def hold(data):
        await asyncio.sleep(HOLD_S)
        link.writer.write(data)
    link.at_answer = hold
    link.server_writer.write(commit)


async def arrives_later(link, commit):
    """dag's end is cut, and the COMMIT reaches the server some time after."""
    link.proxy.stuck.add(link)
    link.cut(theirs=False)
    await asyncio.sleep(HOLD_S)
    link.server_writer.write(commit)
    await link.server_writer.drain()


async def waits_for_word(link, commit):
    """The same, when the test says so (Proxy.deliver), however long dag's end has been gone."""
    link.proxy.stuck.add(link)
    await link.proxy.delivery.wait()
    link.server_writer.write(commit)
    await link.server_writer.drain()


async def after_an_error(link, commit):
    """The transaction is aborted behind dag's back: a COMMIT alone is answered by ROLLBACK."""
    failing = b"select 1 / 0\0"

    async def swallow(data):
        if data.endswith(b"Z\0\0\0\5E"):
            link.server_writer.write(commit)
        else:
            link.at_answer = swallow
    link.at_answer = swallow
    link.server_writer.write(b"Q" + struct.pack("!i", 4 + len(failing)) + failing)


COMMIT_TRAPS = {
    "never_sent": never_sent,
    "server_end_stays": server_end_stays,
    "cut_at_once": cut_at_once,
    "answer_lost": answer_lost,
    "answer_torn": answer_torn,
    "silence": silence,
    "late_answer": late_answer,
    "arrives_later": arrives_later,
}
TRAPS = {**COMMIT_TRAPS, "waits_for_word": waits_for_word, "after_an_error": after_an_error}


class Trap:
    """Armed for the next COMMIT."""

    def __init__(self, name):
        self.name = name
        self.hit = threading.Event()


class Proxy:
    def __init__(self, server):
        self.server = server  # (host, port)
        self.links = set()
        self.stuck = set()  # whose server's end is open though dag's is gone
        self.trap = None
        self.refusing = False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.port = self.call(self.listen())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    async def listen(self):
        self.flowing, self.cancels = asyncio.Event(), asyncio.Event()
        self.delivery = asyncio.Event()
        self.flowing.set()
        self.cancels.set()
        self.listener = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        return self.listener.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        link = Link(self, reader, writer)
        if self.refusing:
            link.cut()
            return
        self.links.add(link)
        await link.run()

    # ---- from the test's thread

    def arm(self, name):
        trap = Trap(name)

        async def set_trap():
            self.trap = trap
        self.call(set_trap())
        return trap

    def disarm(self):
        async def clear():
            self.trap = None
        self.call(clear())

    def cut_all(self, theirs=True):
        """Resets every connection; without `theirs` the server does not notice.  How many."""
        async def cut():
            links = list(self.links)
            for link in links:
                if not theirs:
                    self.stuck.add(link)
                link.cut(theirs=theirs)
            return len(links)
        return self.call(cut())

    def let(self, gate, passes):
        async def change():
            (gate.set if passes else gate.clear)()
        self.call(change())

    def flow(self, flows):
        """Without flow connections are open and silent, both ways."""
        self.let(self.flowing, flows)

    def pass_cancels(self, passes):
        """Requests to cancel that do not pass arrive later."""
        self.let(self.cancels, passes)

    def deliver(self):
        """The COMMITs that wait for word."""
        self.let(self.delivery, True)

    def refuse(self, refuses):
        async def change():
            self.refusing = refuses
        self.call(change())

    def release_stuck(self):
        """The server learns that the ends it still holds are gone."""
        async def release():
            for link in list(self.stuck):
                link.cut(ours=False)
            self.stuck.clear()
        self.call(release())

    def close(self):
        async def close():
            self.flowing.set()
            self.listener.close()
            for link in list(self.links) + list(self.stuck):
                link.cut()
            await asyncio.sleep(0)
        self.call(close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
