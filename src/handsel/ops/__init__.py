"""Keeping a shop: doctor, verify, backup, demo."""
