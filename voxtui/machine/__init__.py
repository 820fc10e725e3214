"""What this machine and this terminal are able to do. Asks, and changes nothing."""
