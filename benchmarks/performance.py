"""docs/performance.json put into docs/performance.md: the tables between its marks, and the plot beside it.

python -m benchmarks.performance
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.timing import OURS, ratio, speeds

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURES = DOCS / "performance.json"
GPU_FIGURES = DOCS / "cuda.json"
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write(figures: Path = FIGURES) -> None:
    """Fill in `performance.md` beside `figures`, where there is one, and draw `performance.svg`."""
    measured = json.loads(figures.read_text())
    gpu = figures.with_name(GPU_FIGURES.name)
    measured |= {"gpu": json.loads(gpu.read_text())} if gpu.exists() else {}
    page = figures.with_suffix(".md")
    if page.exists():
        filled = _BLOCK.sub(lambda block: block[1] + block_of(block[2], measured) + block[3], page.read_text())
        page.write_text(filled)
    if "scaling" in measured:
        figures.with_suffix(".svg").write_text(plot(measured["scaling"]["series"]))


def block_of(part: str, measured: Mapping[str, Any]) -> str:
    """The Markdown of one part, or a line that says it has not been measured."""
    if part == "gpu":
        return gpu_section(measured["gpu"]) if part in measured else ""
    if part not in measured:
        return f"Not measured yet: `python -m benchmarks.speed --parts {part}`.\n"
    found = measured[part]
    on = found["machine"]
    where = f"{on['cores']} cores of {on['processor']}, torch {on['torch']}, {found['rounds']} rounds."
    return f"{BLOCKS[part](found)}\n{where}\n"


def race_table(found: Mapping[str, Any]) -> str:
    """Tokens per second of every engine, and how many times as fast ours is, median (lowest to highest)."""
    engines = found["engines"]
    ours = next((name for name in engines if name.endswith(OURS)), next(iter(engines)))
    reference = speeds(engines[ours])
    lines = []
    for name, one in engines.items():
        if "failed" in one:
            lines.append((name, one["failed"]))
            continue
        times = ratio(reference, speeds(one))
        quotient = "" if name == ours else f"{times['median']:.2f} ({times['low']:.2f} to {times['high']:.2f})"
        errors = found.get("errors", {}).get(name, {})
        shown = [f"{median(speeds(one)):,.0f}", quotient, *(f"{value:g}" for value in errors.values())]
        lines.append((name, *shown))
    heads = ["", "tokens/s", "ours is × as fast"]
    heads += ["error per token: mean", "largest", "of a trace's mean"] if "errors" in found else []
    return table(heads, lines)


def scoring_block(found: Mapping[str, Any]) -> str:
    edited = found["edit"]
    share = ratio(edited["from the edit on"]["seconds"], edited["whole"]["seconds"])
    return (
        f"{race_table(found)}\nErrors in nats against float32. An edit in the last third of a solution of "
        f"{edited['whole']['tokens'][0]} tokens costs {share['median']:.2f} ({share['low']:.2f} to "
        f"{share['high']:.2f}) of reading it all.\n"
    )


def colouring_block(found: Mapping[str, Any]) -> str:
    drawn, coloured = (found["engines"][name]["seconds"] for name in ("drawn", "drawn and coloured"))
    times = ratio(coloured, drawn)
    return (
        f"{found['traces']} traces × {found['tokens']} tokens: drawn in {median(drawn):.2f} s, drawn and coloured in "
        f"{median(coloured):.2f} s: × {times['median']:.2f} ({times['low']:.2f} to {times['high']:.2f}).\n"
    )


def scaling_block(found: Mapping[str, Any]) -> str:
    rows = [
        (name, ", ".join(f"{n:,}" for n in one["tokens"]), ", ".join(f"{s:.2f}" for s in one["seconds"]),
         f"{one['exponent']:.2f}")
        for name, one in found["series"].items()
    ]  # fmt: skip
    return table(["", "tokens", "seconds", "exponent"], rows)


def app_block(found: Mapping[str, Any]) -> str:
    starts = found["starts"]
    names = {"page_s": "start to page, s", "solved_after_page_s": "page to ranking, s", "peak_gb": "peak memory, GB"}
    rows = [(label, *_spread([start[key] for start in starts])) for key, label in names.items()]
    return table(["", "median", "lowest", "highest"], rows)


def roofline_block(found: Mapping[str, Any]) -> str:
    rows = [(name, f"{value:,.4g}") for name, value in found["figures"].items()]
    return table(["", ""], rows)


def gpu_section(found: Mapping[str, Any]) -> str:
    """All that was measured on a GPU, its heading included: without figures the page says nothing of one."""
    on = found["machine"]
    parts = [
        f"## On a GPU\n\nOne {on['gpu']}, the {found['pair']} pair. Each figure is a median of rounds, as above.\n"
    ]
    if "drawing" in found:
        parts.append(f"Traces of {found['tokens']} tokens, drawn:\n\n{gpu_table('traces', found['drawing'])}")
    if "scoring" in found:
        parts.append(
            f"Drawn traces scored; errors in nats per token against float32 on the GPU, and on a CPU:\n\n"
            f"{gpu_table('traces', found['scoring'])}"
        )
    if "editing" in found:
        resumed, whole = (median(found["editing"][name]["seconds"]) for name in ("from the edit on", "whole"))
        parts.append(
            f"A solution edited in its last third is read again in {resumed * 1e3:.0f} ms, where reading it all takes "
            f"{whole * 1e3:.0f}.\n"
        )
    if "colouring" in found:
        parts.append(colouring_block(found["colouring"]))
    parts.append(
        f"torch {on['torch']}, transformers {on['transformers']}, {found['rounds']} rounds, `benchmarks.cuda`.\n"
    )
    return "\n".join(parts)


def gpu_table(axis: str, sizes: Mapping[str, Any]) -> str:
    """A row for each size and engine: tokens per second (lowest to highest), ours against it, memory, errors."""
    rows = []
    for size, one in sizes.items():
        ours = next(name for name in one["engines"] if name.endswith(OURS))
        for name, raced in one["engines"].items():
            if "failed" in raced:
                rows.append((size, name, raced["failed"]))
                continue
            own, times = speeds(raced), ratio(speeds(one["engines"][ours]), speeds(raced))
            errors = [one.get(kind, {}).get(name, {}) for kind in ("errors", "errors_cpu")]
            rows.append(
                (
                    size,
                    name,
                    f"{median(own):,.0f} ({min(own):,.0f} to {max(own):,.0f})",
                    "" if name == ours else f"{times['median']:.2f}",
                    f"{one['peak_gb'][name]:.2f}",
                    *(f"{e['token_mean']:g}; {e['token_max']:g}" for e in errors if e),
                )
            )
    heads = [axis, "", "tokens/s", "ours is × as fast", "memory, GB"]
    heads += ["error: mean; largest", "beside a CPU"] if any("errors" in one for one in sizes.values()) else []
    return table(heads, rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *(list(row) + [""] * (len(heads) - len(row)) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _spread(values: Sequence[float]) -> tuple[str, str, str]:
    return f"{median(values):.2f}", f"{min(values):.2f}", f"{max(values):.2f}"


BLOCKS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "sampling": race_table,
    "alternatives": race_table,
    "scoring": scoring_block,
    "colouring": colouring_block,
    "scaling": scaling_block,
    "app": app_block,
    "roofline": roofline_block,
}


def headline(measured: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that have targets, from whatever was measured."""
    found: dict[str, Any] = {}
    for part in ("sampling", "scoring"):
        engines = measured.get(part, {}).get("engines", {})
        ours = next((name for name in engines if name.endswith(OURS)), None)
        for name in engines:
            if name != ours and "failed" not in engines[name]:
                found[f"{part}: × {name}"] = ratio(speeds(engines[ours]), speeds(engines[name]))["median"]
    if "scoring" in measured:
        edited = measured["scoring"]["edit"]
        found["edit / whole"] = ratio(edited["from the edit on"]["seconds"], edited["whole"]["seconds"])["median"]
    if "colouring" in measured:
        drawn, coloured = (one["seconds"] for one in measured["colouring"]["engines"].values())
        found["coloured / drawn"] = ratio(coloured, drawn)["median"]
    for name, one in measured.get("scaling", {}).get("series", {}).items():
        found[f"exponent, {name}"] = one["exponent"]
    for key in ("page_s", "solved_after_page_s", "peak_gb"):
        if starts := measured.get("app", {}).get("starts"):
            found[key] = median(start[key] for start in starts)
    return found


def plot(series: Mapping[str, Mapping[str, Any]]) -> str:
    """Seconds over tokens, both logarithmic, as SVG; a line of slope one is linear growth."""
    width, height, margin = 640, 420, 60
    xs = [math.log10(n) for one in series.values() for n in one["tokens"]]
    ys = [math.log10(s) for one in series.values() for s in one["seconds"]]

    def at(tokens: float, seconds: float) -> tuple[float, float]:
        x = (math.log10(tokens) - min(xs)) / (max(xs) - min(xs) or 1)
        y = (math.log10(seconds) - min(ys)) / (max(ys) - min(ys) or 1)
        return margin + x * (width - 2 * margin - 130), height - margin - y * (height - 2 * margin)

    marks = []
    for (name, one), colour in zip(series.items(), ("#1c5d99", "#7fb069", "#b3432b", "#c9a227"), strict=False):
        points = [at(n, s) for n, s in zip(one["tokens"], one["seconds"], strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        marks += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
        x, y = points[-1]
        marks.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}">{name}, {one["exponent"]:.2f}</text>')
    for tokens in sorted({n for one in series.values() for n in one["tokens"]}):
        marks.append(
            f'<text x="{at(tokens, 10 ** min(ys))[0]:.1f}" y="{height - 30}" text-anchor="middle">{tokens:,}</text>'
        )
    for seconds in (0.1, 0.3, 1, 3, 10, 30):
        if min(ys) <= math.log10(seconds) <= max(ys):
            marks.append(
                f'<text x="{margin - 10}" y="{at(1024, seconds)[1] + 4:.1f}" text-anchor="end">{seconds:g} s</text>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" fill="#444"><rect width="100%" height="100%" fill="#fff"/>{"".join(marks)}'
        f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">tokens (behind each name its exponent)</text>'
        "</svg>\n"
    )


if __name__ == "__main__":
    write()
