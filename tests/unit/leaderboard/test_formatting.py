"""What a person reads is cut, never rounded, and carries its sign."""

from datetime import UTC, datetime, timedelta

import pytest

from leaderboard.templatetags import formatting

NOW = datetime(2025, 11, 23, 17, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("-18342.519999999", "18,342"),
        ("9999.999999999", "9,999.99"),
        ("1.009999999", "1.00"),
        ("0.500000000", "0.5000"),
        ("-0.123456789", "0.1234"),
        ("0.001230000", "0.0012"),
        ("0.000000009", "0.000000009"),
        ("0.000001239", "0.0000012"),
        ("0.000000000", "0"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_an_amount_is_cut_to_what_matters(value: str | None, shown: str) -> None:
    assert formatting.sol(value) == shown


@pytest.mark.parametrize(
    ("value", "shown", "tone"),
    [
        ("-1.500000000", "\N{MINUS SIGN}1.50", "loss"),
        ("1.500000000", "+1.50", "gain"),
        ("0.000000000", "0", "even"),
        ("-0.000000000", "0", "even"),
        (None, "—", "even"),
    ],
)
def test_an_amount_says_whether_it_is_a_loss(value: str | None, shown: str, tone: str) -> None:
    assert (formatting.signed_sol(value), formatting.tone(value)) == (shown, tone)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("-1234567.899999", "\N{MINUS SIGN}$1,234,567.89"),
        ("0.009999", "$0.00"),
        ("12.500000", "$12.50"),
        ("", "no price"),
        (None, "no price"),
    ],
)
def test_dollars_are_cut_to_the_cent_and_what_has_no_price_says_so(
    value: str | None, shown: str
) -> None:
    assert formatting.usd(value) == shown


def test_a_title_has_every_millionth_of_a_dollar_or_the_reason_why_not() -> None:
    assert formatting.exact_usd("-1.234567") == "-1.234567 USD"
    assert formatting.exact_usd(None) == "The price of SOL in this minute is not known."


def test_a_title_has_every_lamport() -> None:
    assert formatting.exact_sol("-1.234567890") == "-1.234567890 SOL"
    assert formatting.exact_sol(None) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("-42.19", "\N{MINUS SIGN}42.1%"),
        ("12345.67", "+12,345%"),
        ("0.00", "0.0%"),
        ("-0.01", "\N{MINUS SIGN}0.0%"),
        (None, "—"),
    ],
)
def test_a_return_is_signed(value: str | None, shown: str) -> None:
    assert formatting.signed_percent(value) == shown


def test_a_share_has_no_sign() -> None:
    assert formatting.percent("37.50") == "37.5%"


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (1234567, "1,234,567"), (None, "—")])
def test_a_count_is_grouped(value: int | None, shown: str) -> None:
    assert formatting.count(value) == shown


@pytest.mark.parametrize(
    ("lamports", "worst", "length"),
    [
        ("-50", "-100", 50),
        ("-100", "-100", 100),
        ("-1", "-1000000", 1),
        ("7", "-100", 0),
        ("7", "9", 0),
        ("", "", 0),
    ],
)
def test_a_bar_is_a_share_of_the_worst_loss(lamports: str, worst: str, length: int) -> None:
    assert formatting.share(lamports, worst) == length


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        ("0", "0"),
        ("1", "0.000001"),
        ("1500000", "1.5"),
        ("999999999999", "999.99K"),
        ("1239999999", "1.23K"),
        ("1000000000000000", "1B"),
        ("18446744073709551615", "18.44T"),
        (None, "—"),
    ],
)
def test_units_are_shown_as_tokens(units: str | None, shown: str) -> None:
    assert formatting.tokens(units) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "just now"),
        (4, "just now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3_600, "1 h ago"),
        (200_000, "2 d ago"),
    ],
)
def test_a_moment_is_told_by_its_age(seconds: int, shown: str) -> None:
    moment = NOW - timedelta(seconds=seconds)
    assert formatting.ago(moment, NOW) == shown
    assert formatting.ago(moment.isoformat(), NOW) == shown


def test_a_moment_is_told_in_full_in_utc() -> None:
    assert formatting.utc("2025-11-23T18:04:12.5+01:00") == "2025-11-23 17:04:12 UTC"
    assert formatting.utc("2025-11-23T17:04:12Z") == "2025-11-23 17:04:12 UTC"
    assert formatting.iso(NOW) == "2025-11-23T17:04:12+00:00"


def test_a_missing_moment_is_a_dash() -> None:
    assert (formatting.utc(None), formatting.ago(None), formatting.iso(None)) == ("—", "—", "")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59, "59 s"), (192, "3 min 12 s"), (90_061, "1 d 1 h"), (None, "—")],
)
def test_a_duration_has_two_units(seconds: int | None, shown: str) -> None:
    assert formatting.duration(seconds) == shown


def test_a_window_is_named_as_rolling() -> None:
    assert formatting.window("24h") == "rolling 24 hours"


def test_a_venue_is_called_what_people_call_it() -> None:
    assert formatting.venue("pump_swap") == "PumpSwap"
    assert formatting.venue("pump") == "curve"
    assert formatting.venue("elsewhere") == "elsewhere"


def test_every_flag_has_a_name_and_a_sentence() -> None:
    for flag in formatting.every_flag():
        assert formatting.flag_name(flag)
        assert formatting.flag_meaning(flag).endswith(".")
    assert formatting.flag_name("new") == "new"
