"""From mixed characteristics to points in space: every characteristic counts by its weight, not by its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from custseg._core.base import Estimator
from custseg._core.customers import CustomerTable, CustomerTableMixin
from custseg._core.ids import ID_OR_ROWS
from custseg._core.mass import customer_mass
from custseg._core.params import NONE, Number, OneOf, ParameterTable
from custseg._core.warning import warn
from custseg.exceptions import (
    InvalidParameterError,
    UnseenCategoryWarning,
    list_names,
)
from custseg.segmentation._base.checks import (
    MAPPING_OR_NONE,
    characteristic_weights,
    check_for_ids,
    warn_of_constant,
)
from custseg.segmentation._embedding.blocks import Block, NoInformation, Settings, make_block
from custseg.segmentation._embedding.questions import AnswerBlock, find_questions, join_answers
from custseg.weighting import CharacteristicWeights

__all__ = ["CharacteristicEmbedder"]


class CharacteristicEmbedder(CustomerTableMixin, TransformerMixin, Estimator):
    """Turn mixed characteristics into numeric columns whose distances follow the weights.

    Every characteristic becomes a block of columns with a total variance of 1 times its weight:

    ============  =====================================================================
    numeric       divided by its standard deviation
    binary        divided by its standard deviation; several: see below
    ordinal       mid-ranks of the levels, divided by their standard deviation
    nominal       centred one-hot, divided by ``sqrt(1 - sum(shares ** 2))``
    ============  =====================================================================

    so that a column of 30 levels does not drown income and weights mean what they say. Kinds are
    read from the dtypes: numbers, bools, ordered categories, text and unordered categories.

    **Several yes/no columns are one question**: those of a member of a union (of one name before ``__``),
    and those of a table without members. They are bools, yes and no as text, and numbers that are 0 or 1
    for every customer of ``fit``. Such a question, "which of these did you choose?", is one characteristic.
    All its columns are divided by one number, ``sqrt(sum(p * (1 - p)))`` with ``p`` the share of yes in each, so
    that its total variance is 1 and a rare yes weighs as a rare yes. Each by itself at variance 1, the options that
    hardly anybody chose would stand out furthest, and make the segments. A single yes/no column is a
    characteristic of its own, and so are numbers declared numeric in ``kinds``.

    Non-negative numeric columns with a heavy tail are first taken to logs,
    ``log(x + 0.05 * median of the positive values)``, where
    ``((q99 - q50) - (q50 - q01)) / (q99 - q01) > 0.35``; never those with two values. Numeric
    columns are winsorised at 1% and 99% unless that would leave one value. Raw spend gives segments
    of three big spenders and everybody else.

    A missing value takes the mean of its block, 0; a category that was not there in ``fit`` counts
    as missing and is counted in a warning. A characteristic of weight 0 is a descriptor: it has no
    columns here.

    Parameters
    ----------
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.
        It is set aside.
    kinds : mapping of str to {"numeric", "binary", "ordinal", "nominal"}, optional
        Kinds of columns where the dtype does not say them, for example ``{"region": "nominal"}``
        for region numbers.
    weights : mapping of str to float, or CharacteristicWeights, optional
        The weight of a column, or of a group: the columns ``group__feature`` of a union share the
        weight of ``group`` equally, a question as one, those of weight 0 left out. The weight of a column
        of a question multiplies the variance that it has there: the question counts as the mean of the weights of its
        columns, by ``p * (1 - p)``. Columns that are not named have weight 1 each; where the others
        come from :mod:`custseg.weighting`, that is warned of.
    heavy_tails : {"log", None}, default="log"
        Whether heavy-tailed columns are taken to logs.
    winsorize : float or None, default=0.01
        The share of the customers at each end whose values are moved to the limit; None moves none.

    Attributes
    ----------
    transforms_ : DataFrame
        One row for each column: ``column``, ``kind``, ``weight``, ``variance`` (what it comes to in the distance, among
        those whose value is known: the weight, but for a column of a question its part of the question's
        variance, and 0 for a constant), ``transform`` (in words), ``shift`` (added before the logarithm), ``low`` and
        ``high`` (the limits in original units), ``center`` and ``scale`` (after the logarithm, where there is
        one), ``missing_share``. NaN where a figure does not apply.
    weights_ : dict of str to float
        The weight of each column, 0 for descriptors. The columns of a question have its weight, all of
        them the same where none was given one of its own; they do not add up.
    n_features_in_ : int
        The number of characteristics.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where ``fit`` got a dataframe.

    See Also
    --------
    SegmentClusterer : Finds segments in the embedding.

    Notes
    -----
    Means, standard deviations, shares and quantiles (inverted CDF) are weighted by
    ``sample_weight``; a customer of weight 2 counts as two customers.

    The embedding is custseg's own. As in Gower's coefficient [1]_, a characteristic counts once, by its
    weight, however many levels it has. But that coefficient compares customers in pairs, where k-means
    needs points, and it divides numbers by their range, which one extreme customer decides. So every
    characteristic becomes columns of a given variance, measured after logs and winsorising have
    shortened the tails. The mid-ranks of ordered levels are ridits [2]_.

    References
    ----------
    .. [1] J. C. Gower (1971), "A general coefficient of similarity and some of its properties",
       Biometrics 27, 857-871.
    .. [2] I. D. J. Bross (1958), "How to use ridit analysis", Biometrics 14, 18-38.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import CharacteristicEmbedder
    >>> customers = pd.DataFrame({"age": [25, 35, 45, 55], "region": ["N", "N", "S", "S"]})
    >>> embedder = CharacteristicEmbedder(weights={"region": 2}).fit(customers)
    >>> embedder.get_feature_names_out()
    array(['age', 'region_N', 'region_S'], dtype=object)
    >>> embedder.transform(customers).round(3)
    array([[-1.342,  1.   , -1.   ],
           [-0.447,  1.   , -1.   ],
           [ 0.447, -1.   ,  1.   ],
           [ 1.342, -1.   ,  1.   ]])
    """

    _parameters: ClassVar[ParameterTable] = {
        "kinds": MAPPING_OR_NONE,
        "weights": MAPPING_OR_NONE,
        "customer_id": ID_OR_ROWS,
        "heavy_tails": (OneOf("log", None),),
        "winsorize": (NONE, Number(0.0, 0.5, open_high=True)),
    }

    def __init__(
        self,
        *,
        customer_id: str | None = "customer_id",
        kinds: Mapping[str, str] | None = None,
        weights: Mapping[str, float] | None = None,
        heavy_tails: Literal["log"] | None = "log",
        winsorize: float | None = 0.01,
    ) -> None:
        self.customer_id = customer_id
        self.kinds = kinds
        self.weights = weights
        self.heavy_tails = heavy_tails
        self.winsorize = winsorize

    def __sklearn_tags__(self) -> Any:
        """Say that missing values and text are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Learn the block of every characteristic.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer. A matrix holds numeric characteristics ``x0``, ``x1``, ...
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each row stands for, 1 by default.

        Returns
        -------
        self : CharacteristicEmbedder
            The fitted embedder.

        Raises
        ------
        InvalidParameterError
            If a weight is negative, for an unknown column, or all weights are 0; if weights name a group
            and a column of it; if a kind is unknown.
        CustomerIdError
            If a text column differs in every row.
        InvalidTableError
            If the table cannot be read; infinite values are refused.
        """
        self._check_parameters()
        table = self._read(X, fitting=True, customer_id=self.customer_id, kinds=self.kinds)
        mass = customer_mass(sample_weight, table)
        questions = find_questions(table, mass, self.kinds)
        self.weights_ = characteristic_weights(table.names, self.weights, questions)
        clustered = [column for column in table.columns if self.weights_[column.name] > 0]
        check_for_ids(table.select([column.name for column in clustered]), self.customer_id)
        settings = Settings(self.heavy_tails, self.winsorize)
        blocks = [make_block(column, self.weights_[column.name], mass, settings) for column in clustered]
        self._blocks = join_answers(blocks, questions)
        self._names = _unique_names(self._blocks)
        self.transforms_ = self._describe(table)
        self._warn_of_poor_columns()
        self._warn_of_unnamed_columns()
        return self

    def transform(self, X: Any) -> Any:
        """Embed customers.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers, n_columns)
            One block of columns for each column with a weight above 0, in the order of ``fit``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnChangeError
            If a column of ``fit`` is not there or of another kind, or one is there that was not.
        InvalidTableError
            If the table cannot be used: no rows, infinite values, two columns of one name, a path that cannot
            be read.
        ValueError
            If a matrix has another number of columns than in ``fit``.
        """
        check_is_fitted(self)
        table = self._read(X, fitting=False, customer_id=self.customer_id, kinds=self.kinds)
        unseen: dict[str, list[str]] = {}
        parts = [np.empty((table.n_customers, 0))]
        for block in self._blocks:
            column = table[block.column]
            block.check_kind(column)
            unseen[block.column] = block.unseen(column)
            parts.append(block.embed(column))
        if any(unseen.values()):
            warn(UnseenCategoryWarning.of(unseen))
        return np.concatenate(parts, axis=1)

    def inverse_transform(self, X: npt.ArrayLike) -> pd.DataFrame:
        """Show points of the embedding, such as segment centres, in original units.

        Parameters
        ----------
        X : array-like of shape (n_points, n_columns)
            Points in the embedding.

        Returns
        -------
        DataFrame of shape (n_points, n_clustered_characteristics)
            Numbers (back from logs; a share of 1 for a binary characteristic), the nearest level of
            an ordinal and the strongest level of a nominal characteristic.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        InvalidParameterError
            If the points have another number of columns than the embedding.
        ValueError
            If a coordinate is missing, infinite or not a number.
        """
        check_is_fitted(self)
        points = check_array(X, dtype=np.float64)
        if points.shape[1] != len(self._names):
            raise InvalidParameterError.not_allowed(
                "X",
                f"of {len(self._names)} columns, those of get_feature_names_out()",
                points.shape[1],
            )
        shown, start = {}, 0
        for block in self._blocks:
            width = len(block.suffixes)
            shown[block.column] = block.invert(points[:, start : start + width])
            start += width
        return pd.DataFrame(shown)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Return the names of the embedded columns: ``income``, ``region_North``, ...

        Parameters
        ----------
        input_features : None
            Ignored; the names come from ``fit``.

        Returns
        -------
        ndarray of str
            One name for each column.
        """
        check_is_fitted(self)
        return np.array(self._names, dtype=object)

    def _describe(self, table: CustomerTable) -> pd.DataFrame:
        blocks = {block.column: block for block in self._blocks}
        rows = []
        for column in table.columns:
            block = blocks.get(column.name)
            row: dict[str, Any] = {"column": column.name, "kind": column.kind, "weight": self.weights_[column.name]}
            row["variance"] = block.variance if block else 0.0
            row["transform"] = block.words if block else "none: described only, not in the distance"
            row |= dict.fromkeys(("shift", "low", "high", "center", "scale"), math.nan)
            row |= block.figures if block else {}
            row["missing_share"] = block.missing_share if block else float(column.missing.mean())
            rows.append(row)
        return pd.DataFrame(rows)

    def _warn_of_poor_columns(self) -> None:
        constant = [block.column for block in self._blocks if isinstance(block, NoInformation)]
        warn_of_constant(constant)
        sparse = [b for b in self._blocks if b.missing_share > 0.5 and b.column not in constant]
        if sparse:
            shares = ", ".join(f"{block.column!r} ({block.missing_share:.0%})" for block in sparse)
            warn(
                f"more than half of the values are missing in {shares}. Filled with the mean, such a column "
                "makes a segment of those who have an answer. With weight 0 it is described, not clustered on."
            )

    def _warn_of_unnamed_columns(self) -> None:
        """Say which columns count by default where a survey or a discussion weighed the others."""
        if not isinstance(self.weights, CharacteristicWeights):
            return
        given = self.weights
        groups = given.keys() - self.weights_.keys()
        unnamed = [name for name in self.weights_ if name not in given and name.partition("__")[0] not in groups]
        # with a mean of 1, as scaled() gives, the default of 1 is in proportion
        if not unnamed or math.fsum(given.values()) >= (1.0 - 1e-9) * len(given):
            return
        counting = {name: self._counts_as(name) for name in self.weights_}
        total = math.fsum(value for name, value in counting.items() if name not in unnamed)
        own = [counting[name] for name in unnamed]
        each = "1 each" if min(own) == 1.0 else f"{math.fsum(own):.3g} together"
        warn(
            f"{list_names(unnamed)} are not among the weights and count {each}; those that "
            f"are count {total:.3g} together. Name them too, with weight 0 to leave them out of the distance: "
            f"weights | {{{unnamed[0]!r}: 0}}; or pass weights.scaled(), whose mean is 1."
        )

    def _counts_as(self, name: str) -> float:
        """Return what a column counts in the distance: its weight, or its part of the weight of a question."""
        block = next((block for block in self._blocks if block.column == name), None)
        return block.variance if isinstance(block, AnswerBlock) else self.weights_[name]


def _unique_names(blocks: Sequence[Block]) -> list[str]:
    """Name the embedded columns; where ``region_North`` is a characteristic too, the level gets another underscore."""
    taken = {block.column for block in blocks}
    names: list[str] = []
    for block in blocks:
        for suffix in block.suffixes:
            name = block.column + suffix
            while suffix and name in taken:
                name += "_"
            taken.add(name)
            names.append(name)
    return names
