"""Draws traces from a language model. `irl_core.load_policy` makes one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
