"""Sizes and times as people say them."""

from __future__ import annotations


def size(count: float) -> str:
    """ "78 GB", "2.8 GB", "740 MB", "12 KB"."""
    if count >= 9_950_000_000:
        return f"{count / 1e9:.0f} GB"
    if count >= 999_500_000:
        return f"{count / 1e9:.1f} GB"
    if count >= 999_500:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e3:.0f} KB"


def duration(seconds: float) -> str:
    """ "45 s", "4 min", "1 h 20 min"."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def times_real_time(speed: float) -> str:
    """ "2.1×", "0.4×", "12×"."""
    return f"{speed:.0f}×" if speed >= 9.95 else f"{max(0.1, speed):.1f}×"
