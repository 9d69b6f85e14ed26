"""Runs Pump Loss on a bare machine: embedded PostgreSQL and Valkey, and the Procfile."""
