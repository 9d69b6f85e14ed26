"""Helius as we call it: webhooks over REST, the chain over JSON-RPC, typed and paced."""
