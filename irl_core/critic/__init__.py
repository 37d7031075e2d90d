"""The dense reward model: a reward for every token of a trace. `irl_core.load_critic` makes one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
