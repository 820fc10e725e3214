"""The terminal application: a quiet page that listens."""
