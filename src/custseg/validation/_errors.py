"""What only validation says: samples, refits and tests that these customers do not allow."""

from __future__ import annotations

from custseg._core.asking import asked
from custseg.exceptions import CustomerIdError, InfeasibleError

__all__ = [
    "ids_repeat_in_sample",
    "infeasible_in_refit",
    "nobody_together",
    "one_characteristic",
    "too_few_differ",
    "too_few_in_sample",
    "too_few_to_test",
]


def ids_repeat_in_sample(error: Exception) -> CustomerIdError:
    return CustomerIdError(
        f"{asked()}: a bootstrap sample repeats customers, and a step of the pipeline refuses repeated ids. "
        f"Transform the customers first, and pass the result with the last step alone. ({error})"
    )


def too_few_in_sample(n_segments: int, fewest: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: n_segments={n_segments} needs at least {n_segments} distinct rows in every bootstrap sample; "
        f"the smallest number in one is {fewest}. "
        + (f"Ask for at most {fewest} segment(s)." if fewest > 1 else "Pass more customers that differ.")
    )


def infeasible_in_refit(n_segments: int, error: Exception) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: a solution with {n_segments} segments, on all customers or on a bootstrap sample of them, "
        f"failed. {error} Or try fewer n_segments here."
    )


def too_few_to_test(n_customers: int, fewest: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()} got {n_customers} customer(s); fewer than {fewest} cannot show that they are more than one "
        "group. Pass more customers."
    )


def too_few_differ(n_distinct: int, fewest: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: only {n_distinct} kind(s) of customers differ in their characteristics; below {fewest} there "
        "is nothing to test. Drop constant columns and add characteristics in which customers differ."
    )


def nobody_together(n_segments: int, n_distinct: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: n_segments={n_segments} leaves no two different customers together: {n_distinct} kind(s) of "
        f"them differ. Ask for at most {n_distinct - 1}."
    )


def one_characteristic() -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: customers differ in one characteristic only. Groups in the values of a single column cannot "
        "be told from the shape of its distribution. Add characteristics, or look at its histogram."
    )
