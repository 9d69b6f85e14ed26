"""From the bytes of a delivery to the trades in it: pure, exact, and never raising."""
