"""What waits for a viewer is bounded, in order, and never older than its snapshot."""

import asyncio
from collections.abc import Awaitable, Callable

from leaderboard.hub import QUEUE_MAX, Viewer


class Socket:
    """Takes frames for as long as it is open."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.is_open = asyncio.Event()

    async def write(self, frame: bytes) -> None:
        await self.is_open.wait()
        self.taken.append(frame)


def served(story: Callable[[Viewer, Socket], None], expected: int) -> list[bytes]:
    """What a socket got of a story that was told while it was shut."""

    async def tell() -> list[bytes]:
        socket = Socket()
        viewer = Viewer("24h", socket.write)
        story(viewer, socket)
        serving = asyncio.create_task(viewer.serve())
        socket.is_open.set()
        await until(lambda: len(socket.taken) >= expected)
        serving.cancel()
        return socket.taken

    return asyncio.run(tell())


async def until(enough: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not enough():
            await pause()


def pause() -> Awaitable[None]:
    return asyncio.sleep(0)


def test_a_snapshot_comes_before_the_deltas_that_continue_it() -> None:
    def story(viewer: Viewer, _: Socket) -> None:
        for version in (4, 5, 6, 7):
            assert viewer.offer(version, b"delta %d" % version)
        viewer.start_from(5, b"snapshot 5")

    assert served(story, 3) == [b"snapshot 5", b"delta 6", b"delta 7"]


def test_nothing_is_written_before_the_first_snapshot() -> None:
    async def tell() -> None:
        socket = Socket()
        socket.is_open.set()
        viewer = Viewer("24h", socket.write)
        serving = asyncio.create_task(viewer.serve())
        viewer.offer(1, b"delta 1")
        for _ in range(5):
            await pause()
        assert socket.taken == []
        viewer.start_from(0, b"snapshot 0")
        await until(lambda: len(socket.taken) == 2)
        serving.cancel()

    asyncio.run(tell())


def test_a_queue_that_is_full_is_dropped_and_says_so() -> None:
    def story(viewer: Viewer, _: Socket) -> None:
        viewer.start_from(0, b"snapshot 0")
        fit = [viewer.offer(version, b"delta") for version in range(1, QUEUE_MAX)]
        assert all(fit)
        assert not viewer.offer(QUEUE_MAX, b"one too many")
        viewer.start_from(QUEUE_MAX, b"fresh")
        assert viewer.offer(QUEUE_MAX + 1, b"goes on")

    assert served(story, 2) == [b"fresh", b"goes on"]


def test_asking_again_and_again_leaves_one_snapshot() -> None:
    def story(viewer: Viewer, _: Socket) -> None:
        for version in range(100):
            viewer.start_from(version, b"snapshot %d" % version)
        viewer.offer(100, b"delta 100")

    assert served(story, 2) == [b"snapshot 99", b"delta 100"]
