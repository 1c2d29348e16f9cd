"""Whole visits through the front door, on both databases."""
