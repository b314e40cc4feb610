"""Makes ``twistd geckos3`` known to twistd."""

from twisted.application.service import ServiceMaker

geckos3 = ServiceMaker("GeckoS3 on Twisted", "gecko_tw.tap", "A self-hosted, S3-compatible object store.", "geckos3")
