"""The estimator base: declared parameters, and output that keeps the customer id."""

from __future__ import annotations

import copy
import copyreg
from typing import Any, ClassVar, Literal, Self

from sklearn import get_config
from sklearn.base import BaseEstimator

from custseg._core.asking import asking, with_doors
from custseg._core.params import OneOf, ParameterTable, check
from custseg._core.plain import from_plain, is_plain, to_plain

OutputKind = Literal["pandas", "polars", "pyarrow"]


class Estimator(BaseEstimator):
    """Base of every estimator: parameters are declared in one table and checked in ``fit``.

    Errors and warnings in its public methods begin with the name of its class.
    """

    _parameters: ClassVar[ParameterTable] = {}
    # whether a row of what it reads is a customer, not a purchase or an event of one
    reads_customers: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        with_doors(cls)

    def __reduce__(self) -> Any:
        # pickles and copies hold the objects as they are
        has_own = type(self).__getstate__ is not Estimator.__getstate__
        state = self.__getstate__() if has_own else super().__getstate__()
        return copyreg.__newobj__, (type(self),), state  # type: ignore[attr-defined]

    def __getstate__(self) -> Any:
        """Return the attributes as plain data, for files that hold no code."""
        return to_plain(self, super().__getstate__())

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(from_plain(self, state) if is_plain(state) else state)

    def _without_customers(self, n_customers: int) -> Self:
        """Return a copy that holds nothing of single customers; see ``custseg._core.customer_rows``."""
        bare = copy.copy(self)
        bare.__dict__.pop("labels_", None)
        bare.__dict__["_customers_left_out"] = True
        return bare

    def _check_parameters(self) -> None:
        check(self._parameters, self.get_params(deep=False))


class TableOutputMixin:
    """``set_output`` for estimators whose rows are customers.

    scikit-learn's own wrapper would drop the customer ids when it changes the kind of frame; here
    the id moves between pandas index and first column. The setting is stored where scikit-learn
    stores it, so ``clone`` keeps it.
    """

    _sklearn_output_config: dict[str, str]

    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the kind of frame that ``transform`` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            ``"default"`` follows the input; ``None`` changes nothing.

        Returns
        -------
        self : object
            The estimator.
        """
        allowed = (OneOf("default", "pandas", "polars", None),)
        with asking(f"{type(self).__name__}.set_output"):
            check({"transform": allowed}, {"transform": transform})
        if transform is not None:
            self._sklearn_output_config = {**getattr(self, "_sklearn_output_config", {}), "transform": transform}
        return self

    def _output_kind(self, input_kind: Any) -> Any:
        """Return the kind of output: as set here, else as set for all of scikit-learn, else as the input."""
        config = getattr(self, "_sklearn_output_config", {})
        kind = config.get("transform", get_config()["transform_output"])
        return input_kind if kind == "default" else kind
