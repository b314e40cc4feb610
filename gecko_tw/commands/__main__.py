"""``python -m gecko_tw.commands`` is the ``geckos3`` command."""

from gecko_tw.commands import main

if __name__ == "__main__":
    main(prog_name="geckos3")
