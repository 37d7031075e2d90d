"""Words that are units, what they measure, and how many of one make another.

Only listed words are units; every other word is a counted thing ("pens", "bars", "stones"), which does not convert.
A word may have several senses: an ounce is a mass or a volume, a quarter a coin, a fourth or a counted thing.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pint import UnitRegistry

COUNTED = "#"
"""Begins the name of a counted thing in a unit."""


class Sense(NamedTuple):
    """One meaning of a unit word: its name, and the dimension it measures.

    Of the dimension `scale` ("dozen", "eighths", "thousand") the name is the factor, of `derived` it is a product.
    """

    name: str
    dimension: str


# dimension: name in pint: forms; the names of a dimension are in order of size.
_MEASURES = {
    "time": "second: s sec secs second seconds | minute: min mins minute minutes | hour: h hr hrs hour hours"
    " | day: day days | week: wk wks week weeks | fortnight: fortnight fortnights",
    "calendar": "month_: mo mos month months | year_: yr yrs year years | decade_: decade decades"
    " | century_: century centuries",
    "length": "millimeter: mm millimeter millimeters millimetre millimetres"
    " | centimeter: cm centimeter centimeters centimetre centimetres | inch: in inch inches"
    " | decimeter: dm decimeter decimeters | foot: ft foot feet | yard: yd yds yard yards"
    " | meter: m meter meters metre metres | kilometer: km kms kilometer kilometers kilometre kilometres"
    " | mile: mi mile miles",
    "mass": "milligram: mg milligram milligrams | gram: g gm gms gram grams gramme grammes | ounce: oz ounce ounces"
    " | pound: lb lbs pound pounds | kilogram: kg kgs kilo kilos kilogram kilograms | short_ton: ton tons"
    " | tonne: ton tons tonne tonnes",
    "volume": "milliliter: ml mL milliliter milliliters millilitre millilitres | centiliter: cl centiliter centiliters"
    " | teaspoon: tsp tsps teaspoon teaspoons | tablespoon: tbsp tbsps tablespoon tablespoons"
    " | fluid_ounce: oz ounce ounces floz | cup: cup cups | pint: pt pts pint pints | quart: qt qts quart quarts"
    " | liter: l L liter liters litre litres | gallon: gal gals gallon gallons",
    "area": "acre: acre acres | hectare: hectare hectares",
    "dollars": "us_cent: ¢ cent cents penny pennies | nickel_: nickel nickels | dime_: dime dimes"
    " | quarter_: quarter quarters | dollar: $ dollar dollars buck bucks",
    "euros": "euro_cent: cent cents | euro: € euro euros",
    "pounds": "pence: penny pence | pound_sterling: £ pound pounds quid",
    "rupees": "paisa: paisa paise | rupee: ₹ rupee rupees",
}  # fmt: skip
_SCALES = {
    "pair": 2, "pairs": 2, "couple": 2, "couples": 2, "dozen": 12, "dozens": 12, "score": 20, "gross": 144, "ones": 1,
    "ten": 10, "tens": 10, "hundred": 100, "hundreds": 100, "thousand": 1000, "thousands": 1000, "lakh": 10**5,
    "lakhs": 10**5, "million": 10**6, "millions": 10**6, "crore": 10**7, "crores": 10**7, "billion": 10**9,
    "billions": 10**9, "trillion": 10**12, "trillions": 10**12,
}  # fmt: skip
_PARTS = (
    "half halves 2 third thirds 3 quarter quarters 4 fourth fourths 4 fifth fifths 5 sixth sixths 6 seventh sevenths 7"
    " eighth eighths 8 ninth ninths 9 tenth tenths 10 eleventh elevenths 11 twelfth twelfths 12 fifteenth fifteenths"
    " 15 sixteenth sixteenths 16 twentieth twentieths 20 twenty-fourth twenty-fourths 24 hundredth hundredths 100"
    " thousandth thousandths 1000"
).split()
_MAY_BE_COUNTED = frozenset("pair pairs couple couples score gross ten".split()) | {
    word + s for word in ("nickel", "dime", "quarter", "cup", "ton", "foot") for s in ("", "s")
}
_DERIVED = {
    "mph": (("mile", 1), ("hour", -1)),
    "kph": (("kilometer", 1), ("hour", -1)),
    "kmh": (("kilometer", 1), ("hour", -1)),
    "mpg": (("mile", 1), ("gallon", -1)),
}
LETTER_UNITS = frozenset(["m", "g", "l", "L", "h", "s"])
"""Units that may be variables as well."""
ABBREVIATIONS = frozenset(
    "oz lb lbs in ft yd yds mi min mins hr hrs sec secs gal pt qt tsp tbsp kg cm mm km ml mo mos yr yrs wk wks".split()
)
"""Units behind which a full stop may be no end of a sentence."""


def _senses() -> dict[str, tuple[Sense, ...]]:
    table: dict[str, tuple[Sense, ...]] = {}
    for dimension, lines in _MEASURES.items():
        for line in lines.split(" | "):
            name, _, forms = line.partition(": ")
            for form in forms.split():
                table[form] = (*table.get(form, ()), Sense(name, dimension))
    for word, factor in _SCALES.items():
        table[word] = (*table.get(word, ()), Sense(str(factor), "scale"))
    for one, many, denominator in zip(_PARTS[::3], _PARTS[1::3], _PARTS[2::3], strict=True):
        for word in (one, many):
            table[word] = (*table.get(word, ()), Sense(f"1/{denominator}", "scale"))
    for word in _MAY_BE_COUNTED & table.keys():
        table[word] = (*table[word], Sense(COUNTED + word.removesuffix("s"), "counted"))
    return table | {word: (Sense(word, "derived"),) for word in _DERIVED}


_SENSES = _senses()
_DIMENSIONS = {
    line.partition(": ")[0]: dimension for dimension, lines in _MEASURES.items() for line in lines.split(" | ")
}
_ORDER = {name: i for i, name in enumerate(_DIMENSIONS)}


def senses_of(word: str) -> tuple[Sense, ...]:
    """The senses of a unit word, the commonest first; none of any other word. "M" and "Feet" are looked up too."""
    return _SENSES.get(word) or (_SENSES.get(word.lower(), ()) if len(word) > 1 else ())


def parts_of(sense: Sense) -> tuple[tuple[str, int], ...]:
    """A sense as a product of names with exponents."""
    return _DERIVED[sense.name] if sense.dimension == "derived" else ((sense.name, 1),)


def dimension_of(name: str) -> str:
    """What a unit measures; "" for a counted thing."""
    return "" if name.startswith(COUNTED) else _DIMENSIONS[name]


def is_smaller(name: str, other: str) -> bool:
    """Whether both measure the same and the first is the smaller unit: inches behind feet."""
    return _DIMENSIONS.get(name) == _DIMENSIONS.get(other) and _ORDER[name] < _ORDER[other]


def names_of(dimension: str) -> tuple[str, ...]:
    """All units of a dimension."""
    return tuple(name for name, d in _DIMENSIONS.items() if d == dimension)


@lru_cache(maxsize=4096)
def factor(name: str) -> Fraction:
    """How many of the base unit of its dimension one unit makes, exactly."""
    registry = _registry()
    return Fraction(registry.Quantity(Fraction(1), name).to_root_units().magnitude)


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[Any]:
    """pint's definitions with exact fractions, and currencies; built when the first conversion is asked for."""
    from pint import UnitRegistry

    registry: UnitRegistry[Any] = UnitRegistry(non_int_type=Fraction, cache_folder=None)
    for definition in (
        "dollar = [dollars]", "us_cent = dollar / 100", "nickel_ = 5 * us_cent", "dime_ = 10 * us_cent",
        "quarter_ = 25 * us_cent", "euro = [euros]", "euro_cent = euro / 100", "pound_sterling = [sterling]",
        "pence = pound_sterling / 100", "rupee = [rupees]", "paisa = rupee / 100", "month_ = [calendar]",
        "year_ = 12 * month_", "decade_ = 10 * year_", "century_ = 100 * year_",
    ):  # fmt: skip
        registry.define(definition)
    return registry
