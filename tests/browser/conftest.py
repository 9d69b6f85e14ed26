"""A real browser on a real site: rows on the board before the first page is opened."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.flow.bodies import SOL, Chain, base58, body_of, wallet
from tests.flow.running import RunningStack
from tests.flow.truth import settle

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PATIENCE_MS = 20_000
# More than anything else on the shared site has lost, so that these stand at the top.
FIRST_LOSS = 5000
WALLETS = 12


@dataclass(frozen=True)
class Site:
    """The site, and the wallets at the top of its boards, the biggest loser first."""

    stack: RunningStack
    addresses: tuple[str, ...]

    @property
    def url(self) -> str:
        return self.stack.url

    def lose(self, name: str, sol: int) -> str:
        """Somebody loses; the address."""
        assert self.stack.post(body_of(Chain(f"{name} {sol}").loss(name, sol * SOL))) == 200
        return base58(wallet(name))


@pytest.fixture(scope="package")
def browser(browser_path: str) -> Iterator[Browser]:
    """Package-wide and no wider: while it runs, an event loop runs in the main thread."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def site(running_stack: RunningStack) -> Site:
    """The shared site with a dozen losers."""
    names = [f"browser {number}" for number in range(WALLETS)]
    site = Site(running_stack, tuple(base58(wallet(name)) for name in names))
    for number, name in enumerate(names):
        site.lose(name, FIRST_LOSS - number)
    settle(running_stack)
    return site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of a wide window; a script that fails on it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    context.close()
    assert failures == []
