"""Errata: shows where a mathematical solution goes wrong, with a reward learned from expert solutions alone.

What is named here is stable (`__init__.pyi` lists it); it is imported when it is first used, so that `import irl_core`
costs next to nothing. Everything below a package's own `__init__.pyi` may change.

    >>> import irl_core as irl
    >>> irl.extract_answer("So she pays $12.50.")
    '12.50'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
