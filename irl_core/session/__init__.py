"""A problem being solved, the record of it as JSON, and the workbench that holds policy and critic."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
