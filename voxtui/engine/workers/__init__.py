"""Engines that are not ours, each in a process that speaks the protocol of voxtral_c/PROTOCOL.md.

python -m voxtui.engine.workers NAME -d MODEL [-I SECONDS] [--delay MS] …

standard input --frames--> wire.serve --> Worker --> wire.Output --JSON Lines--> standard output
"""
