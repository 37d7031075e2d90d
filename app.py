"""Open the Errata web app: `python app.py --help`."""

from __future__ import annotations

import argparse
import logging
import os
import threading

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from irl_core.models.pairs import PAIRS
from irl_core.session.workbench import Workbench
from ui.page import build_page
from ui.theme import ASSETS, build_theme, head


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Errata: see where a math solution goes wrong.")
    parser.add_argument(
        "--critic", metavar="NAME", help="a critic's folder, a name such as `surprise`, or a served one"
    )
    parser.add_argument(
        "--policy",
        metavar="NAME",
        help="who writes solutions: auto, embedded, a folder, a hub name, vllm:NAME or a URL (default: auto)",
    )
    parser.add_argument(
        "--larger",
        action="store_true",
        help="policy and critic on Qwen2.5-Coder-0.5B: right more often, twice as slow (491 MB, fetched once); "
        "where no option can be given, as in a Space, set ERRATA_PAIR=larger",
    )
    parser.add_argument("--port", type=int, default=7860, metavar="N", help="port to listen on (default: 7860)")
    parser.add_argument("--replay-only", action="store_true", help="load no model; only saved sessions can be read")
    options = parser.parse_args(arguments)
    pair = "larger" if options.larger else os.environ.get("ERRATA_PAIR") or None
    if pair not in (None, *PAIRS):
        parser.error(f"ERRATA_PAIR is {pair!r}; it must be one of {', '.join(PAIRS)}")
    options.policy, options.critic = options.policy or pair or "auto", options.critic or pair
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    workbench = None if options.replay_only else Workbench(policy=options.policy, critic=options.critic)
    page = build_page(workbench)
    page.queue(max_size=20, default_concurrency_limit=1).launch(
        server_name="0.0.0.0" if os.environ.get("SYSTEM") == "spaces" else "127.0.0.1",
        server_port=options.port,
        theme=build_theme(),
        head=head(),
        max_file_size="5mb",
        allowed_paths=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        share=False,
        ssr_mode=False,
        favicon_path=ASSETS / "favicon.svg",
        footer_links=[],
        state_session_capacity=500,
        prevent_thread_lock=True,
    )
    if workbench is not None:  # only now: what loads beside it would hold up the page
        threading.Thread(target=workbench.load, name="load-models", daemon=True).start()
    page.block_thread()


if __name__ == "__main__":
    main()
