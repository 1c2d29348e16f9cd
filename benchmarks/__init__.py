"""Measurements, and whether they meet their goals."""
