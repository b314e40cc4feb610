"""An operation that this package adds: `GET /?weather` is answered to whoever has the permission `weather:GetWeather`."""

from gecko_tw.resources.answers.answer import Answer
from gecko_tw.resources.dispatch.operations import GET, SERVICE, operation


@operation("GetWeather", GET, SERVICE, "weather", needs="weather:GetWeather")
async def get_weather(call):
    """Tells the weather."""
    return Answer(200, body=b"fair")
