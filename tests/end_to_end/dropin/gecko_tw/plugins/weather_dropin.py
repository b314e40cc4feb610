"""What another package ships to add operations: a description."""

from gecko_tw.dropins import OperationFamily

weather = OperationFamily("weather", "weather_station")
