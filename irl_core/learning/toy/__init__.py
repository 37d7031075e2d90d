"""A world whose right answers and true rewards are known exactly, and the study made in it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
