"""Being alone with what a driver keeps."""

from zope.interface import Interface


class IClaiming(Interface):
    """Optional power of an IDriver, got by ``IClaiming(driver, None)``: it can be sure to be alone."""

    def claim() -> None:
        """Raises RuntimeError with a line for the user when another process uses the same. Of a data directory none begins to meanwhile."""
