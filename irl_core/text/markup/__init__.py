"""LaTeX, Markdown, HTML signs and Unicode mathematics read as plain mathematics: "\\frac34 \\times 20" is "3/4 × 20".

`reader` cuts the text into lexemes, `pieces` puts the plain text together and knows where each character was written,
`delimiters` tells the dollar signs of mathematics from those of money, `tables` holds what commands and signs mean.
"""

from irl_core.text.markup.pieces import PlainText as PlainText
from irl_core.text.markup.reader import read_markup as read_markup
