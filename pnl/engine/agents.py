"""Wallets that belong to a program: their trades are nobody's gain or loss."""

import based58

# The wallet through which the Mayhem program trades at random for a coin's first day.
MAYHEM_AGENT = "BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s"
MAYHEM_AGENT_BYTES = based58.b58decode(MAYHEM_AGENT.encode())
