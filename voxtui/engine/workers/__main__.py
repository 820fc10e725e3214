"""Starts one worker."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import NoReturn

from voxtui.engine.workers.wire import CannotWork, Output


def options(args: list[str]) -> argparse.Namespace:
    """What every engine of ours takes, and what these take besides."""
    parser = argparse.ArgumentParser(prog="voxtui.engine.workers")
    parser.add_argument("name", choices=("ggml", "upstream", "realtime"))
    parser.add_argument("-d", dest="model", required=True)
    parser.add_argument("-I", dest="interval", type=float, default=0.5)
    parser.add_argument("--delay", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--alt", default="")
    parser.add_argument("--framed", action="store_true")
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--binary", default="")
    parser.add_argument("--url", default="")
    parser.add_argument("--dialect", default="vllm")
    return parser.parse_args(args)


def main() -> NoReturn:
    """Exit codes as the protocol says: 0 an end that was asked for, 1 a failure, 2 no use."""
    chosen = options(sys.argv[1:])
    output = Output.take_stdout()
    try:
        importlib.import_module(f"voxtui.engine.workers.{chosen.name}").run(chosen, output)
    except CannotWork as error:
        output.error(error.code, str(error))
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        pass  # nobody reads any more
    sys.exit(0)


if __name__ == "__main__":
    main()
