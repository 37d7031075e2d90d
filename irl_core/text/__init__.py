"""What is written, read exactly: traces, steps, answers, numbers, equations. Pure Python, no model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
