"""The same policies and critics on vLLM, and on servers that speak the OpenAI protocol."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
