"""The command `errata`: opens the page, fetches what it needs, or shows and empties the cache."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from irl_core.models import cache
from irl_core.models.assets import ASSETS
from irl_core.models.pairs import NEEDED, PAIRS, VARIABLE, choose_pair

if TYPE_CHECKING:
    from irl_core.models.cache import CacheEntry


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; `arguments` are those of the process where none are given."""
    options = parse_arguments(arguments)
    if options.command == "cache":
        print(_freed(cache.clear_cache()) if options.clear else list_cache(cache.cache_entries()))
    elif options.command == "fetch":
        fetch(options)
    else:
        open_page(options)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; `policy` and `critic` as the workbench takes them, a pair's name included."""
    parser = argparse.ArgumentParser(
        prog="errata", description="Errata: see where a math solution goes wrong. Without a command it opens the page."
    )
    _add_page_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="other commands")
    what = "model graphs and merged weights that were made on this machine"
    of_cache = commands.add_parser("cache", help=f"show {what}", description=f"Show {what}, with size and last use.")
    of_cache.add_argument("--clear", action="store_true", help="remove them; what is needed is made again")
    what = "the models that the page would load with the options given before"
    commands.add_parser("fetch", help=f"fetch {what}", description=f"Fetch {what}; what is here is not fetched again.")
    options = parser.parse_args(arguments)
    if not options.policy or not options.critic:
        try:
            pair = choose_pair(options.pair)
        except ValueError as error:
            parser.error(str(error))
        options.policy = options.policy or (pair.name if options.pair or os.environ.get(VARIABLE) else "auto")
        options.critic = options.critic or pair.name
    return options


def _add_page_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--critic", metavar="NAME", help="a critic's folder, a name such as `surprise`, or a served one"
    )
    parser.add_argument(
        "--policy",
        metavar="NAME",
        help="who writes solutions: a pair, a folder, a hub name, vllm:NAME or a URL (default: the pair's)",
    )
    parser.add_argument(
        "--pair",
        metavar="NAME",
        help=f"policy and critic that belong together: {', '.join(PAIRS)} (default: standard, or small where less "
        f"than {NEEDED / 1e9:.0f} GB of memory are free); where no option can be given, as in a Space, set {VARIABLE}",
    )
    parser.add_argument("--larger", action="store_const", dest="pair", const="larger", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=7860, metavar="N", help="port to listen on (default: 7860)")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that the page answers to, behind a proxy that passes it on; may be repeated; where no "
        "option can be given, set ERRATA_ALLOWED_HOSTS (names of this machine, addresses and a Space's always hold)",
    )
    parser.add_argument(
        "--root-path",
        default=os.environ.get("GRADIO_ROOT_PATH"),
        metavar="PATH",
        help="where a proxy serves the page: a path such as /errata, or the whole address",
    )
    parser.add_argument("--replay-only", action="store_true", help="load no model; only saved sessions can be read")


def fetch(options: argparse.Namespace) -> None:
    """Bring the weights that the page would load to this disk, with a progress bar for each.

    Raises:
        SystemExit: with one sentence where they cannot be had.
    """
    if options.replay_only:
        return
    from irl_core.loading import fetch_backbones

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request
    try:
        for backbone in fetch_backbones(options.policy, options.critic):
            print(f"{backbone.name} is in {backbone.path}")
    except (RuntimeError, ValueError, OSError) as problem:
        sys.exit(f"error: {problem}")


def open_page(options: argparse.Namespace) -> None:
    """Serve the page until it is interrupted."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    # Gradio takes seconds to import, which the other commands do without; and it reads the setting above.
    from starlette.middleware import Middleware

    from irl_core.session.workbench import Workbench

    from .api import answer_tools_in_json
    from .page import build_page
    from .page_files import page_files
    from .request_guard import KnownHosts, SecurityHeaders, allowed_hosts
    from .social_card import SocialCard, picture_route
    from .theme import build_theme, head
    from .vendored import vendored_files

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    workbench = None if options.replay_only else Workbench(policy=options.policy, critic=options.critic)
    with page_files():
        page = build_page(workbench)
        page.queue(max_size=20, default_concurrency_limit=1).launch(
            server_name="0.0.0.0" if os.environ.get("SYSTEM") == "spaces" else "127.0.0.1",
            server_port=options.port,
            theme=build_theme(),
            head=head(),
            max_file_size="5mb",
            allowed_paths=[],
            root_path=options.root_path,
            app_kwargs={
                "routes": [picture_route(), vendored_files()],
                "middleware": [
                    Middleware(KnownHosts, hosts=allowed_hosts(options.allowed_host, options.root_path)),
                    Middleware(SecurityHeaders),
                    Middleware(SocialCard),
                ],
            },
            mcp_server=True,
            run_history=False,
            enable_monitoring=False,
            show_error=False,
            share=False,
            ssr_mode=False,
            favicon_path=ASSETS / "favicon.svg",
            footer_links=["api"],
            state_session_capacity=500,
            prevent_thread_lock=True,
        )
        answer_tools_in_json(page)
        if workbench is not None:  # only now: what loads beside it would hold up the page
            workbench.start_loading()
        page.block_thread()


def list_cache(entries: Sequence[CacheEntry]) -> str:
    """The cache's entries as a table, the largest first, and their sum."""
    if not entries:
        return f"nothing was made in {cache.cache_root()}"
    width = max(len("total"), *(len(entry.name) for entry in entries))
    lines = [f"{'':{width}}  {'size':>12}  last used"]
    for entry in sorted(entries, key=lambda entry: -entry.bytes):
        used = datetime.fromtimestamp(entry.last_used)
        lines.append(f"{entry.name:{width}}  {_megabytes(entry.bytes):>12}  {used:%Y-%m-%d %H:%M}")
    total = _megabytes(sum(entry.bytes for entry in entries))
    return "\n".join([*lines, f"{'total':{width}}  {total:>12}  {cache.cache_root()}"])


def _freed(removed: Sequence[CacheEntry]) -> str:
    return f"{_megabytes(sum(entry.bytes for entry in removed))} freed"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
