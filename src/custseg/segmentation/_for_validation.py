"""What validation and plotting may use of the inside of this stage: public to them, private to users.

Validation fits the clusterers of this stage again and again and asks questions of the distances that they see;
plotting draws these distances. Every name that they need for that stands here, and import-linter lets them import from
nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from custseg._core.customers import CustomerTable
from custseg.segmentation._base.checks import counted_columns
from custseg.segmentation._base.effort import by_the_hundred
from custseg.segmentation._base.order import order_by_content
from custseg.segmentation._base.segmenter import Segmenter
from custseg.segmentation._clusterer.cell_refits import EmbeddedRefits, can_use_cells
from custseg.segmentation._clusterer.embedding_step import EMBEDDER, Embedded, Embedding, embedded
from custseg.segmentation._clusterer.models import (
    NUMBER_PARAMETERS,
    number_parameter,
    numbered,
    seed_parameters,
    seeded,
)
from custseg.segmentation._clusterer.numbers import fitted_at
from custseg.segmentation._clusterer.refits import can_refit, refitted
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans.nearest import unit_of
from custseg.segmentation._kmeans.patterns import content_hash, distinct_patterns
from custseg.segmentation._reproducibility.agreement import FIRST_LOOK, LOOKS, Agreement, Standing, standard_error
from custseg.segmentation._reproducibility.candidates import candidates, n_distinct
from custseg.segmentation._reproducibility.differences import least_differences
from custseg.segmentation._reproducibility.levels import CLEAR_DIFFERENCE, STABLE_ADJUSTED_RAND, STABLE_SEGMENT
from custseg.segmentation._reproducibility.measures import adjusted_rand, best_jaccard, cross_table
from custseg.segmentation._reproducibility.number import Limits, Seen, below, choose_number
from custseg.segmentation._selection.continuum import one_continuum
from custseg.segmentation._selection.space import FEWEST_DISTINCT, Space
from custseg.segmentation._selection.structure import (
    FEWEST_CUSTOMERS,
    LEVEL,
    MAX_CUSTOMERS,
    N_SEGMENTS,
    run_structure_test,
)

__all__ = [
    "CLEAR_DIFFERENCE",
    "EMBEDDER",
    "FEWEST_CUSTOMERS",
    "FEWEST_DISTINCT",
    "FIRST_LOOK",
    "LEVEL",
    "LOOKS",
    "MAX_CUSTOMERS",
    "NUMBER_PARAMETERS",
    "N_SEGMENTS",
    "STABLE_ADJUSTED_RAND",
    "STABLE_SEGMENT",
    "Agreement",
    "Embedded",
    "EmbeddedRefits",
    "Embedding",
    "Limits",
    "Seen",
    "Segmenter",
    "Space",
    "Standing",
    "adjusted_rand",
    "below",
    "best_jaccard",
    "by_the_hundred",
    "can_refit",
    "can_use_cells",
    "candidates",
    "choose_number",
    "content_hash",
    "counted_by",
    "cross_table",
    "distinct_patterns",
    "embedded",
    "fitted_at",
    "least_differences",
    "n_distinct",
    "number_parameter",
    "numbered",
    "one_continuum",
    "order_by_content",
    "read_as_fit",
    "refitted",
    "run_structure_test",
    "seed_parameters",
    "seeded",
    "standard_error",
    "unit_of",
]


def read_as_fit(segmenter: Segmenter, X: Any) -> CustomerTable:
    """Read a table of customers as the ``fit`` of a segmenter reads it."""
    return segmenter._read_customers(X)  # noqa: SLF001 - of the same stage


def counted_by(clusterer: Any, names: Sequence[str]) -> list[str]:
    """Return the columns that a clusterer, or the embedder before it in a pipeline, does not give the weight 0."""
    first = clusterer.steps[0][1] if isinstance(clusterer, Pipeline) else clusterer
    if isinstance(first, CharacteristicEmbedder):
        return counted_columns(names, first.weights)
    return first.counted(names) if isinstance(first, Segmenter) else list(names)
