"""The proofreader's page: colours, the two typefaces, and Gradio's own parts made to match."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import gradio as gr

from irl_core.models.assets import ASSETS

SERIF = '"Source Serif 4 Variable", "Source Serif 4", Georgia, serif'
SANS = '"Inter Variable", Inter, system-ui, sans-serif'


@dataclass(frozen=True)
class Palette:
    """The page's only colours. `loss_text` is vermilion at AA contrast for small type on `paper`; `tint` the greatest
    opacity at which `ink` on a tinted token still has it."""

    paper: str
    raised: str
    ink: str
    soft: str
    hairline: str
    loss: str
    loss_text: str
    gain: str
    tint: float


LIGHT = Palette("#fbfaf6", "#ffffff", "#1c1b19", "#6d6a63", "#e3dfd5", "#d55e00", "#b04a00", "#0072b2", 0.6)
DARK = Palette("#16161a", "#1f1f25", "#f2efe8", "#a19e96", "#33323a", "#d55e00", "#f0803a", "#56b4e9", 0.55)


def build_theme() -> gr.themes.Base:
    """Gradio's variables mapped to ours, so that no stock grey or orange is left."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.stone,
        secondary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        font=["Inter Variable", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
        radius_size=gr.themes.sizes.radius_sm,
    )
    settings: dict[str, str] = {}
    for suffix, p in (("", LIGHT), ("_dark", DARK)):
        settings |= {key + suffix: value for key, value in _variables(p).items()}
    return theme.set(**settings)


def _variables(p: Palette) -> dict[str, str]:
    surfaces = (
        "background_fill_primary",
        "background_fill_secondary",
        "body_background_fill",
        "input_background_fill",
    )
    clear = (
        "block_background_fill",
        "panel_background_fill",
        "block_label_background_fill",
        "block_title_background_fill",
    )
    lines = ("border_color_primary", "block_border_color", "input_border_color", "panel_border_color")
    inks = ("body_text_color", "block_title_text_color", "block_info_text_color")
    softs = ("body_text_color_subdued", "block_label_text_color", "input_placeholder_color", "accordion_text_color")
    values = dict.fromkeys(surfaces, p.paper)
    values |= dict.fromkeys(clear, "transparent")
    values |= dict.fromkeys(lines, p.hairline)
    values |= dict.fromkeys(inks, p.ink)
    values |= dict.fromkeys(softs, p.soft)
    return values | {
        "border_color_accent": p.ink,
        "color_accent_soft": p.hairline,
        "input_border_color_focus": p.ink,
        "block_shadow": "none",
        "input_shadow": "none",
        "input_shadow_focus": "none",
        "button_primary_background_fill": p.ink,
        "button_primary_background_fill_hover": p.ink,
        "button_primary_border_color": p.ink,
        "button_primary_text_color": p.paper,
        "button_secondary_background_fill": p.raised,
        "button_secondary_background_fill_hover": p.paper,
        "button_secondary_border_color": p.hairline,
        "button_secondary_border_color_hover": p.soft,
        "button_secondary_text_color": p.ink,
        "link_text_color": p.gain,
        "loader_color": p.soft,
        "slider_color": p.ink,
        "error_background_fill": p.paper,
        "error_border_color": p.loss,
        "error_text_color": p.loss_text,
        "error_icon_color": p.loss,
    }


def head() -> str:
    """Fonts and style sheet, inlined: the page asks nothing of any other server and no file route is opened."""
    faces = "".join(
        _font_face(family, file)
        for family, file in (
            ("Source Serif 4 Variable", "source-serif-4-latin-wght-normal.woff2"),
            ("Inter Variable", "inter-latin-wght-normal.woff2"),
        )
    )
    # Paper is light, whatever the screen was.
    colours = f":root{{{_custom_properties(LIGHT)}}}@media screen{{.dark{{{_custom_properties(DARK)}}}}}"
    rules = "".join(path.read_text("utf-8") for path in sorted(ASSETS.glob("*.css")))
    # Gradio's own viewport tag forbids zooming; the later one counts.
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return f"{viewport}<style>{faces}{colours}{rules}</style>"


def html(value: str = "", *, js_on_load: str | None = None, **options: Any) -> gr.HTML:
    """Our own HTML, without Gradio's prose styles. Nothing from a visitor or a model goes into its *templates*:

    the default `${value}` takes the value as an argument, while text in a template would be compiled as code.
    """
    return gr.HTML(value, js_on_load=js_on_load, apply_default_css=False, **options)


def script(*names: str) -> str:
    """Some of our scripts, each in a scope of its own, to run when a `gr.HTML` part is first shown."""
    return "\n".join(f"{{\n{(ASSETS / name).read_text('utf-8')}}}" for name in names)


def _custom_properties(p: Palette) -> str:
    channels = {
        name: " ".join(str(int(getattr(p, name)[i : i + 2], 16)) for i in (1, 3, 5)) for name in ("gain", "loss")
    }
    named = {
        "paper": p.paper,
        "raised": p.raised,
        "ink": p.ink,
        "soft": p.soft,
        "hairline": p.hairline,
        "loss": p.loss,
        "loss-text": p.loss_text,
        "gain": p.gain,
        "gain-rgb": channels["gain"],
        "loss-rgb": channels["loss"],
        "tint": str(p.tint),
        "serif": SERIF,
        "sans": SANS,
    }
    return "".join(f"--{name}:{value};" for name, value in named.items())


def _font_face(family: str, file: str) -> str:
    data = base64.b64encode((ASSETS / "fonts" / file).read_bytes()).decode("ascii")
    return (
        f'@font-face{{font-family:"{family}";font-style:normal;font-weight:200 900;font-display:swap;'
        f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
    )
