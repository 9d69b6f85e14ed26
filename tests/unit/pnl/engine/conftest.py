"""A failing ledger is explained as thoroughly as a failing test."""

import pytest

pytest.register_assert_rewrite("tests.ledger")
