"""Every page can be read: on a phone, without scripts, in the dark and in the light."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Site

pytestmark = pytest.mark.browser

PHONE = 360
LEGIBLE = 4.5
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The contrast, as WCAG defines it, between an element's text and the opaque colour behind it.
CONTRAST = """
element => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = parse(color).map(v => v / 255)
      .map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  const painted = () => getComputedStyle(behind).backgroundColor;
  while (behind.parentElement && parse(painted())[3] < 1) behind = behind.parentElement;
  const shades = [light(getComputedStyle(element).color), light(painted())].sort((a, b) => b - a);
  return (shades[0] + 0.05) / (shades[1] + 0.05);
}
"""
READ = (".realized .amount", ".wallet .address", ".gross", ".periods a", ".says", ".colophon p")


def paths(site: Site) -> list[str]:
    known = f"/wallets/{site.addresses[0]}/"
    return ["/", "/leaderboards/all/", "/leaderboards/24h/?include=bots", known, "/nowhere/"]


def test_nothing_is_wider_than_a_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": PHONE, "height": 740})
    for path in paths(site):
        page.goto(site.url + path)
        assert page.evaluate(OVERFLOW) <= 0, path


def test_a_phone_shows_who_and_how_much(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": PHONE, "height": 740})
    page.goto(site.url)
    row = page.locator(f'[data-address="{site.addresses[0]}"]')
    for field in ("rank", "wallet", "realized"):
        box = row.locator(f'[data-field="{field}"]').bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_can_be_read_in_the_dark_and_in_the_light(
    browser: Browser, site: Site, scheme: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(site.url)
        for selector in READ:
            ratio = page.locator(selector).first.evaluate(CONTRAST)
            assert ratio >= LEGIBLE, (selector, ratio)


def test_the_other_theme_is_chosen_with_a_button_and_remembered(page: Page, site: Site) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(site.url)
    dark = background(page)
    page.get_by_role("button", name="Switch between dark and light").click()
    light = background(page)
    assert light != dark
    page.goto(f"{site.url}/wallets/{site.addresses[0]}/")
    assert background(page) == light


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_everything_is_there_without_scripts(browser: Browser, site: Site) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(site.url)
        row = page.locator(f'[data-address="{site.addresses[0]}"]')
        expect(row.locator('[data-field="realized"]')).to_be_visible()
        expect(page.locator("[data-badge]")).to_be_hidden()
        page.get_by_role("navigation", name="Period").get_by_text("All time").click()
        page.wait_for_url("**/leaderboards/all/")
        page.locator(f'[data-address="{site.addresses[0]}"] a').click()
        expect(page.locator(".total")).to_have_attribute("title", "-5000.000000000 SOL")


def test_a_wallet_is_found_without_scripts(browser: Browser, site: Site) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(site.url)
        page.get_by_label("Wallet address").fill(f" {site.addresses[1]} ")
        page.get_by_role("button", name="Go").click()
        page.wait_for_url(f"**/wallets/{site.addresses[1]}/")
