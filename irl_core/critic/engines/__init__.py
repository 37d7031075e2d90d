"""Engines that read token ids and keep their keys and values: OpenVINO, PyTorch on a CPU, PyTorch on a GPU."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
