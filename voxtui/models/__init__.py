"""The models one can have: which there are, getting them, keeping them."""
