"""What a person does on the page in a browser, and what they type."""

from __future__ import annotations

MILLISECONDS_TO_SOLVE = 600_000  # seconds on an idle machine, minutes on a busy one
PROBLEM = (
    "Maddison has 5 boxes with 50 marbles in each box. Then she gets 20 marbles from her friend. "
    "How many marbles does she have now?"
)
HOSTILE = (
    "<script>alert(1)</script> {{x}} ${1+1} ${alert(2)} <img src=x onerror=alert(3)>\n"
    "$5 and $6 <|im_end|> `b` \\underline{a} \\frac{1}{2} &amp; &lt;b&gt;\n"
    "\u202ereversed\u202c 3 * 4 = 13\n"
    "#### 13"
)
SHOWN_TEXT = "selector => [...document.querySelectorAll(selector + ' .t')].map(e => e.textContent).join('')"


def ask(page, problem: str = PROBLEM, n: int = 4) -> None:
    page.fill("#problem textarea", problem)
    page.fill("#n input", str(n))
    page.click("#solve")


def finished(page) -> None:
    page.locator("#reading section.trace").wait_for(timeout=MILLISECONDS_TO_SOLVE)
    page.locator("#solve:enabled").wait_for()


def open_diagnose(page) -> None:
    page.click("#rooms [role=tab][data-tab-id=diagnose]")
    page.locator("#diagnose-solution textarea").wait_for()


def diagnose(page, solution: str, problem: str = "A problem.") -> None:
    open_diagnose(page)
    page.fill("#diagnose-problem textarea", problem)
    page.fill("#diagnose-solution textarea", solution)
    page.click("#check")
    page.locator("#diagnose-reading section.trace").wait_for(timeout=MILLISECONDS_TO_SOLVE)


def sideways(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def choose_session_file(page, path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(path)


def open_session(page, path) -> None:
    choose_session_file(page, path)
    page.locator("#reading section.trace").wait_for()
