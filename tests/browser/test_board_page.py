"""The board in a browser: it shows who loses, and goes on showing it by itself."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

LIVE, OFFLINE = re.compile("^live$", re.IGNORECASE), re.compile("^offline$", re.IGNORECASE)


def row(page: Page, address: str) -> Locator:
    return page.locator(f'[data-board] tbody tr[data-address="{address}"]')


def realized(page: Page, address: str) -> Locator:
    return row(page, address).locator('[data-field="realized"]')


def addresses(page: Page) -> list[str | None]:
    rows = page.locator("[data-board] tbody tr").all()
    return [each.get_attribute("data-address") for each in rows]


def opened_live(page: Page, site: Site, path: str = "/") -> None:
    page.goto(site.url + path)
    expect(page.locator("[data-badge]")).to_have_text(LIVE)


def test_the_board_shows_who_lost_most_first(page: Page, site: Site) -> None:
    page.goto(site.url)
    shown = [address for address in addresses(page) if address in site.addresses]
    assert shown == list(site.addresses)
    expect(realized(page, site.addresses[0])).to_have_attribute("title", "-5000.000000000 SOL")
    expect(realized(page, site.addresses[0])).to_have_text("\N{MINUS SIGN}5,000.00")
    expect(row(page, site.addresses[0]).locator('[data-field="closed"]')).to_have_text("1")


def test_the_page_says_that_it_is_live(page: Page, site: Site) -> None:
    opened_live(page, site)
    first = page.locator("[data-as-of]").text_content()
    assert first
    expect(page.locator("[data-as-of]")).not_to_have_text(first)


def test_a_row_changes_without_a_reload(page: Page, site: Site) -> None:
    address = site.lose("browser changes", 4000)
    opened_live(page, site)
    expect(realized(page, address)).to_have_attribute("title", "-4000.000000000 SOL")
    page.evaluate("window.sameLoad = true")
    site.lose("browser changes", 77)
    expect(realized(page, address)).to_have_attribute("title", "-4077.000000000 SOL")
    expect(row(page, address).locator('[data-field="trades"]')).to_have_text("4")
    assert page.evaluate("window.sameLoad") is True


def test_a_newcomer_enters_at_its_place(page: Page, site: Site) -> None:
    opened_live(page, site)
    address = site.lose("browser newcomer", 7000)
    expect(page.locator("[data-board] tbody tr").first).to_have_attribute("data-address", address)
    expect(row(page, address).locator('[data-field="rank"]')).to_have_text("1")
    link = row(page, address).locator('[data-field="wallet"]')
    expect(link).to_have_attribute("href", f"/wallets/{address}/")


def test_rows_stay_where_they_are_under_a_pointer(page: Page, site: Site) -> None:
    opened_live(page, site)
    before = addresses(page)
    page.locator("[data-board] tbody tr").nth(2).hover()
    newcomer = site.lose("browser patient", 8000)
    expect(page.locator("[data-pill]")).to_be_visible()
    assert addresses(page) == before
    page.locator("[data-pill]").click()
    expect(page.locator("[data-board] tbody tr").first).to_have_attribute("data-address", newcomer)
    expect(page.locator("[data-pill]")).to_be_hidden()


def test_a_page_that_lost_the_site_says_so_and_comes_back(page: Page, site: Site) -> None:
    opened_live(page, site)
    page.evaluate("window.sameLoad = true")
    site.stack.kill("web")
    expect(page.locator("[data-badge]")).to_have_text(OFFLINE)
    assert addresses(page)
    site.stack.start_process("web")
    expect(page.locator("[data-badge]")).to_have_text(LIVE, timeout=60_000)
    address = site.lose("browser returned", 4500)
    expect(realized(page, address)).to_have_attribute("title", "-4500.000000000 SOL")
    assert page.evaluate("window.sameLoad") is True


def test_the_tabs_lead_to_the_other_periods(page: Page, site: Site) -> None:
    page.goto(site.url)
    for label, period in (("7 days", "7d"), ("30 days", "30d"), ("All time", "all")):
        page.get_by_role("navigation", name="Period").get_by_text(label).click()
        page.wait_for_url(f"**/leaderboards/{period}/")
        expect(page.locator(".periods [aria-current]")).to_have_text(label)
        expect(row(page, site.addresses[1])).to_be_visible()


def test_bots_are_shown_when_asked_for(page: Page, site: Site) -> None:
    opened_live(page, site)
    page.locator(".switch").click()
    page.wait_for_url("**?include=bots")
    expect(row(page, site.addresses[0])).to_be_visible()
    expect(page.get_by_text("Not live")).to_be_visible()


def test_a_click_leads_from_a_row_to_its_wallet(page: Page, site: Site) -> None:
    page.goto(site.url)
    row(page, site.addresses[3]).get_by_role("link").click()
    page.wait_for_url(f"**/wallets/{site.addresses[3]}/")
    expect(page.get_by_text(site.addresses[3]).first).to_be_visible()
    expect(page.locator(".total")).to_have_attribute("title", "-4997.000000000 SOL")


def test_an_address_that_is_searched_for_leads_to_its_wallet(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_label("Wallet address").fill(site.addresses[2])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/wallets/{site.addresses[2]}/")
