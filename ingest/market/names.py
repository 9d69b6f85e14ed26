"""What people call their tokens: two words, a ticker and an address for the picture."""

from random import Random
from typing import Final

_ADJECTIVES: Final = (
    "Baby Based Big Bonk Broke Cosmic Crypto Dancing Degen Diamond Dizzy Electric Flying Frozen "
    "Giga Golden Grumpy Happy Hyper Infinite Jolly Laser Little Lucky Mega Micro Moon Neon Paper "
    "Peak Pixel Quantum Quiet Rich Rocket Royal Sad Silent Sleepy Smol Solar Super Turbo Ultra"
)
_ANIMALS: Final = (
    "Ape Axolotl Badger Banana Bear Bull Burger Capybara Cat Chad Chicken Coin Crab Doge Dolphin "
    "Dragon Duck Elephant Falcon Ferret Fish Fox Frog Goat Goose Hamster Hippo Kitten Lobster "
    "Monkey Moose Otter Panda Penguin Pigeon Pizza Puppy Raccoon Rat Shrimp Sloth Squid Taco Toad "
    "Turtle Unicorn Waffle Whale Wizard Wolf Yak"
)
_FIRST: Final = _ADJECTIVES.split()
_SECOND: Final = _ANIMALS.split()


def christen(dice: Random) -> tuple[str, str, str]:
    """Name, symbol and uri of a new token."""
    first, second = dice.choice(_FIRST), dice.choice(_SECOND)
    symbol = (first[:2] + second[:3]).upper()
    return f"{first} {second}", symbol, f"https://meta.example/{dice.randrange(16**10):010x}.json"
