"""Sound from a microphone, a file or standard input, as 16 kHz mono s16."""
