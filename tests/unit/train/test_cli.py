"""Settings from a YAML file under the command line."""

from __future__ import annotations

import argparse
import json

import pytest

from train.cli import output_file, parse_args, print_figures


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="tool", description="First line.\n  second, as written")
    made.add_argument("--learning-rate", type=float, default=0.5, help="step size")
    made.add_argument("--layers", type=int, nargs="+", help="which layers")
    made.add_argument("--mode", choices=["a", "b"], default="a", help="which way")
    made.add_argument("--quiet", action="store_true")
    made.add_argument("--shuffle", action=argparse.BooleanOptionalAction, default=True)
    made.add_argument("--name", required=True)
    return made


@pytest.fixture
def parse(tmp_path):
    def run(settings: str, *argv: str) -> argparse.Namespace:
        path = tmp_path / "settings.yaml"
        path.write_text(settings)
        return parse_args(parser(), ["--config", str(path), *argv])

    return run


def test_the_file_sets_options_of_every_kind_in_either_spelling(parse):
    args = parse("learning-rate: 1e-4\nlayers: [-1, 2]\nmode: b\nquiet: true\nshuffle: false\nname: '007'\n")
    assert (args.learning_rate, args.layers, args.mode) == (1e-4, [-1, 2], "b")
    assert (args.quiet, args.shuffle, args.name) == (True, False, "007")
    assert parse("learning_rate: 2\nname: x").learning_rate == 2.0


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(parse):
    args = parse("learning_rate: 1\nname: file\nshuffle: false", "--name", "typed", "--shuffle")
    assert (args.learning_rate, args.name, args.shuffle, args.mode) == (1.0, "typed", True, "a")


def test_null_leaves_the_default(parse):
    assert parse("learning_rate: null\nname: x").learning_rate == 0.5


def test_an_empty_file_sets_nothing(parse):
    assert parse("", "--name", "x").learning_rate == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("learning_rat: 1", "unknown setting 'learning_rat'; did you mean 'learning_rate'?"),
        ("config: other.yaml", "unknown setting 'config'"),
        ("help: true", "unknown setting 'help'"),
        ("quiet: 3", "'quiet' is a switch: write true or false, not 3"),
        ("layers: 3", "'layers' takes a list of values, not 3"),
        ("mode: [a]", "'mode' takes one value"),
        ("name: {a: 1}", "'name' takes one value"),
        ("- 1", "must hold 'name: value' lines"),
        ("a: [", "cannot be read as YAML"),
        ("learning_rate: fast", "invalid float value: 'fast'"),
        ("mode: c", "invalid choice: 'c'"),
    ],
)
def test_a_mistake_in_the_file_ends_the_script_and_says_what_is_wrong(parse, capsys, settings, message):
    with pytest.raises(SystemExit, match="2"):
        parse(settings, "--name", "x")
    assert message in capsys.readouterr().err


def test_a_missing_file_is_named(capsys):
    with pytest.raises(SystemExit, match="2"):
        parse_args(parser(), ["--config", "nowhere.yaml", "--name", "x"])
    assert "nowhere.yaml: cannot be read" in capsys.readouterr().err


def test_options_cannot_be_abbreviated():
    with pytest.raises(SystemExit, match="2"):
        parse_args(parser(), ["--name", "x", "--learn", "1"])


def test_help_shows_defaults_and_keeps_the_description_as_written(capsys):
    with pytest.raises(SystemExit, match="0"):
        parse_args(parser(), ["--help"])
    shown = capsys.readouterr().out
    assert "step size (default: 0.5)" in shown
    assert "which layers (default" not in shown
    assert "First line.\n  second, as written" in shown
    assert "--config FILE.yaml" in shown


def test_figures_are_one_line_of_json_and_never_nan(capsys):
    print_figures({"auroc": 0.5, "name": "é"})
    assert json.loads(capsys.readouterr().out) == {"auroc": 0.5, "name": "é"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_figures({"auroc": float("nan")})


def test_the_folder_of_a_file_to_be_written_is_made_before_the_work(tmp_path, capsys):
    writer = argparse.ArgumentParser(prog="tool")
    writer.add_argument("--out", type=output_file)
    wanted = tmp_path / "runs" / "today" / "report.json"
    assert writer.parse_args(["--out", str(wanted)]).out == wanted
    assert wanted.parent.is_dir()
    (tmp_path / "file").touch()
    for wrong, message in ((tmp_path, "is a folder"), (tmp_path / "file" / "report.json", "folder cannot be made")):
        with pytest.raises(SystemExit):
            writer.parse_args(["--out", str(wrong)])
        assert message in capsys.readouterr().err
