"""The language of ledgers notices what is wrong: a ledger that cannot fail proves nothing."""

import pytest

from tests.ledger import check

WRONG = {
    "a result": "buy 10 for 100 @10\nsell 5 for 10 @20 -> realized -41",
    "a cost": "buy 10 for 100 @10\nsell 5 for 10 @20 -> cost 51",
    "a close it does not tell": "buy 10 for 100 @10\nsell 10 for 10 @20 -> realized -90",
    "a close that is none": "buy 10 for 100 @10\nsell 5 for 10 @20 -> realized -40 closes -40",
    "unseen units it does not tell": "sell 5 for 10 @20 -> realized 0",
    "what is held": "buy 10 for 100 @10\nholds 11",
    "what it cost": "buy 10 for 100 @10\nholds 10 cost 99",
    "the trips": "buy 10 for 100 @10\nsell 10 for 10 @20\ntrips 1 won 1",
    "the order of rows": "sell 10 for 10 @20\nbuy 10 for 100 @10",
    "a row that is there twice": "buy 10 for 100 @10\nbuy 10 for 100 @10",
    "a price": "buy 10 for 100 usdc @10 -> bought",
    "a quote": "buy 10 for 100 @10 -> unpriced",
    "a word": "buy 10 for 100 @10\nsell 5 for 10 @20 -> gained -40",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_ledger_notices_what_is_wrong_with(text: str) -> None:
    with pytest.raises(AssertionError):
        check(text)
