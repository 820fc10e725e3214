"""voxtui: speech to text in the terminal, while it is said, on your own machine."""

__version__ = "0.1.0"
