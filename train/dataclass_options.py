"""Options that are the fields of dataclasses, by transformers' parser, in the manner of the other scripts."""

from __future__ import annotations

import argparse
import copy
import dataclasses
from collections.abc import Mapping, Sequence
from inspect import get_annotations
from types import MappingProxyType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from transformers import HfArgumentParser

Made = TypeVar("Made")

ALIASES = MappingProxyType(
    {
        "output_dir": ("--out", "folder for what is trained, checkpoints and metrics"),
        "learning_rate": ("--lr", "peak learning rate"),
    }
)
"""Fields of TRL's that have a shorter name in every script, with the help that goes with it."""

OTHERS = "settings of TRL and transformers"


class DataclassParser(HfArgumentParser):
    """`HfArgumentParser` whose help comes in groups, our own options first, and whose own booleans are switches.

    Args:
        dataclass_types: whose fields become options.
        groups: the titles of groups by the class that declares their fields.
    """

    def __init__(self, dataclass_types: Sequence[type[Any]], groups: Mapping[type, str], **settings: Any) -> None:
        self.groups, self.hints = groups, dict[str, Any]()
        super().__init__(cast(Any, dataclass_types), **{"formatter_class": argparse.HelpFormatter, **settings})

    def _add_dataclass_arguments(self, dtype: type[Any]) -> None:
        titled = {group.title: group for group in self._action_groups}
        for title in (*dict.fromkeys(self.groups.values()), OTHERS):
            if title not in titled:
                titled[title] = self.add_argument_group(title)
        hints = get_type_hints(dtype)
        for declared in dataclasses.fields(dtype):
            if not declared.init:
                continue
            field = copy.copy(declared)
            field.type = self.hints[field.name] = hints[field.name]
            declaring = next(c for c in dtype.__mro__ if field.name in get_annotations(c))
            self._add_field(titled, field, self.groups.get(declaring, OTHERS))

    def _add_field(
        self, titled: Mapping[str | None, argparse._ArgumentGroup], field: dataclasses.Field[Any], title: str
    ) -> None:
        flag = f"--{field.name.replace('_', '-')}"
        if title != OTHERS and field.type is bool and not field.default:
            titled[title].add_argument(flag, action="store_true", **field.metadata)
            return
        if field.name in ALIASES:
            alias, text = ALIASES[field.name]
            field.metadata = MappingProxyType({**field.metadata, "aliases": [alias], "help": text})
            title = next(iter(self.groups.values()), OTHERS)
        before = len(self._actions)
        self._parse_dataclass_field(cast(argparse.ArgumentParser, titled[title]), field)
        for action in self._actions[before:]:
            # The command line is turned into kebab-case before it is parsed, so the help need not show both.
            action.option_strings = [f for f in reversed(action.option_strings) if "_" not in f]

    def holds(self, action: argparse.Action, value: Any) -> bool:
        """Whether a field may be this value, which no word of a command line can say."""
        if value is not None and not isinstance(value, (bool, list, dict)):
            return False
        if isinstance(value, list) and action.nargs == "+":
            return False
        hint = self.hints.get(action.dest)
        parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        return action.nargs != 0 and any((get_origin(part) or part) is type(value) for part in parts)

    def instance(self, made: type[Made], args: argparse.Namespace) -> Made:
        """The dataclass `made` with what was parsed."""
        names = [field.name for field in dataclasses.fields(made) if field.init]  # type: ignore[arg-type]
        return made(**{name: getattr(args, name) for name in names})
