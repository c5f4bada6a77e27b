"""A trait in a word or two that can be read aloud: no column name too long, no double negative, no "low matters".

What a column is called is nobody's grammar, so the words go by its shape: a clause ("quality matters") takes more or
less, what is counted many or few, a yes or no its name or "no" before it, a negation is taken back instead of doubled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from custseg._core.characteristic import Characteristic, in_words
from custseg._core.words import humanise, plain
from custseg.personas._traits import Trait

LONGEST_COLUMN = 20
"""A column is called by at most so many characters, the word aside that denies it."""

# role -> the word for much of it, the word for little of it
_ROLE_WORDS = {
    "recency": ("lapsed", "recent"),
    "frequency": ("frequent", "occasional"),
    "monetary": ("high-spending", "low-spending"),
    "tenure": ("long-standing", "new"),
    "age": ("older", "younger"),
    "contacts": ("often contacted", "rarely contacted"),
    "response": ("responsive", "unresponsive"),
    "coupons": ("coupon-redeeming", "few coupons"),
}
# Of figures that differ by less nobody would say lapsed and recent, however sure the difference is.
_TELLING = 0.05

_NEGATION = re.compile(
    r"^(?:(?:does|do|is|are|has|have)\s+not|(?:do|does|is)n[\u2019']t|not|no|never|without|non)[\s-]+", re.IGNORECASE
)
_AFFIRMATION = re.compile(r"^(?:is|are|has|have|owns|with)\s+(?:an?\s+)?", re.IGNORECASE)
_IS = re.compile(r"is\s", re.IGNORECASE)
_UNIT = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_COUNTED = re.compile(r"^(?:number|count|nr|no\.?)\s+of\s+(.+)$|^(?:n|num)\s+(.+)$", re.IGNORECASE)
_SINCE = re.compile(r"^(?:(?:days|weeks|months|years|hours|time)\s+)?since\s+(.+)$", re.IGNORECASE)
_BIRTH = re.compile(r"^(?:year of birth|birth ?year|year born)$", re.IGNORECASE)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# words that a clause ends with, or begins with
_CLAUSE_ENDS = _set("matters counts")
_VERBS = _set(
    "agree agrees believe believes buy buys care cares do does enjoy enjoys feel feels follow follows go goes hate "
    "hates have has like likes love loves need needs own owns prefer prefers read reads shop shops think thinks trust "
    "trusts try tries use uses want wants watch watches"
)
_PREPOSITIONS = _set("about at for from in into of on over the to under with")
_JOINTS = _set("& a an and or the")
_PERSONS = _set("buyer customer driver homeowner member owner parent pensioner smoker student subscriber tenant user")
_RATES = _set("average avg max maximum mean min minimum percent percentage rate share total")
_LONG = _set("commute distance duration length time")
_LARGE = _set("size")
# plural in form, and not counted
_UNCOUNTED = _set("address business costs earnings expenses news prices sales savings series status")
# levels that say nothing without their column
_BARE = _set(
    "average false good bad high higher large low lower medium middle much none normal other small true unknown yes"
)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What each column is called in a name, and which role it alone bears.

    ``columns`` are the columns in a word or two; ``roles`` the roles of columns that share theirs with no other: of
    two, "frequent" would not say where.
    """

    columns: Mapping[str, str]
    roles: Mapping[str, str]

    @classmethod
    def of(cls, names: Sequence[str], known: Iterable[Characteristic], own: Mapping[str, str] | None = None) -> Words:
        """Read the roles; a column whose maker says none is what its whole name says, if that is one.

        The user's own labels stand above all, and for the role too: who calls a recency "silence" wants to read that.
        """
        made = {each.column: each for each in known}
        borne = {name: (made[name].role if name in made else None) or name for name in names}
        counts = Counter(borne.values())
        own = own or {}
        alone = {
            name: role for name, role in borne.items() if role in _ROLE_WORDS and counts[role] == 1 and name not in own
        }
        called = humanise(names)
        for name, each in made.items():
            label = plain(each.label)
            told = label != in_words(name.removeprefix(f"{each.member}__"))
            if name in called and told and len(label) <= LONGEST_COLUMN:
                called[name] = label
        called |= {name: plain(label) for name, label in own.items()}
        return cls(columns=short(called), roles=alone)


def short(labels: Mapping[str, str]) -> dict[str, str]:
    """Call each column by at most ``LONGEST_COLUMN`` characters, its denial aside, no two alike.

    Examples
    --------
    >>> short({"a": "avgBasketValue (EUR)", "b": "response rate type Type A", "c": "response rate type Type B"})
    {'a': 'avg basket value', 'b': 'response … Type A', 'c': 'response … Type B'}
    """
    bare = {column: _bare(label) for column, label in labels.items()}
    kept = Counter(bare.values())
    bare = {column: name if kept[name] == 1 else labels[column] for column, name in bare.items()}
    found = {column: _beginning(name) for column, name in bare.items()}
    alike = Counter(found.values())
    found = {column: name if alike[name] == 1 else _ends(bare[column]) for column, name in found.items()}
    taken: Counter[str] = Counter()
    for column, name in found.items():
        taken[name] += 1
        if taken[name] > 1:
            found[column] = f"{name[: LONGEST_COLUMN - 4]} ({taken[name]})"
    return found


def _bare(label: str) -> str:
    """Leave out units, and write camel case in words."""
    parts = _CAMEL.sub(" ", label)
    spelt = _UNIT.sub("", parts if parts == label else parts.lower()) or label
    return _SINCE.sub(r"since \1", spelt)


def _beginning(name: str) -> str:
    """Keep the words that say most, then the first ones.

    Examples
    --------
    >>> [_beginning(name) for name in ("fun and entertainment", "excitement, a challenge", "not care about prices")]
    ['fun & entertainment', 'excitement…', 'not care about prices']
    """
    if len(name) <= LONGEST_COLUMN:
        return name
    denial = _NEGATION.match(name)
    if denial is not None and denial.end() < len(name) - 1:  # it is taken back as often as it is said
        return f"{denial[0]}{_beginning(name[denial.end() :])}"
    joined = name.replace(" and ", " & ")
    if len(joined) <= LONGEST_COLUMN:
        return joined
    words = [word for word in joined.split(" ") if word.casefold() not in _PREPOSITIONS] or [name]
    if len(" ".join(words)) <= LONGEST_COLUMN:
        return " ".join(words)
    kept = list(accumulate(words, "{} {}".format))
    fitting = [
        text for text, word in zip(kept, words, strict=True) if len(text) < LONGEST_COLUMN and word not in _JOINTS
    ]
    return f"{(fitting[-1] if fitting else kept[0][: LONGEST_COLUMN - 1]).rstrip(',;:- ')}…"


def _ends(name: str) -> str:
    """Keep the first word and what stands last, where columns begin alike."""
    if len(name) <= LONGEST_COLUMN:
        return name
    first = name.split(" ", 1)[0][: LONGEST_COLUMN // 2]
    last = name[-(LONGEST_COLUMN - len(first) - 3) :]
    words = last.split(" ", 1)
    if len(words) == 2 and not name.endswith(f" {last}"):
        last = words[1]
    return f"{first} … {last.strip()}"


def describe(trait: Trait, words: Words) -> str:
    """Say a trait in a word or two; empty where no word would be true of it."""
    more, column = trait.effect_size > 0, words.columns[trait.characteristic]
    if trait.kind == "nominal":
        return _level(column, trait.level or "", more)
    if trait.kind == "binary":
        return _yes(column) if more else _no(column)
    if trait.characteristic in words.roles:
        return _ROLE_WORDS[words.roles[trait.characteristic]][0 if more else 1] if _tells(trait) else ""
    return _number(column, more, ordered=trait.kind == "ordinal")


def is_level_missing(trait: Trait) -> bool:
    """Say whether a trait is that a level is rare here: a word for what customers are not."""
    return trait.kind == "nominal" and trait.effect_size < 0


def _tells(trait: Trait) -> bool:
    here, rest = trait.segment_value, trait.rest_value
    if isinstance(here, str) or isinstance(rest, str):
        return here != rest
    return abs(here - rest) >= _TELLING * max(abs(here), abs(rest))


def _level(column: str, level: str, more: bool) -> str:
    rarely = "" if more else "rarely "
    return f"{rarely}{level}" if _speaks(level) else f"{column}: {rarely}{level}"


def _speaks(level: str) -> bool:
    """Say whether a level is understood without its column: a word, not a number or a grade."""
    letters = sum(character.isalpha() for character in level)
    return letters >= 3 and letters > len(level) / 2 and level.casefold() not in _BARE and len(level) <= LONGEST_COLUMN


def _yes(column: str) -> str:
    return _AFFIRMATION.sub("", column) if _IS.match(column) else column


def _no(column: str) -> str:
    """Deny a yes or no; of one that is a denial take it back."""
    stem = _NEGATION.sub("", column)
    if stem != column:
        return f"with {stem}" if re.match(r"(?i)without\s", column) else stem
    stem = _AFFIRMATION.sub("", column)
    first = stem.split(" ", 1)[0].casefold()
    if stem.casefold() in _PERSONS:
        return f"not a{'n' if first[:1] in 'aeio' else ''} {stem}"
    if first in _VERBS:
        return f"rarely {stem}"
    is_noun = not (first in _PREPOSITIONS or first.endswith(("ed", "ing")) or _IS.match(column))
    return f"{'no' if is_noun else 'not'} {stem}"


def _number(column: str, more: bool, *, ordered: bool) -> str:
    """Say much or little of a number, or of an ordered level."""
    words = column.split() or [""]
    since, counted = _SINCE.match(column), _COUNTED.match(column)
    if _NEGATION.match(column):
        said = column, _NEGATION.sub("", column)
    elif _BIRTH.match(column):
        said = "born later", "born earlier"
    elif since:
        said = f"{since[1]} long ago", f"{since[1]} recently"
    elif counted:
        what = next(filter(None, counted.groups()))
        said = f"many {what}", f"few {what}"
    elif words[-1].casefold() in _CLAUSE_ENDS or words[0].casefold() in _VERBS:
        said = f"{column} more", f"{column} less"
    elif len(words) == 1 and words[0].endswith("ed"):
        said = f"more {column}", f"less {column}"
    else:
        much, little = ("high", "low") if words[0].casefold() in _RATES else _size(words[-1], ordered)
        said = f"{much} {column}", f"{little} {column}"
    return said[0 if more else 1]


def _size(word: str, ordered: bool) -> tuple[str, str]:
    """Return what much and little of a noun is called."""
    noun = word.casefold()
    if noun in _LONG:
        return "long", "short"
    if noun in _LARGE:
        return "large", "small"
    if ordered:
        return "higher", "lower"
    if re.search(r"[^siu]s$", word) and noun not in _UNCOUNTED:
        return "many", "few"
    return "high", "low"
