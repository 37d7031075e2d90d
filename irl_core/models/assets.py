"""The folder with what is shipped beside the code: adapters, examples, recorded sessions, fonts, CSS, JS."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def find_assets(package: Path = _PACKAGE) -> Path:
    """`assets` inside the package, where a wheel puts it, else beside it, as in a checkout.

    Inside comes first: what lies beside an installed package belongs to somebody else.
    """
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


ASSETS = find_assets()
