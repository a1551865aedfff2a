"""Every run of the suite draws the same examples, however slow the machine; what fails prints how to repeat it."""

from hypothesis import settings

settings.register_profile("postroad", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("postroad")
