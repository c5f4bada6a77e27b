"""What the company wants of a segmentation, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from custseg._core.asking import asking
from custseg._core.params import COLUMN, NONE, Instance, Integer, Number, ParameterTable, Where, check
from custseg._core.toml import parse_toml
from custseg.exceptions import ConfigurationError, InvalidParameterError
from custseg.segmentation import Rule
from custseg.targeting import GOALS

__all__ = ["SegmentationBrief"]

_TEXT = Where(lambda text: isinstance(text, str) and bool(text.strip()), "text")
_SECTION = "brief"
_NUMBERS = ("n_segments", "min_segments", "max_segments")


def _are_columns(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


@dataclass(frozen=True)
class SegmentationBrief:
    """What the company wants of a segmentation, and whom it looks at.

    A brief is data: it can be compared, stored as JSON and read from a TOML file.

    Parameters
    ----------
    goal : {"retention", "acquisition", "development", "pricing", "advertising"}, default="retention"
        Selects the order of the segments, the characteristics shown first and the recommended
        actions; :func:`custseg.targeting.goals_to_frame` is the whole table.
    audience : str or sequence of (column, operator, value), default=()
        Whom to segment: a rule over the characteristics in the language of
        :class:`~custseg.segmentation.RuleSegmenter`, such as
        ``"behaviour__frequency >= 2 and who__country in ['FR', 'DE']"``, or a list of conditions that must all be
        met, such as ``[("behaviour__frequency", ">=", 2)]``, which becomes the same rule. Ordered categories compare
        by their order. A missing value meets no condition. The field holds the rule as text; empty is everyone.
    min_segment_share : float or None, default=None
        The smallest share of customers a segment may have; None leaves the clusterer's.
    n_segments : int or None, default=None
        The number of segments that the company wants, whatever the clusterer's; the verdict says what the data say of
        it. None leaves the clusterer's.
    min_segments : int or None, default=None
        The least number of segments that is of use: where fewer are natural, the largest number that comes back is
        taken, else the most stable one, and the verdict says which. None leaves the clusterer's.
    max_segments : int or None, default=None
        The largest number of segments considered; None leaves the clusterer's. A clusterer with a number of segments
        of its own must keep to it.
    value : str or None, default=None
        The characteristic that says what a customer is worth; None takes the net spend of an ``RFMFeaturizer``
        among the characteristics.
    outcomes : sequence of str, default=()
        Characteristics that are results the company wants or fears, such as ``["churned"]``. They describe the
        segments and never make them.
    order_by : str or None, default=None
        The characteristic that orders the segments; None leaves that to the goal.
    currency : str or None, default=None
        What money is counted in, such as ``"EUR"``, for texts and tables.

    Attributes
    ----------
    audience_rule : Rule or None
        The audience as a rule; None is everyone.

    Raises
    ------
    InvalidParameterError
        If a field is not one of those listed, or the audience cannot be read.

    Examples
    --------
    >>> from custseg import SegmentationBrief
    >>> brief = SegmentationBrief("pricing", audience=[("behaviour__frequency", ">=", 2)], currency="EUR")
    >>> brief.audience
    'behaviour__frequency >= 2'
    >>> SegmentationBrief.from_dict(brief.to_dict()) == brief
    True
    """

    goal: str = "retention"
    audience: str | Sequence[tuple[str, str, Any]] = field(default=(), kw_only=True)
    min_segment_share: float | None = field(default=None, kw_only=True)
    n_segments: int | None = field(default=None, kw_only=True)
    min_segments: int | None = field(default=None, kw_only=True)
    max_segments: int | None = field(default=None, kw_only=True)
    value: str | None = field(default=None, kw_only=True)
    outcomes: Sequence[str] = field(default=(), kw_only=True)
    order_by: str | None = field(default=None, kw_only=True)
    currency: str | None = field(default=None, kw_only=True)

    _parameters: ClassVar[ParameterTable] = {
        "audience": (Instance(str, Sequence, words="a rule as text, or a list of (column, operator, value)"),),
        "min_segment_share": (NONE, Number(0, 1)),
        "n_segments": (NONE, Integer(1)),
        "min_segments": (NONE, Integer(1)),
        "max_segments": (NONE, Integer(1)),
        "value": (NONE, COLUMN),
        "outcomes": (Where(_are_columns, "a list of column names, each once"),),
        "order_by": (NONE, COLUMN),
        "currency": (NONE, _TEXT),
    }

    @asking("SegmentationBrief")
    def __post_init__(self) -> None:
        if self.goal not in (known := [goal.name for goal in GOALS]):
            raise InvalidParameterError.unknown_name("goal", self.goal, known)
        check(self._parameters, vars(self))
        self._check_numbers()
        # One form for what can be said in several, so that equal briefs compare equal.
        rule = self.audience_rule
        object.__setattr__(self, "audience", "" if rule is None else rule.text)
        object.__setattr__(self, "outcomes", tuple(self.outcomes))

    def _check_numbers(self) -> None:
        """Refuse numbers of segments that contradict each other."""
        wanted, least, most = self.n_segments, self.min_segments, self.max_segments
        if wanted is not None and least is not None:
            raise InvalidParameterError.not_allowed("min_segments", "None where n_segments says the number", least)
        if most is None:
            return
        for name, value in (("n_segments", wanted), ("min_segments", least)):
            if value is not None and value > most:
                raise InvalidParameterError.not_allowed(name, f"at most max_segments, which is {most}", value)

    @property
    @asking("SegmentationBrief")
    def audience_rule(self) -> Rule | None:
        """The audience as a rule; None is everyone."""
        audience = self.audience
        is_empty = not audience.strip() if isinstance(audience, str) else len(audience) == 0
        return None if is_empty else Rule.read(audience, name="audience")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that JSON can hold; :meth:`from_dict` reads it again."""
        return {
            "goal": self.goal,
            "audience": self.audience,
            "min_segment_share": None if self.min_segment_share is None else float(self.min_segment_share),
            **{name: None if (given := getattr(self, name)) is None else int(given) for name in _NUMBERS},
            "value": self.value,
            "outcomes": list(self.outcomes),
            "order_by": self.order_by,
            "currency": self.currency,
        }

    @classmethod
    @asking("SegmentationBrief")
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Make a brief of a dictionary of its fields.

        Parameters
        ----------
        given : mapping of str to object
            Fields by name, as :meth:`to_dict` gives them; those left out keep their defaults.

        Returns
        -------
        SegmentationBrief
            The brief.

        Raises
        ------
        InvalidParameterError
            If a field is unknown, or its value is not allowed.
        """
        if not isinstance(given, Mapping):
            raise InvalidParameterError.not_allowed("given", "a mapping of fields by name", given)
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                raise InvalidParameterError.unknown_name("field", name, known)
        return cls(**given)

    @classmethod
    def from_toml(cls, source: str | Path) -> Self:
        r"""Read a brief written in TOML.

        Parameters
        ----------
        source : str or path
            The path of a file, or the text itself; text that ends in ``.toml`` is a path. The fields stand at the
            top, or in a section ``[brief]``, such as that of a study file.

        Returns
        -------
        SegmentationBrief
            The brief.

        Raises
        ------
        ConfigurationError
            If the text is not valid TOML, or ``brief`` is no section.
        InvalidParameterError
            If a field is unknown, or its value is not allowed.

        Examples
        --------
        >>> from custseg import SegmentationBrief
        >>> SegmentationBrief.from_toml('goal = "pricing"\nmax_segments = 6').max_segments
        6
        """
        is_path = not isinstance(source, str) or source.endswith(".toml")
        content = Path(source).read_bytes() if is_path else str(source)
        where = repr(str(source)) if is_path else "the text of the brief"
        options = parse_toml(content, where)
        section = options.get(_SECTION, options)
        if not isinstance(section, dict):
            raise ConfigurationError.expected(where, _SECTION, f"a section [{_SECTION}]", section)
        return cls.from_dict(section)
