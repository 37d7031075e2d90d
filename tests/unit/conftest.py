"""Critics of no size, for whatever scores."""

from tests.support.critics import backbone, make_critic

__all__ = ["backbone", "make_critic"]
