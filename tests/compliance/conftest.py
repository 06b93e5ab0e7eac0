"""Property tests look at the same examples on every machine, and no clock judges them."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("steady")
