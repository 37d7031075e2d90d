"""What the scripts share: a YAML file of settings under the command line, and one last line of figures."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


class HelpFormatter(argparse.HelpFormatter):
    """argparse's help with each default shown and the description's paragraphs and examples left as written."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        shown = action.help or ""
        has_default = action.default not in (None, False, argparse.SUPPRESS) and action.option_strings
        return f"{shown} (default: %(default)s)" if has_default and "%(default)" not in shown else shown

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in text.strip().splitlines())


def parse_args(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse `argv` over the settings of the YAML file that `--config` names; the command line wins.

    The file is one flat mapping from option names (`batch-size` or `batch_size`) to values: a switch takes true or
    false, an option of several values a list, and null means "not set here". Its values pass through the same `type`
    and `choices` as the command line's. `--config` is added to `parser` where it is missing. Options that collect
    (`action="append"`) add to the file's values; everything else replaces them.

    Returns:
        The parsed options; `config` is the file's path or None.

    Raises:
        SystemExit: (2) with a message on stderr for any mistake, unknown keys of the file among them.
    """
    parser.allow_abbrev = False
    if parser.formatter_class is argparse.HelpFormatter:
        parser.formatter_class = HelpFormatter
    if not any("--config" in action.option_strings for action in parser._actions):
        parser.add_argument("--config", type=Path, metavar="FILE.yaml", help="settings; the command line wins")
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog=parser.prog)
    finder.add_argument("--config", type=Path)
    known, _ = finder.parse_known_args(argv)
    if known.config is None:
        return parser.parse_args(argv)
    try:
        from_file = arguments_of(parser, read_settings(known.config))
    except ValueError as problem:
        parser.error(f"{known.config}: {problem}")
    return parser.parse_args([*from_file, *(sys.argv[1:] if argv is None else argv)])


def output_file(name: str) -> Path:
    """An argparse type: a file to be written at the end of the work, which may be long, so its folder is made first.

    Raises:
        argparse.ArgumentTypeError: if no file can stand there.
    """
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise argparse.ArgumentTypeError(f"its folder cannot be made: {problem}") from problem
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{name} is a folder; name a file in it")
    return path


def parse_dataclasses(types: Sequence[type], argv: Sequence[str] | None, *, prog: str, description: str) -> tuple:
    """One instance of each dataclass from `--config FILE.yaml` and the command line, which wins, by TRL's parser.

    Raises:
        SystemExit: (2) with a message on stderr for any mistake, settings that contradict each other among them.
    """
    from trl import TrlParser

    argv = list(sys.argv[1:] if argv is None else argv)
    parser = TrlParser(types, prog=prog, description=description, formatter_class=HelpFormatter, allow_abbrev=False)
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config", type=Path)
    config = finder.parse_known_args(argv)[0].config
    try:
        if config is not None:
            known = {action.dest for action in parser._actions} - {"help"} | {"env"}
            for key in read_settings(config):
                if key not in known:
                    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
                    raise ValueError(f"unknown setting {key!r}; did you mean {nearest!r}?")
        return parser.parse_args_and_config(argv)
    except (ValueError, TypeError, OSError) as problem:
        parser.error(f"{config}: {problem}" if config else str(problem))


def read_settings(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file (an empty file is an empty mapping).

    Raises:
        ValueError: if it cannot be read, is not YAML, or is not a mapping from names to values.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise ValueError(f"cannot be read as YAML: {problem}") from problem
    if settings is None:
        return {}
    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        raise ValueError("must hold 'name: value' lines")
    return settings


def arguments_of(parser: argparse.ArgumentParser, settings: Mapping[str, Any]) -> list[str]:
    """Settings as the command-line arguments that say the same.

    Raises:
        ValueError: for a key that is no option (naming the nearest that is), and for a value of the wrong kind.
    """
    actions = {action.dest: action for action in parser._actions if action.option_strings}
    options = {dest: action for dest, action in actions.items() if dest not in ("help", "config")}
    arguments: list[str] = []
    for key, value in settings.items():
        dest = key.replace("-", "_")
        if dest not in options:
            nearest = difflib.get_close_matches(dest, options, n=1, cutoff=0.0)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise ValueError(f"unknown setting {key!r}{hint}")
        if value is not None:
            arguments += _argument(key, options[dest], value)
    return arguments


def _argument(key: str, action: argparse.Action, value: Any) -> list[str]:
    flag = action.option_strings[0]
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError(f"{key!r} is a switch: write true or false, not {value!r}")
        if isinstance(action, argparse.BooleanOptionalAction):
            return [flag if value else next(o for o in action.option_strings if o.startswith("--no-"))]
        return [flag] if value else []
    if action.nargs in ("*", "+") or isinstance(action.nargs, int):
        if not isinstance(value, list):
            raise ValueError(f"{key!r} takes a list of values, not {value!r}")
        return [flag, *map(_word, value)]
    if isinstance(value, (list, dict, bool)):
        raise ValueError(f"{key!r} takes one value, not {value!r}")
    return [f"{flag}={_word(value)}"]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)


def add_training_options(parser: argparse.ArgumentParser, *, out: str, lr: float) -> None:
    """What every training script asks: where to write, what to train on, how fast, and whether to go on."""
    parser.add_argument("--out", default=out, help="folder for what is trained, checkpoints and metrics")
    parser.add_argument("--backbone", default="embedded", help="'embedded', a folder, or a hub name")
    parser.add_argument(
        "--demonstrations", default="openai/gsm8k", help="GSM8K train as JSON lines, or its hub name; '' for none"
    )
    parser.add_argument("--epochs", type=int, default=1, help="passes over the data")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank; with --init that adapter's")
    parser.add_argument("--lr", type=float, default=lr, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0, help="of the data's order and of fresh weights")
    parser.add_argument("--save-minutes", type=float, default=5, help="minutes between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")


def print_figures(figures: Mapping[str, Any]) -> None:
    """The last line of every script: its figures as one line of JSON on stdout.

    Raises:
        ValueError: if a figure is NaN or infinite, which JSON cannot say.
    """
    print(json.dumps(figures, allow_nan=False), flush=True)
