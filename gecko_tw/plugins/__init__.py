"""Dropins: small modules that describe what somebody adds. Other packages ship theirs in a ``gecko_tw/plugins`` directory."""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
