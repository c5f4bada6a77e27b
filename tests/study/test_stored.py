"""A stored study: with its customers it is what it was, without them it holds nobody; no code runs when it is read."""

import copy
import pickle
import re
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, Birch, BisectingKMeans, KMeans
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custseg import (
    DemographicEncoder,
    GeographicEncoder,
    KPrototypesClusterer,
    LatentClassClusterer,
    RuleSegmenter,
    Segmentation,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    examine_segments,
    load_study,
    render_html,
    render_json,
    render_markdown,
    render_text,
    store_study,
    trusted_types,
)
from custseg.datasets import make_customers
from custseg.exceptions import (
    CustomersNotStoredError,
    InvalidParameterError,
    MissingDependencyError,
    OutputPathError,
    StoredStudyError,
)
from tests.sizes import size

N = 120
PROFILE = make_customers(N, n_segments=3, separation=2.0, random_state=0).profile[["customer_id", "age", "region"]]
# ids and numbers that nothing else has
PROFILE = PROFILE.assign(
    customer_id=[f"customer-{number:03}" for number in range(N)], income=np.random.RandomState(0).rand(N) * 1e6
)
CLUSTERERS = {
    "kmeans": SegmentClusterer(2, n_init=2, random_state=0),
    "sampled": SegmentClusterer(2, n_init=2, sample_above=50, random_state=0),
    "mixture": SegmentClusterer(2, engine=GaussianMixture(random_state=0), random_state=0),
    "ward": SegmentClusterer(2, engine=AgglomerativeClustering(), random_state=0),
    "steps": SegmentClusterer(2, engine=make_pipeline(StandardScaler(), KMeans(random_state=0)), random_state=0),
    "latent": LatentClassClusterer(2, n_init=2, random_state=0),
    "prototypes": KPrototypesClusterer(2, n_init=2, random_state=5),
    "rules": RuleSegmenter({"Older": "age > 50", "Rich": "income > 500000"}),
}


@pytest.fixture(scope="module")
def study():
    return SegmentationStudy(SegmentationBrief(value="income"), clusterer=clone(CLUSTERERS["kmeans"]), n_pairs=2).fit(
        PROFILE
    )


def with_clusterer(study, clusterer):
    """The same study, its segments made by another clusterer: what costs time of a fit is asked once."""
    customers = study.customers_
    found = Segmentation.by(clone(clusterer).fit(customers), customers, value="income")
    personas = replace(study.plan_.personas, segmentation=found.named(["first", "second"]))
    other = copy.copy(study)
    other.plan_ = replace(study.plan_, personas=personas)
    return other


def reports(study, *, all_forms=False):
    """What is said of a study: one form reads all of it."""
    forms = (render_json, render_html, render_markdown, render_text)
    return [render(study) for render in (forms if all_forms else forms[:1])]


def test_with_its_customers_it_is_what_it_was(study, tmp_path):
    path = store_study(study, tmp_path / "study.skops")
    again = load_study(path)
    pd.testing.assert_frame_equal(again.customers_, study.customers_)
    assert again.labels_.tolist() == study.labels_.tolist()
    assert again.predict(PROFILE).equals(study.predict(PROFILE))
    assert reports(again, all_forms=True) == reports(study, all_forms=True)
    # and goes on: what was found is examined again to the same figures
    evidence = examine_segments(again.segmentation_, n_pairs=2)
    assert evidence.stability.segments.equals(study.stability_.segments)
    assert skops.io.load(path, trusted=trusted_types()).n_segments_ == study.n_segments_


@pytest.mark.thorough
@pytest.mark.parametrize("name", size(["kmeans", "mixture", "ward", "rules"], list(CLUSTERERS)))
def test_without_its_customers_it_assigns_and_reports_and_holds_nobody(study, name, tmp_path):
    study = with_clusterer(study, CLUSTERERS[name])
    bare = load_study(store_study(study, tmp_path / "bare.skops", include_customers=False))
    assert bare.predict(PROFILE).equals(study.predict(PROFILE))
    both = [reports(each, all_forms=name == "kmeans") for each in (bare, study)]
    if name == "kmeans":
        # pictures of single customers cannot be drawn any more, and the page says so
        page, whole = (forms.pop(1) for forms in both)
        assert ("include_customers=True" in page, "include_customers=True" in whole) == (True, False)
        assert [title for title in re.findall("<h[1-4].*?</h[1-4]>", page) if title not in whole] == []
    assert both[0] == both[1]
    assert bare.segment_table_.equals(study.segment_table_)
    with zipfile.ZipFile(tmp_path / "bare.skops") as file:
        content = b"".join(map(file.read, file.namelist()))
    assert b"customer-0" not in content
    held = bare.__getstate__()
    assert not [array for array in held["arrays"] if array.shape[:1] == (N,)]
    # at most the ends of the ranges are somebody's own figures
    figures = np.concatenate([array.ravel() for array in held["arrays"] if array.dtype == float])
    assert np.isin(np.unique(figures), PROFILE["income"]).sum() <= 2
    # nothing was taken from the study itself
    assert len(study.labels_) == N


def test_what_is_of_single_customers_is_an_error_that_says_why(study, tmp_path):
    bare = load_study(store_study(study, tmp_path / "bare.skops", include_customers=False))
    asked = {
        "labels": lambda: bare.labels_,
        "customers": lambda: bare.customers_,
        "value": lambda: bare.segmentation_.value,
        "customer_table": lambda: bare.segmentation_.customer_table,
        "labels_": lambda: bare.clusterer_.labels_,
    }
    for name, ask in asked.items():
        with pytest.raises(CustomersNotStoredError, match=rf"'{name}' is of single customers.*include_customers=True"):
            ask()
    assert not hasattr(bare, "labels_")
    with pytest.raises(CustomersNotStoredError):
        bare.segmentation_.customers_of(0)
    assert bare.segmentation_.n_customers == N
    assert bare.segmentation_.named(["a", "b"]).to_frame()["name"].tolist() == ["a", "b"]
    assert bare.segmentation_.to_dict()["names"] == list(study.segmentation_.names)
    assert str(bare.segmentation_) == str(study.segmentation_)
    # it may be stored again, and pickled
    again = load_study(store_study(pickle.loads(pickle.dumps(bare)), tmp_path / "again.skops", include_customers=False))  # noqa: S301
    assert reports(again) == reports(study)


def test_what_was_never_fitted_says_so():
    with pytest.raises(AttributeError, match="'SegmentClusterer' object has no attribute 'labels_'; call 'fit' first"):
        _ = SegmentClusterer().labels_


def test_a_cut_loses_its_customers_too(tmp_path):
    noise = pd.DataFrame(np.random.RandomState(0).randn(N, 2), columns=["a", "b"])
    study = SegmentationStudy(
        SegmentationBrief(max_segments=2),
        clusterer=SegmentClusterer(n_init=2, random_state=0),
        customer_id=None,
        n_pairs=2,
    ).fit(noise)
    assert study.cut_ is not None
    bare = load_study(store_study(study, tmp_path / "bare.skops", include_customers=False))
    with pytest.raises(CustomersNotStoredError):
        _ = bare.cut_.labels
    assert bare.cut_.predict(noise).tolist() == study.cut_.labels.tolist()
    assert reports(bare) == reports(study)


def test_customers_in_polars_come_back_in_polars(tmp_path):
    table = pl.from_pandas(PROFILE)
    study = SegmentationStudy(SegmentationBrief(), clusterer=clone(CLUSTERERS["rules"]), n_pairs=2).fit(table)
    assert load_study(store_study(study, tmp_path / "study.skops")).customers_.equals(study.customers_)


def test_places_of_customers_are_left_out_and_missed(tmp_path):
    places = PROFILE.assign(latitude=48 + PROFILE["income"] / 1e6, longitude=11.0)
    encoder = GeographicEncoder(density_radius=20)
    rules = RuleSegmenter({"Town": "customer_density > 0.05"}, otherwise="Country")
    study = SegmentationStudy(SegmentationBrief(), characteristics=encoder, clusterer=rules, n_pairs=2).fit(
        places[["customer_id", "latitude", "longitude"]]
    )
    bare = load_study(store_study(study, tmp_path / "bare.skops", include_customers=False))
    assert not [array for array in bare.__getstate__()["arrays"] if array.shape[:1] == (N,)]
    with pytest.raises(CustomersNotStoredError, match="'customer_density' is of single customers"):
        bare.predict(places)
    assert load_study(store_study(study, tmp_path / "study.skops")).predict(places).equals(study.predict(places))


class Nearest(KMeans):
    """An engine that keeps whom it was fitted on."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.seen_, self.found_ = np.array(X), self.cluster_centers_
        del self.cluster_centers_
        return self

    def predict(self, X):
        return ((np.asarray(X)[:, None] - self.found_) ** 2).sum(axis=2).argmin(axis=1)


def test_an_engine_that_needs_its_customers_is_not_stored_without_them(study, tmp_path):
    study = with_clusterer(study, SegmentClusterer(2, engine=Nearest(random_state=0), random_state=0))
    with pytest.raises(InvalidParameterError, match=r"store_study: Nearest\.seen_ holds a row for each customer"):
        store_study(study, tmp_path / "bare.skops", include_customers=False)
    assert not list(tmp_path.iterdir())


def test_what_is_not_known_is_named_and_read_where_it_is_trusted(study, tmp_path):
    study = with_clusterer(study, SegmentClusterer(2, engine=BisectingKMeans(random_state=0), random_state=0))
    path = store_study(study, tmp_path / "study.skops")
    with pytest.raises(StoredStudyError, match="holds what custseg does not know .*_BisectingTree.*pass trusted="):
        load_study(path)
    unknown = skops.io.get_untrusted_types(file=path)
    assert load_study(path, trusted=unknown).predict(PROFILE).equals(study.predict(PROFILE))


def test_what_skops_cannot_store_leaves_no_file(study, tmp_path):
    study = with_clusterer(study, SegmentClusterer(2, engine=Birch(), random_state=0))
    with pytest.raises(StoredStudyError, match="skops cannot store the study: .*Birch"):
        store_study(study, tmp_path / "study.skops")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"PK", b"not a pickle", pickle.dumps([1])])
def test_what_is_no_file_of_skops_is_not_read(tmp_path, content):
    path = tmp_path / "study.skops"
    path.write_bytes(content)
    with pytest.raises(StoredStudyError, match="is no file of skops: it may be a pickle, and reading it may run code"):
        load_study(path)


def test_a_broken_file_is_one_line(study, tmp_path):
    path = store_study(study, tmp_path / "study.skops")
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    for broken in (parts["schema.json"][:-200], parts["schema.json"].replace(b"DictNode", b"DictNodes"), b"[]"):
        with zipfile.ZipFile(path, "w") as file:
            for name, content in {**parts, "schema.json": broken}.items():
                file.writestr(name, content)
        with pytest.raises(StoredStudyError, match="^[^\n]*does not hold a fitted study[^\n]*$"):
            load_study(path)


def test_a_file_that_exists_is_kept_and_bad_arguments_are_named(study, tmp_path):
    path = tmp_path / "study.skops"
    path.write_text("mine")
    with pytest.raises(OutputPathError, match="it exists. Pass overwrite=True"):
        store_study(study, path)
    assert path.read_text() == "mine"
    store_study(study, path, overwrite=True)
    assert load_study(path).n_segments_ == 2
    with pytest.raises(InvalidParameterError, match="store_study: parameter 'study' must be a SegmentationStudy"):
        store_study(DemographicEncoder(), path)
    with pytest.raises(InvalidParameterError, match="parameter 'include_customers' must be True or False"):
        store_study(study, path, include_customers="no")
    with pytest.raises(InvalidParameterError, match="parameter 'trusted' must be a list"):
        load_study(path, trusted="numpy.ndarray")
    with pytest.raises(FileNotFoundError):
        load_study(tmp_path / "none.skops")
    with pytest.raises(StoredStudyError, match="its name has a NUL"):
        load_study("study\0.skops")


def test_without_skops_the_remedy_is_said(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "custseg\[persist\]"'):
        store_study(study, tmp_path / "study.skops")
