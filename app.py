"""Open the Errata web app: `python app.py --help`. The same as the command `errata`, where nothing is installed."""

from __future__ import annotations

from ui.command import main

if __name__ == "__main__":
    main()
