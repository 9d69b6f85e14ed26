"""Template filters that turn exact decimal strings and moments into what a person reads.

`static/leaderboard/format.js` says the same in JavaScript for what the live board changes. Amounts
are cut, never rounded, so nothing is shown larger than it is; the exact figure goes into `title`.
A value that is missing is a dash.
"""

from datetime import UTC, datetime

from django import template

register = template.Library()

NOTHING = "—"
NO_PRICE = "no price"
NO_PRICE_MEANING = "The price of SOL in this minute is not known."
MINUS = "\N{MINUS SIGN}"
SOL_DIGITS = 9
TOKEN_DIGITS = 6
STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))
WINDOWS = {
    "24h": "rolling 24 hours",
    "7d": "rolling 7 days",
    "30d": "rolling 30 days",
    "all": "all time",
}
VENUES = {"pump": "curve", "pump_swap": "PumpSwap"}
FLAGS = {
    "unmatched": (
        "unmatched",
        "Sold tokens we never saw bought; those sales count neither as gain nor loss.",
    ),
    "unpriced": (
        "unpriced",
        "Some trades were paid in another token and have no SOL price; they are not counted.",
    ),
    "bot": ("bot", "Marked as an automated trader; default boards leave such wallets out."),
    "agent": ("agent", "A program's own trading agent, not a person; default boards leave it out."),
}


@register.filter
def sol(value: str | None) -> str:
    """The size of a SOL amount without its sign: two decimals, four below one, none when large."""
    if not value:
        return NOTHING
    whole, fraction = _digits(value)
    if whole >= 10_000:
        return f"{whole:,}"
    if whole:
        return f"{whole:,}.{fraction[:2]}"
    zeros = len(fraction) - len(fraction.lstrip("0"))
    if zeros == SOL_DIGITS:
        return "0"
    return f"0.{fraction[: max(4, zeros + 2)]}"


@register.filter
def signed_sol(value: str | None) -> str:
    """A SOL amount with its sign."""
    return _sign(value) + sol(value)


@register.filter
def exact_sol(value: str | None) -> str:
    """A SOL amount to the lamport, for a title."""
    return f"{value} SOL" if value else ""


@register.filter
def usd(value: str | None) -> str:
    """A US dollar amount with its sign and its cents; what has no price says so."""
    if not value:
        return NO_PRICE
    whole, fraction = _digits(value)
    sign = MINUS if value.startswith("-") else ""
    return f"{sign}${whole:,}.{fraction[:2]}"


@register.filter
def exact_usd(value: str | None) -> str:
    """A US dollar amount in full, or why there is none, for a title."""
    return f"{value} USD" if value else NO_PRICE_MEANING


@register.filter
def tone(value: str | None) -> str:
    """Whether an amount is a loss, a gain or even."""
    return {MINUS: "loss", "+": "gain"}.get(_sign(value), "even")


@register.filter
def percent(value: str | None) -> str:
    """A share in percent with one decimal, none when large."""
    if not value:
        return NOTHING
    whole, fraction = _digits(value)
    return f"{whole:,}%" if whole >= 1_000 else f"{whole}.{fraction[:1]}%"


@register.filter
def signed_percent(value: str | None) -> str:
    """A return in percent with its sign."""
    return _sign(value) + percent(value)


@register.filter
def count(value: int | str | None) -> str:
    """A number of things, grouped by thousands."""
    return NOTHING if _missing(value) else f"{int(value or 0):,}"


@register.filter
def share(lamports: str | None, worst: str | None) -> int:
    """How long the bar of a loss is, in percent of the worst loss shown."""
    loss, most = -int(lamports or 0), -int(worst or 0)
    return max(1, loss * 100 // most) if most > 0 and loss > 0 else 0


@register.filter
def tokens(units: int | str | None) -> str:
    """Raw token units as tokens (six decimals, as Pump.fun mints them), with K, M, B and T."""
    if _missing(units):
        return NOTHING
    raw = int(units or 0)
    for size, letter in STEPS:
        if raw >= size * 10**TOKEN_DIGITS:
            hundredths = raw * 100 // (size * 10**TOKEN_DIGITS)
            return f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".") + letter
    whole, rest = divmod(raw, 10**TOKEN_DIGITS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


@register.filter
def iso(value: datetime | str | None) -> str:
    """A moment as machines read it."""
    return _moment(value).isoformat() if value else ""


@register.filter
def utc(value: datetime | str | None) -> str:
    """A moment in full, to the second."""
    return _moment(value).strftime("%Y-%m-%d %H:%M:%S UTC") if value else NOTHING


@register.filter
def ago(value: datetime | str | None, now: datetime | None = None) -> str:
    """How long ago a moment was."""
    if not value:
        return NOTHING
    seconds = int(((now or datetime.now(UTC)) - _moment(value)).total_seconds())
    if seconds < 5:
        return "just now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


@register.filter
def duration(seconds: int | None) -> str:
    """A length of time in its two largest units."""
    if _missing(seconds):
        return NOTHING
    rest, parts = int(seconds or 0), []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"


@register.filter
def window(period: str) -> str:
    """A board's period in words: the windows roll, they are not calendar days."""
    return WINDOWS.get(period, period)


@register.filter
def venue(name: str) -> str:
    """The program that executed a swap, as people call it."""
    return VENUES.get(name, name)


@register.filter
def flag_name(flag: str) -> str:
    """A quality flag in a word or two."""
    return FLAGS.get(flag, (flag, ""))[0]


@register.filter
def flag_meaning(flag: str) -> str:
    """A quality flag in a sentence."""
    return FLAGS.get(flag, ("", flag))[1]


@register.simple_tag
def every_flag() -> list[str]:
    """The flags a live row may raise."""
    return list(FLAGS)


def _missing(value: object) -> bool:
    """Zero is a value; None is none, and so is what a template could not find."""
    return value is None or value == ""


def _digits(value: str) -> tuple[int, str]:
    """The whole part and the nine decimals of a decimal string, without its sign."""
    whole, _, fraction = value.lstrip("-").partition(".")
    return int(whole or 0), fraction.ljust(SOL_DIGITS, "0")[:SOL_DIGITS]


def _sign(value: str | None) -> str:
    """The sign a reader sees; an even amount has none."""
    if not value or not value.strip("-0."):
        return ""
    return MINUS if value.startswith("-") else "+"


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else value
