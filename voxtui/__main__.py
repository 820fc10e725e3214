"""`python -m voxtui`."""

from voxtui.cli.main import main

main()
