"""One worked solution in many manners: notation, sentences, labels, introductions and endings drawn independently."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
