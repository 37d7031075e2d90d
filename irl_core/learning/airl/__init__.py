"""Adversarial IRL: policy and dense reward learned together from demonstrations, on top of TRL."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
