"""From rewards and exact arithmetic to the step that is suspect, how sure that is, and the answer to believe."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
