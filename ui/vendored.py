"""Files of others that the page brings along: KaTeX, fetched by a browser when a solution holds a formula."""

from __future__ import annotations

import mimetypes

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from irl_core.models.assets import ASSETS

FOLDER = ASSETS / "vendor"


def vendored_files() -> Mount:
    """Serves what lies in `assets/vendor`, and no other file, with the types that `nosniff` asks for."""
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("font/woff2", ".woff2")
    return Mount("/vendor", StaticFiles(directory=FOLDER))
