"""A small shop for digital goods, on your own domain."""

__version__ = "0.1.0"
