"""What a killed process leaves does not depend on the disk, and cuts of the power are simulated."""

from tests.unsynced import nothing_waits_for_the_disk  # noqa: F401 - a fixture
