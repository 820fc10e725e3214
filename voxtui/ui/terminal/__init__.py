"""What terminals can do and how to ask them: keys held down, file descriptors, the clipboard."""
