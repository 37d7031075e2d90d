from .choices import Style as Style
from .choices import draw_style as draw_style
from .render import render as render
