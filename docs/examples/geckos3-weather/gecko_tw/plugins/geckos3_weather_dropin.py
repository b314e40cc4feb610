"""What a daemon finds of this package. It is read at every start, so it imports nothing but descriptions."""

from gecko_tw.dropins.descriptions import OperationFamily

weather = OperationFamily("weather", "geckos3_weather")
