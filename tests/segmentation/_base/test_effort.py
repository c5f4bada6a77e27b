"""One fit searches where its restarts disagree; refits by the hundred end at their restarts."""

from __future__ import annotations

import numpy as np
import pytest

from custseg.segmentation import SegmentClusterer
from custseg.segmentation._base.effort import are_by_the_hundred, by_the_hundred
from custseg.segmentation._latent_classes import evolved as classes
from custseg.segmentation._prototypes import evolved as prototypes
from custseg.validation import bootstrap_stability


def test_it_holds_within_the_block_alone():
    with by_the_hundred():
        with by_the_hundred():
            assert are_by_the_hundred()
        assert are_by_the_hundred()
    assert not are_by_the_hundred()
    with pytest.raises(ValueError, match="of the block"), by_the_hundred():
        raise ValueError("of the block")
    assert not are_by_the_hundred()


@pytest.mark.parametrize(("engine", "module"), [("latent_class", classes), ("k_prototypes", prototypes)])
def test_refits_do_not_search_and_fits_do(engine, module, monkeypatch):
    # where nothing tells customers apart, restarts end anywhere
    table = np.random.RandomState(0).normal(size=(120, 6))
    asked = []
    evolve = module.evolve
    monkeypatch.setattr(module, "evolve", lambda *own, **options: asked.append(1) or evolve(*own, **options))
    clusterer = SegmentClusterer(5, engine=engine, n_init=4, random_state=0).fit(table)
    assert len(asked) == 1
    bootstrap_stability(clusterer, table, 5, n_pairs=2, random_state=0)
    # the one on all customers, which the refits are held against
    assert len(asked) == 2
