"""The main program of a :class:`gecko_tw.testing.Server`: ``geckos3 serve`` that ends with whoever started it.

The starter holds the other end of its standard input, which the system closes even when the starter is killed. It is not the ``geckos3``
command because what other commands need takes a third of the start.
"""

import gc
import os
import signal
import sys
import threading

from twisted.python.usage import UsageError


def _end_with_starter() -> None:
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Serves; returns the exit code."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    gc.disable()  # as the command does: until all is imported
    from gecko_tw.tap import Options, serve

    options = Options()
    try:
        options.parseOptions(sys.argv[1:])
    except UsageError as wrong:
        sys.exit(f"geckos3: {wrong}")
    return serve(options.settings)


if __name__ == "__main__":
    sys.exit(main())
