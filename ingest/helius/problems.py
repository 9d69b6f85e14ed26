"""What goes wrong between Helius and us, in a sentence that holds no key."""

EXCERPT_CHARACTERS = 200


class HeliusProblem(Exception):
    """A call that brought nothing, after every attempt.

    `status` is the HTTP status, 0 if nobody answered; `retry_after_seconds` is how long Helius
    asked to be left alone, if it did.
    """

    def __init__(
        self, call: str, status: int, reason: str, *, retry_after_seconds: float | None = None
    ) -> None:
        self.call = call
        self.status = status
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{call}: {status or 'no answer'} {reason}")


def excerpt(content: bytes) -> str:
    """The first characters of an answer, on one line."""
    text = " ".join(content[: 4 * EXCERPT_CHARACTERS].decode(errors="replace").split())
    return text[:EXCERPT_CHARACTERS] or "(empty)"
