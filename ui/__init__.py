"""The page: what a visitor sees and asks, on top of `irl_core`. `ui.command` starts it."""
