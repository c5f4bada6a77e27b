"""A persona for each segment that may be described, from the profile of all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custseg._core.characteristic import Characteristic
from custseg._core.coverage import KNOWN_OF_HALF, KNOWN_OF_MOST
from custseg._core.visible import visible
from custseg._core.words import format_share
from custseg.personas._card.alike import Alike
from custseg.personas._card.answering import answering_styles
from custseg.personas._card.beside import known_of_few, like_everyone
from custseg.personas._card.needs import find_needs
from custseg.personas._card.prevalence import find_prevalence
from custseg.personas._card.typical import write_typical
from custseg.personas._parts import REACHED_BY, TIMED_BY, Need, Prevalence
from custseg.personas._phrases import Words
from custseg.personas._profile import Profile
from custseg.personas._traits import Persona, Trait, find_traits, known_first

__all__ = ["Cards"]

# Everyone cannot differ from anyone else; so many figures of the typical customer stand in for traits.
_TOLD_OF_EVERYONE = 4


@dataclass(frozen=True, kw_only=True)
class Cards:
    """What the personas of the segments are written from; segments go by their place in the profile.

    Attributes
    ----------
    profile : Profile
        The figures.
    columns : dict of str to Characteristic
        What each column is, under the label by which texts call it.
    words : Words
        What the columns are called in a word or two.
    traits : dict of int to list of Trait
        What sets each segment apart, told once, the strongest first.
    naming : dict of int to list of Trait
        Of that what may name it.
    styles : dict of int to str
        Where the traits may be a way of answering.
    needs : dict of int to tuple of Need
        What matters to each.
    like_everyone : dict of int to tuple of str
        In what each is like everyone else.
    n_traits, min_group_size : int
        How many traits come first; the fewest customers behind a figure.
    tells_counts : bool
        Whether new shares may be counted: not beside figures of other segments, from which they were not kept apart.
    """

    profile: Profile
    columns: Mapping[str, Characteristic]
    words: Words
    traits: Mapping[int, list[Trait]]
    naming: Mapping[int, list[Trait]]
    styles: Mapping[int, str]
    needs: Mapping[int, tuple[Need, ...]]
    like_everyone: Mapping[int, tuple[str, ...]]
    n_traits: int
    min_group_size: int
    tells_counts: bool

    @classmethod
    def of(
        cls,
        profile: Profile,
        columns: Mapping[str, Characteristic],
        words: Words,
        clustered_on: Collection[str],
        *,
        n_traits: int,
        min_group_size: int,
        tells_counts: bool,
    ) -> Cards:
        """Find what sets the segments apart, and what else there is to tell."""
        found = find_traits(profile.frame, columns)
        alike = Alike.of(profile, [trait for own in found.values() for trait in own])
        # by what the segments were made of alone, if that is here: another descriptor must not rename them
        naming = {
            place: [trait for trait in own if trait.known_of_half and (trait.clustered_on or not clustered_on)]
            for place, own in found.items()
        }
        return cls(
            profile=profile,
            columns=columns,
            words=words,
            traits={place: known_first(alike.told_once(own)) for place, own in found.items()},
            naming={place: alike.told_once(own) for place, own in naming.items()},
            styles=answering_styles(profile.frame, profile.table, columns),
            needs=find_needs(profile, columns, min_group_size) if tells_counts else {},
            like_everyone=like_everyone(profile.frame, {name: each.label for name, each in columns.items()}),
            n_traits=n_traits,
            min_group_size=min_group_size,
            tells_counts=tells_counts,
        )

    def persona(self, place: int, *, segment: int, name: str, n_customers: int, share: float) -> Persona:
        """Write the persona of a segment."""
        labels = {column: each.label for column, each in self.columns.items()}
        known_shares = self._known_of_few(place, n_customers)
        traits, typical = self.traits[place], self._typical(place)
        size = f"{n_customers:,} customer{'' if n_customers == 1 else 's'}"
        told = self._summary(traits, typical, known_shares, is_everyone=share == 1)
        return Persona(
            segment=segment,
            name=name,
            n_customers=n_customers,
            share=share,
            traits=tuple(traits[: self.n_traits]),
            further_traits=tuple(traits[self.n_traits :]),
            typical_customer=typical,
            summary=f"{name}: {size} ({format_share(share)}); {told}.",
            suppressed=False,
            size=size,
            known_shares=known_shares,
            where_to_reach=tuple(trait for trait in traits if trait.role in REACHED_BY),
            when=tuple(trait for trait in traits if trait.role in TIMED_BY),
            needs=self.needs.get(place, ()),
            prevalence=self._prevalence(place, traits),
            like_everyone=self.like_everyone.get(place, ()) if share < 1 else (),
            known_of_few=known_of_few(known_shares, n_customers, labels),
            answering_style=self.styles.get(place, ""),
        )

    def _prevalence(self, place: int, traits: Sequence[Trait]) -> Prevalence | None:
        if not self.tells_counts:
            return None
        return find_prevalence(self.profile, place, traits, self.words, self.min_group_size)

    def _typical(self, place: int) -> dict[str, Any]:
        """Return the typical value of each characteristic; none where it is known of less than half."""
        profile = self.profile
        typical = {
            column: values[place] if profile.known[column][place] >= KNOWN_OF_HALF else None
            for column, values in profile.typical.items()
        }
        return {column: visible(value) if isinstance(value, str) else value for column, value in typical.items()}

    def _known_of_few(self, place: int, n_customers: int) -> dict[str, float]:
        """Return of what share each characteristic is known that is not known of most, unless these are too few."""
        shares = {column: float(known[place]) for column, known in self.profile.known.items()}
        return {
            column: share
            for column, share in shares.items()
            if share < KNOWN_OF_MOST and round(share * n_customers) >= self.min_group_size
        }

    def _summary(
        self, traits: Sequence[Trait], typical: Mapping[str, Any], known: Mapping[str, float], *, is_everyone: bool
    ) -> str:
        if is_everyone:
            told = [
                f"{self.columns[column].label} {write_typical(value, self.columns[column], known.get(column, 1.0))}"
                for column, value in typical.items()
                if value is not None
            ]
            return "typically " + ", ".join(told[:_TOLD_OF_EVERYONE]) if told else "nothing is known of half of them"
        return "; ".join(trait.text for trait in traits[:2]) or (
            "nothing that is known of half of them sets them clearly apart from anyone else"
            if known
            else "nothing sets them clearly apart from anyone else"
        )
