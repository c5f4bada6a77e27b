"""What only segmentation says: segments that cannot be had, labels and places that clash."""

from __future__ import annotations

from custseg._core.asking import asked
from custseg.exceptions import ColumnTypeError, CustomerIdError, InfeasibleError, SegmentLabelError

__all__ = [
    "class_emptied",
    "labels_twice",
    "more_segments_than_cells",
    "name_taken",
    "no_labels",
    "no_segments",
    "share_infeasible",
    "share_not_kept",
    "share_out_of_range",
    "too_many_levels",
    "unmarked_id",
]


def class_emptied(n_segments: int, n_starts: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: with n_segments={n_segments} a class ended without customers in each of {n_starts} start(s). "
        "Ask for fewer segments, or raise n_init."
    )


def more_segments_than_cells(n_segments: int, n_cells: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: bootstrap refits look at no more than {n_cells} cells of customers, got n_segments={n_segments}. "
        f"Ask for at most {n_cells} segments."
    )


def share_infeasible(share: float, n_segments: int, largest: float) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: no partition into {n_segments} segments was found that gives each a share of {share:g}; "
        f"the largest share that was found feasible is {largest:.4g}. Customers with equal rows are never split. "
        "Lower min_segment_share or ask for fewer segments."
    )


def share_out_of_range(share: float, size: float) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: min_segment_share={share:g} moves customers by squared distances, and those of numbers of "
        f"about {size:.0e} are beyond the range of floats. Divide the columns by a power of ten first, or leave "
        "embedder=None, which scales them."
    )


def no_segments(engine: str) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: {engine} put no customer into any segment. "
        "Set its parameters less strictly, or use another engine."
    )


def share_not_kept(engine: str, share: float, smallest: float) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: {engine} assigns customers by itself and gives its smallest segment a share of "
        f"{smallest:.4g}, not {share:g}. Lower min_segment_share, ask for fewer segments, or use engine='kmeans', "
        "which can move customers."
    )


def labels_twice(column: str) -> SegmentLabelError:
    return SegmentLabelError(
        f"{asked()}: y was passed, and the table has a column {column!r} too. Drop one of them; if the column is a "
        "characteristic, name another one by the parameter segment."
    )


def name_taken(column: str) -> SegmentLabelError:
    return SegmentLabelError(
        f"{asked()}: the table has a column {column!r} already, the name of the column of labels. "
        "Rename it if it is a characteristic, or drop it."
    )


def no_labels() -> SegmentLabelError:
    return SegmentLabelError(
        f"{asked()} requires y to be passed, but the target y is None: a matrix has no segment column. "
        "Pass the labels as y, or a DataFrame with a segment column."
    )


def unmarked_id(column: object, customer_id: object) -> CustomerIdError:
    return CustomerIdError(
        f"{asked()}: column {str(column)!r} is text and different in every row, so it would make each customer "
        f"a segment of its own. If it identifies customers, pass customer_id={str(column)!r} "
        f"(now {str(customer_id)!r}); otherwise drop it."
    )


def too_many_levels(column: str, n_levels: int, n_customers: int) -> ColumnTypeError:
    gigabytes = 8.0 * n_levels * n_customers / 1e9
    got = f"{n_levels:,} levels among {n_customers:,} customers, which as columns of numbers take {gigabytes:,.1f} GB"
    remedy = (
        "Pool the rare ones (DemographicEncoder does, see min_customers), group them, give the column weight 0 where "
        "there are weights, or leave it out."
    )
    return ColumnTypeError.expected(column, "levels that group customers", got, remedy)
