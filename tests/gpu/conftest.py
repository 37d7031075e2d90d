"""Critics of no size, as the unit tests have them."""

from tests.support.critics import backbone, make_critic

__all__ = ["backbone", "make_critic"]
