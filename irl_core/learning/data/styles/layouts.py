"""What stands around the steps: labels and their titles, introductions, endings."""

from __future__ import annotations

import random
import re

from irl_core.learning.data.solution_graph import WorkedSolution
from irl_core.learning.data.styles.choices import Style
from irl_core.learning.data.styles.lines import OPENER, lowered, said
from irl_core.learning.data.styles.notation import write_number

_TITLES = {
    "+": ("Add them up", "Find the total", "Add the amounts", "Calculate the sum"),
    "-": ("Subtract", "Find the difference", "Find what is left", "Subtract the amounts"),
    "*": ("Multiply", "Calculate the amount", "Find the product", "Multiply the numbers"),
    "/": ("Divide", "Find the share", "Divide the amount", "Calculate the part"),
    "": ("Read the problem", "Note what is known"),
}
_AS_TITLE = re.compile(r"\s*([a-z][a-z' -]{2,40}?)\s*(?:[.,;:]|\Z)")
_FUNCTION = re.compile(
    r"(?:in|on|at|of|to|for|from|with|and|or|so|because|since|if|then|than|per|each|every|an?|the|by|as|more|less|after"
    r"|before|when|that|which|is|are|was|were|left|he|she|it|they|but|this|during|altogether|total|all)\b"
)


def title_of(solution: WorkedSolution, k: int, rng: random.Random) -> str:
    """A heading for line `k`: what is counted there, or what is done."""
    pieces = solution.lines[k]
    draw, pick = rng.random(), rng.random()
    nodes = [i for i, piece in enumerate(pieces) if isinstance(piece, int)]
    if nodes and draw < 0.5 and nodes[-1] + 1 < len(pieces):
        behind = pieces[nodes[-1] + 1]
        match = _AS_TITLE.match(behind) if isinstance(behind, str) else None
        if match and not _FUNCTION.match(match[1]) and len(match[1].split()) <= 6:
            return match[1][:1].upper() + match[1][1:]
    node = pieces[nodes[-1]] if nodes else None
    signs = [t for t in solution.nodes[node].tokens if isinstance(t, str)] if isinstance(node, int) else []
    main = next((s for s in signs if s in "+-"), next((s for s in signs if s in ("*", "/")), "*" if nodes else ""))
    titles = _TITLES[main]
    return titles[int(pick * len(titles))]


_INTROS = {
    "lets": (
        "Let's break it down step by step.", "Let's solve this step by step:", "Let's work through this problem.",
        "Let's think step by step.", "To solve this problem, let's break it down:",
    ),
    "heres": ("Here's how to solve it:", "Here is the solution:", "Solution:", "**Solution:**", "### Solution"),
    "find": (
        "To find the answer, we need to work out each amount in turn.",
        "To answer this, we need to follow these steps:",
        "To find the total, we need to go through the problem part by part.", "We need to find out: {asked}",
    ),
    "question": ("The question is: {asked}", "**Question:** {asked}", "{asked}"),
}  # fmt: skip


def introduction(question: str, style: Style, rng: random.Random) -> str:
    """What is said before the first step; it repeats parts of the problem and holds no other number."""
    drawn = {name: rng.choice(texts) for name, texts in _INTROS.items()}
    if style.notation.wrapper == "$":
        question = question.replace("$", "\\$")
    sentences = re.split(r"(?<=[.?!])\s+", question.strip())
    asked = next((s for s in reversed(sentences) if s.endswith("?")), sentences[-1])
    told = [s for s in sentences if s != asked]
    gap = " " if style.join == " " else "\n"
    if style.intro == "given" and told:
        items = told if gap == " " else [f"- {sentence}" for sentence in told]
        return gap.join(["We know the following." if gap == " " else "Given:", *items])
    if style.intro == "lets_find":
        return gap.join((drawn["lets"], drawn["find"])).replace("{asked}", asked)
    text = drawn.get(style.intro, "")
    if gap == " " and text[:1] in "#*":
        text = "Solution:" if style.intro == "heres" else asked
    return text.replace("{asked}", asked)


_ENDINGS = {
    "answer_is": ("The answer is {}.", "So the answer is {}.", "So, the answer is {}."),
    "bold": ("**Answer: {}**", "**Final Answer: {}**", "**Answer:** {}"),
    "therefore": ("Therefore, the answer is {}.", "Thus, the final answer is {}."),
    "final": ("The final answer is {}.", "Final answer: {}"),
    "bold_sentence": ("Therefore, the answer is **{}**.", "So the answer is **{}**."),
    "heading": ("### Final Answer\n{}",),
    "colon": ("Answer: {}", "Answer = {}"),
    "so": ("so {}",),
    "answer": ("answer {}", "the answer is {}", "ans: {}", "answer is {}"),
    "equals": ("answer = {}",),
}


def ending(solution: WorkedSolution, style: Style, rng: random.Random) -> str:
    """How the answer is given; "" where the last step has to do."""
    notation, name = style.notation, style.ending
    last = solution.nodes[solution.answer.place].result
    bare = solution.answer
    answer = bare._replace(before=last.before, after="%" if last.is_percent else "")
    pick, with_unit = rng.random(), rng.random() < 0.5
    if name == "hashes":
        return f"#### {write_number(bare, notation._replace(wrapper=''))}"
    if name in ("boxed", "boxed_sentence"):
        number = write_number(answer if with_unit else bare, notation, in_math=True)
        return _boxed(f"\\boxed{{{number}}}", style, pick)
    if name == "restated":
        line = next(k for k in range(len(solution.lines)) if solution.answer.place in solution.nodes_in(k))
        sentence = said(solution, line, notation.inline())
        if sentence is not None and not OPENER.match(sentence):
            return f"Therefore, {lowered(sentence).rstrip('.')}."
        name = "therefore"
    if name == "heading" and style.join == " ":
        name = "final"
    texts = _ENDINGS.get(name, ("",))
    return texts[int(pick * len(texts))].format(write_number(answer, notation))


def _boxed(box: str, style: Style, pick: float) -> str:
    """A box by itself, in a display formula, or in a sentence."""
    is_bracket = style.notation.wrapper in ("\\(", "\\[")
    inline = f"\\( {box} \\)" if is_bracket else f"${box}$"
    if style.ending == "boxed_sentence":
        return f"The final answer is {inline}."
    if not style.notation.is_latex:
        return box
    display = f"\\[\n{box}\n\\]" if is_bracket else f"$${box}$$"
    return inline if pick < 0.5 else display
