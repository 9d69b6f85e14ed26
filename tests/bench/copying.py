"""The measure of the pipeline: how fast PostgreSQL takes the same trades in when it only copies."""

import time

from pnl import rows


def seconds_to_copy() -> float:
    """Seconds of a COPY of all booked trades into a table with the same columns and indexes."""
    with rows.cursor() as raw:
        with raw.copy("COPY pnl_trade TO STDOUT (FORMAT BINARY)") as read:
            booked = [bytes(block) for block in read]
        raw.execute("CREATE TABLE bench_trade (LIKE pnl_trade INCLUDING ALL)")
        began = time.monotonic()
        with raw.copy("COPY bench_trade FROM STDIN (FORMAT BINARY)") as copy:
            for block in booked:
                copy.write(block)
        seconds = time.monotonic() - began
        raw.execute("DROP TABLE bench_trade")
    return seconds
