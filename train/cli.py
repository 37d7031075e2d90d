"""The command line of every script: options in kebab-case over a YAML file, and one last line of figures.

An option is written `--batch-size 8`; `--batch_size` is taken as well. `--config FILE.yaml` gives settings in either
spelling, and a file may name another one as its `base`. `--out`, `--lr` and `--resume` mean the same in every script.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

First = TypeVar("First")
Second = TypeVar("Second")


class HelpFormatter(argparse.HelpFormatter):
    """argparse's help with each default shown and the description's paragraphs and examples left as written."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        shown = action.help or ""
        absent = action.default is None or action.default is False or action.default in ("", argparse.SUPPRESS)
        has_default = action.option_strings and not absent
        return f"{shown} (default: %(default)s)" if has_default and "%(default)" not in shown else shown

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in text.strip().splitlines())


def parse_args(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse `argv` over the settings of the YAML file that `--config` names; the command line wins.

    The file is one flat mapping from option names (`batch-size` or `batch_size`) to values: a switch takes true or
    false, an option of several values a list (or one text), and null means "not set here". Its values pass through the
    same `type` and `choices` as the command line's. `--config` is added to `parser` where it is missing. Options that
    collect (`action="append"`) add to the file's values; everything else replaces them.

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
    typed = [kebab_case(word) for word in (sys.argv[1:] if argv is None else argv)]
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog=parser.prog)
    finder.add_argument("--config", type=Path)
    config = finder.parse_known_args(typed)[0].config
    if config is None:
        return parser.parse_args(typed)
    try:
        from_file = arguments_of(parser, read_settings(config))
    except ValueError as problem:
        parser.error(f"{config}: {problem}")
    return parser.parse_args([*from_file, *typed])


def parse_settings(
    first: type[First],
    second: type[Second],
    argv: Sequence[str] | None,
    *,
    prog: str,
    description: str | None,
    groups: Mapping[type, str],
    defaults: Mapping[str, Any],
) -> tuple[First, Second]:
    """As `parse_args`, but the options are the fields of two dataclasses, an instance of each of which is returned.

    null in the file is None for a field that may be None, and "not set here" for any other.

    Args:
        groups: titles of groups of the help, by the class that declares their fields, in the help's order; the
            fields of other classes, which are TRL's and transformers', follow in a group of their own.
        defaults: of fields whose own default does not suit the script.

    Raises:
        SystemExit: (2) with a message on stderr for any mistake, settings that contradict each other among them.
    """
    from .dataclass_options import DataclassParser

    usage = "%(prog)s [--config FILE.yaml] [--option VALUE ...]"
    parser = DataclassParser([first, second], groups, prog=prog, usage=usage, description=description)
    parser.set_defaults(**defaults)
    args = parse_args(parser, argv)
    try:
        return parser.instance(first, args), parser.instance(second, args)
    except (ValueError, TypeError) as problem:
        parser.error(f"{args.config}: {problem}" if args.config else str(problem))


def kebab_case(word: str) -> str:
    """A word of the command line with the option's name, if it is one, in kebab-case.

    >>> kebab_case("--batch_size=a_b")
    '--batch-size=a_b'
    """
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value


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


def read_settings(path: Path, above: Sequence[Path] = ()) -> dict[str, Any]:
    """The mapping in a YAML file over that of the file which it names as its `base`, if any.

    A base is looked for beside the file that names it. An empty file is an empty mapping.

    Args:
        above: the files that led here.

    Raises:
        ValueError: if a file cannot be read, is not YAML, is not a mapping from names to values, or is its own base.
    """
    path = path.resolve()
    if path in above:
        circle = " -> ".join(file.name for file in (*above[above.index(path) :], path))
        raise ValueError(f"the bases go in a circle ({circle}): take out one of the 'base' lines")
    own = _read_mapping(path)
    base = own.pop("base", None)
    if base is None:
        return own
    if not isinstance(base, str):
        raise ValueError(f"'base' names one YAML file, not {base!r}")
    try:
        settings = read_settings(path.parent / base, (*above, path))
    except ValueError as problem:
        raise ValueError(f"in its base {base}: {problem}") from problem
    for key, value in own.items():
        settings.pop(key, None)  # what is said last stands last, for an option may have two names
        settings[key] = value
    return settings


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise ValueError(f"cannot be read as YAML: {problem}") from problem
    if mapping is None:
        return {}
    if not isinstance(mapping, dict) or not all(isinstance(key, str) for key in mapping):
        raise ValueError("must hold 'name: value' lines")
    return {key.replace("-", "_"): value for key, value in mapping.items()}


def arguments_of(parser: argparse.ArgumentParser, settings: Mapping[str, Any]) -> list[str]:
    """Settings as the command-line arguments that say the same.

    What no command line can say (None, a mapping) becomes the default of a field that may hold it.

    Raises:
        ValueError: for a key that is no option (naming the nearest that is), and for a value of the wrong kind.
    """
    options = _options(parser)
    arguments: list[str] = []
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name not in options:
            nearest = difflib.get_close_matches(name, options, n=1, cutoff=0.0)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise ValueError(f"unknown setting {key!r}{hint}")
        action = options[name]
        if getattr(parser, "holds", lambda *_: False)(action, value):
            parser.set_defaults(**{action.dest: value})
        elif value is not None:
            arguments += _argument(key, action, value)
    return arguments


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Every option by each of its names in snake_case."""
    options: dict[str, argparse.Action] = {}
    for action in parser._actions:
        names = [flag[2:].replace("-", "_") for flag in action.option_strings if flag.startswith("--")]
        for name in (action.dest, *names):
            if name not in ("help", "config") and not (name != action.dest and name.startswith("no_")):
                options.setdefault(name, action)
    return options


def _argument(key: str, action: argparse.Action, value: Any) -> list[str]:
    flag = action.option_strings[0]
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError(f"{key!r} is a switch: write true or false, not {value!r}")
        if isinstance(action, argparse.BooleanOptionalAction):
            return [flag if value else next(o for o in action.option_strings if o.startswith("--no-"))]
        return [flag] if value else []
    if action.nargs in ("*", "+") or isinstance(action.nargs, int):
        if action.nargs == "+" and isinstance(value, str):
            return [flag, value]
        if not isinstance(value, list):
            raise ValueError(f"{key!r} takes a list of values, not {value!r}")
        return [flag, *map(_word, value)]
    if isinstance(value, (list, dict, bool)):
        raise ValueError(f"{key!r} takes one value, not {value!r}")
    return [f"{flag}={_word(value)}"]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)


def add_training_options(parser: argparse.ArgumentParser, *, out: str, lr: float) -> None:
    """What every script that trains from demonstrations asks: where to write, what to train, how fast, and whether to
    go on."""
    parser.add_argument("--out", default=out, help="folder for what is trained, checkpoints and metrics")
    parser.add_argument("--backbone", default="smollm2-135m", help="a packed model's name, a folder, or a hub name")
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
