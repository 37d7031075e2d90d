"""From a name to weights on this disk: packed models, the hub, adapters, graphs for OpenVINO, prompts, pairs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
