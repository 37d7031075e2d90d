"""Story templates for `word_problems`: each a situation, and several questions that can be asked of it.

The language is small. `{a}` … `{e}` are the numbers of the story; `{N}`, `{M}` people, `{he}`/`{his}` the pronouns of
`{N}`; `{x}`, `{y}` two different things of one kind; `(one|other)` a free choice of words. In a solution `[r=a-b]`
becomes "26 - 9 = 17" and names the result; the result of the last bracket is the answer. A situation may fix numbers
by `where`: `a=b*c` computes one from others, so that shares come out even. Questions that leave facts of the story
unused are the point: they teach to choose quantities, not to combine all that is in sight.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """`questions` pairs each question with the lines of its solution; `where` holds assignments and conditions."""

    name: str
    situation: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]
    where: tuple[str, ...] = ()


def _story(name: str, situation: str, *questions: tuple[str, ...], where: str = "") -> Story:
    pairs = tuple((question, tuple(lines)) for question, *lines in questions)
    return Story(name, situation, pairs, tuple(clause.strip() for clause in where.split(";") if clause.strip()))


STORIES: tuple[Story, ...] = (
    _story(
        "give-away",
        "{N} (had|owned|collected) {a} {x} and {b} {y}. {He} gave {c} {x} and {d} {y} to {M}.",
        ("How many {x} does {N} have (left|now)?", "{N} has [r=a-c] {x} left."),
        ("How many {y} does {N} have (left|now)?", "{N} has [r=b-d] {y} left."),
        ("How many {x} and {y} did {N} give away in all?", "{He} gave away [r=c+d] {x} and {y}."),
        ("How many {x} and {y} did {he} have at first?", "{He} had [r=a+b] {x} and {y} at first."),
        ("How many more {x} than {y} did {N} have (at first|to begin with)?", "{He} had [r=a-b] more {x} than {y}."),
        (
            "How many {x} and {y} does {N} have left altogether?",
            "{N} has [p=a-c] {x} left.",
            "{N} has [q=b-d] {y} left.",
            "Altogether {he} has [r=p+q] left.",
        ),
        where="a>c; b>d; a>b",
    ),
    _story(
        "give-away-one",
        "{N} had {a} {x}. {He} (gave|sold|lent) {b} {x} to {M}.",
        ("How many {x} does {N} have (left|now)?", "{N} has [r=a-b] {x} left."),
        where="a>b",
    ),
    _story(
        "lost-unknown",
        "{N} had {a} {x}. {He} (lost|gave away|sold|used) some of them. Now {he} has {b} {x} left.",
        ("How many {x} did {N} (lose|give away|use)?", "{He} parted with [r=a-b] {x}."),
        where="a>b",
    ),
    _story(
        "start-unknown",
        "{N} had some {x}. {He} (bought|found|got) {a} more {x}. Now {he} has {b} {x}.",
        ("How many {x} did {N} have (at first|in the beginning|before that)?", "{N} had [r=b-a] {x} at first."),
        where="b>a",
    ),
    _story(
        "start-unknown-loss",
        "After (giving away|losing|selling) {a} {x}, {N} still has {b} {x} and {c} {y}.",
        ("How many {x} did {he} have (at the start|to begin with)?", "{N} started with [r=a+b] {x}."),
        ("How many {x} and {y} does {he} have now?", "Now {he} has [r=b+c] {x} and {y}."),
    ),
    _story(
        "found-today",
        "{N} found {a} {x} and {b} {y} at the (park|market|beach). Now {he} has {c} {x} and {d} {y} in {his} collection.",
        ("How many {x} did {N} have (at first|before)?", "{N} had [r=c-a] {x} before."),
        ("How many {y} did {N} have (at first|before)?", "{N} had [r=d-b] {y} before."),
        ("How many {x} and {y} are in the collection now?", "The collection holds [r=c+d] {x} and {y}."),
        ("How many more {x} than {y} did {N} find?", "{He} found [r=a-b] more {x} than {y}."),
        where="c>a; d>b; a>b",
    ),
    _story(
        "vehicle",
        "There were {a} (people|passengers|children) on a (train|tram|boat). At the next stop {b} got off and {c} got on.",
        (
            "How many were on it after the stop?",
            "After {b} got off, [p=a-b] were left.",
            "After {c} got on, there were [r=p+c].",
        ),
        ("How many more people got on than got off?", "The difference is [r=c-b] people."),
        where="a>b; c>b",
    ),
    _story(
        "vehicle-unknown",
        "{a} people were on a (ferry|bus|tram). Then {b} people got on and some got off, and {c} people were on it.",
        (
            "How many people got off?",
            "With the new ones there were [p=a+b] people.",
            "So [r=p-c] people got off.",
        ),
        where="c<a+b",
    ),
    _story(
        "visitors",
        "A (museum|zoo|library) had {a} visitors on Monday, {b} visitors on Tuesday and {c} visitors on Wednesday.",
        ("How many visitors came on Monday and Tuesday together?", "[r=a+b] visitors came on Monday and Tuesday."),
        ("How many visitors came in the three days?", "In the three days [r=a+b+c] visitors came."),
        ("How many more visitors came on Monday than on Wednesday?", "On Monday [r=a-c] more visitors came."),
        ("How many more visitors came on Tuesday than on Wednesday?", "On Tuesday [r=b-c] more visitors came."),
        where="a>c; b>c",
    ),
    _story(
        "compare-more",
        "{N} (has|picked|read|made) {a} {x}. {M} has {b} more {x} than {N}.",
        ("How many {x} does {M} have?", "{M} has [r=a+b] {x}."),
        ("How many {x} do they have (together|in all)?", "{M} has [p=a+b] {x}.", "Together they have [r=a+p] {x}."),
    ),
    _story(
        "compare-fewer",
        "{N} has {a} {x}. {M} has {b} fewer {x} than {N} and {c} {y}.",
        ("How many {x} does {M} have?", "{M} has [r=a-b] {x}."),
        ("How many {x} do they have (together|in all)?", "{M} has [p=a-b] {x}.", "Together they have [r=a+p] {x}."),
        ("How many {x} and {y} does {M} have?", "{M} has [p=a-b] {x}.", "With the {y} that is [r=p+c]."),
        where="a>b",
    ),
    _story(
        "compare-reference",
        "{N} has {a} {x}, which is {b} more than {M} has.",
        ("How many {x} does {M} have?", "{M} has [r=a-b] {x}."),
        ("How many {x} do they have in all?", "{M} has [p=a-b] {x}.", "In all they have [r=a+p] {x}."),
        where="a>b",
    ),
    _story(
        "school",
        "In a (school|club|choir|camp) there are {a} girls and {b} boys. {c} more girls and {d} more boys join.",
        ("How many girls are there now?", "Now there are [r=a+c] girls."),
        ("How many boys are there now?", "Now there are [r=b+d] boys."),
        ("How many pupils joined?", "[r=c+d] pupils joined."),
        ("How many pupils were there at first?", "At first there were [r=a+b] pupils."),
        (
            "How many pupils are there now?",
            "Before, there were [p=a+b] pupils.",
            "[q=c+d] pupils joined.",
            "Now there are [r=p+q] pupils.",
        ),
        ("How many more girls than boys joined?", "[r=c-d] more girls than boys joined."),
        where="c>d",
    ),
    _story(
        "school-difference",
        "A (school|club|college) has {a} girls. There are {b} more girls than boys.",
        ("How many boys are there?", "There are [r=a-b] boys."),
        ("How many students are there?", "There are [p=a-b] boys.", "In all there are [r=a+p] students."),
        where="a>b",
    ),
    _story(
        "boxes",
        "There are {a} (boxes|bags|packs|shelves) with {b} {x} in each.",
        ("How many {x} are there (in all|altogether)?", "There are [r=a*b] {x}."),
        where="b<=20; a<=50",
    ),
    _story(
        "boxes-two",
        "{N} has {a} boxes of {x} and {b} boxes of {y}. Each box of {x} holds {c} {x} and each box of {y} holds {d} {y}.",
        ("How many {x} does {N} have?", "{N} has [r=a*c] {x}."),
        ("How many {y} does {N} have?", "{N} has [r=b*d] {y}."),
        ("How many boxes does {he} have?", "{He} has [r=a+b] boxes."),
        (
            "How many {x} and {y} does {he} have in all?",
            "{He} has [p=a*c] {x}.",
            "{He} has [q=b*d] {y}.",
            "In all that is [r=p+q].",
        ),
        where="a<=20; b<=20; c<=12; d<=12",
    ),
    _story(
        "groups-size",
        "{N} (puts|sorts|packs) {a} {x} into {b} (equal groups|boxes|bags), with the same number in each. {He} also has {d} {y}.",
        ("How many {x} are in each?", "Each one holds [r=a/b] {x}."),
        where="b<=30; c<=30; a=b*c",
    ),
    _story(
        "groups-number",
        "{N} packs {a} {x} in (boxes|bags|groups) of {b}. {He} has {d} {y} as well.",
        ("How many (boxes|bags|groups) of {x} are there?", "There are [r=a/b] of them."),
        where="b<=30; c<=30; a=b*c",
    ),
    _story(
        "groups-compare",
        "{N} has {a} {x} in {b} equal groups and {d} {y} in {e} equal groups.",
        ("How many {x} are in each group of {x}?", "Each group has [r=a/b] {x}."),
        ("How many {y} are in each group of {y}?", "Each group has [r=d/e] {y}."),
        ("How many groups are there?", "There are [r=b+e] groups."),
        where="b<=20; c<=20; e<=12; a=b*c; d=e*c",
    ),
    _story(
        "share",
        "{N} shares {a} {x} and {d} {y} equally among {b} (friends|classmates|children).",
        ("How many {x} does each of them get?", "Each gets [r=a/b] {x}."),
        where="b<=30; c<=30; a=b*c",
    ),
    _story(
        "price-total",
        "{N} bought {a} {x} for {b} dollars each and {c} {y} for {d} dollars each.",
        ("How much did {he} spend on {x}?", "The {x} cost [r=a*b] dollars."),
        ("How much did {he} spend on {y}?", "The {y} cost [r=c*d] dollars."),
        (
            "How much did {N} spend (in all|altogether)?",
            "The {x} cost [p=a*b] dollars.",
            "The {y} cost [q=c*d] dollars.",
            "In all {he} spent [r=p+q] dollars.",
        ),
        (
            "How much more did {he} spend on {x} than on {y}?",
            "The {x} cost [p=a*b] dollars.",
            "The {y} cost [q=c*d] dollars.",
            "The difference is [r=p-q] dollars.",
        ),
        where="a<=20; b<=20; c<=12; d<=12; a*b>c*d",
    ),
    _story(
        "price-unit",
        "{N} paid {a} dollars for {b} {x}, each at the same price. {He} had {d} dollars at first.",
        ("How much did each of them cost?", "Each one cost [r=a/b] dollars."),
        ("How much money does {N} have left?", "{N} has [r=d-a] dollars left."),
        where="b<=25; c<=25; a=b*c; d>a",
    ),
    _story(
        "purse",
        "{N} had {a} dollars. {He} spent {b} dollars on {x} and {c} dollars on {y}.",
        ("How much did {he} spend?", "{He} spent [r=b+c] dollars."),
        ("How much (money does {he} have|is) left?", "{He} spent [p=b+c] dollars.", "So [r=a-p] dollars are left."),
        ("How much more did {he} spend on {x} than on {y}?", "{He} spent [r=b-c] dollars more on {x}."),
        where="a>b+c; b>c",
    ),
    _story(
        "purse-earn",
        "{N} had {a} dollars. {He} bought (a toy|lunch|a book) for {b} dollars. Then {his} (aunt|friend) gave {him} {c} dollars.",
        (
            "How much money does {N} have now?",
            "After the purchase {he} had [p=a-b] dollars.",
            "Now {he} has [r=p+c] dollars.",
        ),
        ("How much money did {he} have after the purchase?", "{He} had [r=a-b] dollars."),
        where="a>b",
    ),
    _story(
        "purse-unknown",
        "{N} has {a} dollars left after buying {x} for {b} dollars and {y} for {c} dollars.",
        ("How much money did {he} have at first?", "{He} spent [p=b+c] dollars.", "At first {he} had [r=a+p] dollars."),
        ("How much did the {x} and the {y} cost together?", "Together they cost [r=b+c] dollars."),
    ),
    _story(
        "discount",
        "A (coat|game|lamp|bag) costs {a} dollars. Today there is a discount of {b} dollars.",
        ("How much does it cost today?", "It costs [r=a-b] dollars today."),
        ("How much do {c} of them cost today?", "One costs [p=a-b] dollars.", "{c} of them cost [r=p*c] dollars."),
        where="a>b; c<=9; a<=100",
    ),
    _story(
        "rate",
        "A (machine|printer|baker|worker) can make {a} {x} (an hour|a day|a minute). It worked for {b} of them yesterday and {c} today.",
        ("How many {x} did it make today?", "Today it made [r=a*c] {x}."),
        ("How many {x} did it make yesterday?", "Yesterday it made [r=a*b] {x}."),
        (
            "How many {x} did it make in all?",
            "It worked for [p=b+c] of them.",
            "It made [r=a*p] {x}.",
        ),
        where="a<=40; b<=12; c<=12",
    ),
    _story(
        "rate-time",
        "{N} reads {a} pages (a day|an evening). A book has {d} pages.",
        ("How many (days|evenings) does {N} need for the book?", "{N} needs [r=d/a] of them."),
        where="a<=40; b<=30; d=a*b",
    ),
    _story(
        "reading",
        "{N} read {a} pages on Friday and {b} pages on Saturday. The book has {c} pages.",
        ("How many pages are left to read?", "{N} has read [p=a+b] pages.", "[r=c-p] pages are left."),
        ("How many pages did {he} read in the two days?", "{He} read [r=a+b] pages."),
        ("How many more pages did {he} read on Friday than on Saturday?", "{He} read [r=a-b] more pages on Friday."),
        where="c>a+b; a>b",
    ),
    _story(
        "recipe",
        "A recipe needs {a} cups of (sugar|milk), {b} cups of flour and {c} cups of (oats|rice). {N} has already put in {d} cups of flour.",
        ("How many more cups of flour does {he} need?", "{He} needs [r=b-d] more cups of flour."),
        ("How many cups does the recipe need in all?", "The recipe needs [r=a+b+c] cups."),
        where="b>d; a<=20; c<=20; b<=30",
    ),
    _story(
        "garden",
        "A garden has {a} (tulips|roses|bushes). The gardener plants {b} more today and {c} more tomorrow.",
        ("How many will there be after today?", "After today there will be [r=a+b]."),
        ("How many will be planted in the two days?", "[r=b+c] will be planted."),
        ("How many will there be when the work is done?", "[p=b+c] will be planted.", "There will be [r=a+p]."),
    ),
    _story(
        "garden-end",
        "There are {a} (pine|oak|apple) trees in a park. Workers plant more of them, and when they are done there are {b}. There are {c} benches too.",
        ("How many trees did the workers plant?", "They planted [r=b-a] trees."),
        where="b>a",
    ),
    _story(
        "animals",
        "{a} (ducks|geese|frogs) sat by a pond. {b} more of them and {c} (turtles|swans) came.",
        ("How many animals are at the pond now?", "There are [r=a+b+c] animals."),
        ("How many animals came?", "[r=b+c] animals came."),
        ("How many of the first kind are there now?", "There are [r=a+b] of them."),
    ),
    _story(
        "times-as-many",
        "{N} has {a} {x}. {M} has {b} times as many {x} as {N}.",
        ("How many {x} does {M} have?", "{M} has [r=a*b] {x}."),
        ("How many {x} do they have together?", "{M} has [p=a*b] {x}.", "Together they have [r=a+p] {x}."),
        ("How many more {x} does {M} have than {N}?", "{M} has [p=a*b] {x}.", "{M} has [r=p-a] more."),
        where="b<=9; a<=60; b>=2",
    ),
    _story(
        "twice-as-many",
        "{N} (has|sold|picked) {a} {x}. {M} has twice as many {x} as {N}, and {P} has half as many as {N}.",
        ("How many {x} does {M} have?", "{M} has [r=2*a] {x}."),
        ("How many {x} does {P} have?", "{P} has [r=a/2] {x}."),
        (
            "How many {x} do the three have together?",
            "{M} has [p=2*a] {x}.",
            "{P} has [q=a/2] {x}.",
            "Together they have [r=a+p+q] {x}.",
        ),
        where="a=b*2",
    ),
    _story(
        "height",
        "The (tower|pole|tree) is {a} times as tall as {N}. {N} is {b} feet taller than {M}. {M} is {c} feet tall.",
        ("How tall is {N}?", "{N} is [r=c+b] feet tall."),
        ("How tall is it in feet?", "{N} is [p=c+b] feet tall.", "It is [r=p*a] feet tall."),
        where="a<=15; b<=10; c<=20",
    ),
    _story(
        "weights",
        "{N} and {M} picked berries that weigh {a} pounds together. {N}'s berries weigh {b} pounds.",
        ("How much do {M}'s berries weigh?", "They weigh [r=a-b] pounds."),
        (
            "How much more do {N}'s berries weigh than {M}'s?",
            "{M}'s berries weigh [p=a-b] pounds.",
            "The difference is [r=b-p] pounds.",
        ),
        where="a>b; b>a-b",
    ),
    _story(
        "messages",
        "{N} got {a} (emails|letters|calls) in the morning, {b} in the afternoon and {c} in the evening.",
        ("How many did {N} get in the morning and evening?", "{N} got [r=a+c]."),
        ("How many did {he} get in the whole day?", "{He} got [r=a+b+c]."),
        ("How many more did {he} get in the morning than in the afternoon?", "{He} got [r=a-b] more."),
        ("How many more did {he} get in the afternoon than in the evening?", "{He} got [r=b-c] more."),
        where="a>b; b>c",
    ),
    _story(
        "messages-unknown",
        "{N} got {a} (emails|letters|calls) in the morning and some in the afternoon. {He} got {b} in the whole day.",
        ("How many did {N} get in the afternoon?", "{N} got [r=b-a] in the afternoon."),
        where="b>a",
    ),
    _story(
        "exercise",
        "{N} did {a} (push-ups|jumps|laps) and {b} sit-ups. {M} did {c} more (push-ups|jumps|laps) but {d} fewer sit-ups than {N}.",
        ("How many sit-ups did {M} do?", "{M} did [r=b-d] sit-ups."),
        ("How many of the first exercise did {M} do?", "{M} did [r=a+c] of them."),
        ("How many exercises did {N} do in all?", "{N} did [r=a+b] exercises."),
        where="b>d",
    ),
    _story(
        "bake",
        "A baker made {a} (cakes|rolls|pies) and {b} (tarts|buns|muffins). He sold {c} of the first and {d} of the second kind.",
        ("How many of the first kind are left?", "[r=a-c] of them are left."),
        ("How many of the second kind are left?", "[r=b-d] of them are left."),
        ("How many did he sell in all?", "He sold [r=c+d] in all."),
        ("How many did he make in all?", "He made [r=a+b] in all."),
        (
            "How many are left in all?",
            "He made [p=a+b] in all.",
            "He sold [q=c+d] in all.",
            "[r=p-q] are left.",
        ),
        where="a>c; b>d",
    ),
    _story(
        "stock",
        "A shop had {a} (lamps|chairs|bikes). It sold {b} of them and then bought {c} new ones.",
        ("How many does the shop have now?", "After the sale it had [p=a-b].", "Now it has [r=p+c]."),
        ("How many more did it buy than sell?", "It bought [r=c-b] more than it sold."),
        where="a>b; c>b",
    ),
    _story(
        "teams",
        "A coach has {a} (new|young) players and {b} (returning|older) players. He puts them in groups of {c}.",
        ("How many groups are there?", "There are [p=a+b] players.", "There are [r=p/c] groups."),
        ("How many players does he have?", "He has [r=a+b] players."),
        where="c<=12; d<=20; e<=30; a=c*d; b=c*e",
    ),
    _story(
        "tables",
        "There are {a} tables with {b} chairs each and {c} single chairs in a hall.",
        ("How many chairs stand at the tables?", "At the tables there are [r=a*b] chairs."),
        ("How many chairs are in the hall?", "At the tables there are [p=a*b] chairs.", "In all there are [r=p+c]."),
        where="a<=30; b<=12",
    ),
    _story(
        "pages-chapters",
        "A book has {a} chapters of {b} pages each. {N} has read {c} pages.",
        ("How many pages does the book have?", "The book has [r=a*b] pages."),
        ("How many pages are left?", "The book has [p=a*b] pages.", "[r=p-c] pages are left."),
        where="a<=20; b<=30; c<a*b",
    ),
    _story(
        "distance",
        "{N} (walked|drove|cycled) {a} miles before lunch and {b} miles after lunch. {M} went {c} miles.",
        ("How far did {N} go?", "{N} went [r=a+b] miles."),
        ("How much farther did {N} go than {M}?", "{N} went [p=a+b] miles.", "That is [r=p-c] miles farther."),
        ("How many more miles did {N} go before lunch than after?", "{N} went [r=a-b] more miles."),
        where="a>b; a+b>c",
    ),
    _story(
        "speed",
        "{N} (drives|rides|runs) {a} miles an hour for {b} hours, and {M} {c} miles an hour for {d} hours.",
        ("How many miles does {N} go?", "{N} goes [r=a*b] miles."),
        ("How many miles does {M} go?", "{M} goes [r=c*d] miles."),
        where="a<=70; b<=9; c<=70; d<=9",
    ),
    _story(
        "wages",
        "{N} earns {a} dollars an hour. {He} worked {b} hours on Monday and {c} hours on Tuesday.",
        ("How much did {N} earn on Monday?", "On Monday {he} earned [r=a*b] dollars."),
        ("How much did {he} earn in the two days?", "{He} worked [p=b+c] hours.", "{He} earned [r=a*p] dollars."),
        ("How many hours did {he} work?", "{He} worked [r=b+c] hours."),
        where="a<=30; b<=10; c<=10",
    ),
    _story(
        "savings",
        "{N} wants a (bike|guitar|tent) that costs {a} dollars. {He} has {b} dollars and saves {c} dollars a week.",
        ("How much more money does {he} need?", "{He} needs [r=a-b] more dollars."),
        ("How many weeks must {he} save?", "{He} needs [p=a-b] more dollars.", "That takes [r=p/c] weeks."),
        where="c<=20; d<=15; a=b+c*d",
    ),
    _story(
        "leftover-share",
        "{N} had {a} {x}. {He} ate {b} of them and shared the rest equally among {c} friends.",
        ("How many {x} did each friend get?", "The rest was [p=a-b] {x}.", "Each friend got [r=p/c] {x}."),
        ("How many {x} were shared?", "[r=a-b] {x} were shared."),
        where="c<=12; d<=15; a=b+c*d",
    ),
    _story(
        "coins",
        "{N} has {a} coins in one jar and {b} coins in another. {He} (takes|removes) {c} coins from the first jar.",
        ("How many coins are in the first jar now?", "In the first jar there are [r=a-c] coins."),
        ("How many coins does {he} have in both jars now?", "The first jar has [p=a-c] coins.", "Both have [r=p+b]."),
        ("How many coins were in both jars at first?", "At first there were [r=a+b] coins."),
        where="a>c",
    ),
    _story(
        "percent",
        "There are {a} {x} in a (shop|box|store). {b}% of them are (red|new|broken).",
        ("How many of the {x} are that?", "[r=a*b/100] of the {x} are that."),
        where="d<=20; c<=9; a=100*d; b=10*c",
    ),
    _story(
        "fraction",
        "{N} had {a} {x}. {He} used (half|one half) of them on Monday and {b} more on Tuesday.",
        ("How many {x} are left?", "On Monday {he} used [p=a/2] {x}.", "[q=a-p] were left.", "Now [r=q-b] are left."),
        ("How many {x} did {he} use on Monday?", "On Monday {he} used [r=a/2] {x}."),
        where="a=2*c; c>b",
    ),
)
