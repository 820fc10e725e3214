"""Panels that open beside the page."""
