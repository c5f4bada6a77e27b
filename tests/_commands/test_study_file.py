"""The study file: what it can say, and that a slip in it is named before anything is read."""

import inspect

import numpy as np
import pandas as pd
import pytest

import custseg
from custseg import DemographicEncoder, SegmentClusterer, cli, load_study
from custseg._commands import study_file
from custseg.datasets import make_customers
from custseg.exceptions import ConfigurationError
from custseg.segmentation import RFMSegmenter, RuleSegmenter, Segmenter
from tests._commands.project import CONFIG, failing, few_columns, plain, run, table_options, write_project

pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def tables():
    return few_columns(make_customers(100, separation=2.0, random_state=0).tables)


@pytest.fixture
def fresh(tables, tmp_path):
    write_project(tmp_path, tables)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('goal = "pricing"', 'gaol = "pricing"', "unknown key of [brief] 'gaol'; known: 'goal', 'audience'"),
        ('goal = "pricing"', 'gaol = "pricing"', "Did you mean 'goal'?"),
        ('goal = "pricing"', 'goal = "princing"', "Did you mean 'pricing'?"),
        ("[describer]", "[describes]", "Did you mean 'describer'?"),
        ("RFMFeaturizer", "RFMFeaturiser", "Did you mean 'RFMFeaturizer'?"),
        ("features = [", "feature = [", "Did you mean 'features'?"),
        ('"frequency"]', '"frequencies"]', "Did you mean 'frequency'?"),
        ("n_init = 2", "n_inits = 2", "Did you mean 'n_init'?"),
        ("n_init = 2", "n_init = 0", "parameter 'n_init' must be"),
        ("n_pairs = 2", 'n_pairs = "two"', "study.toml: 'n_pairs' must be a whole number, got 'two'"),
        ("n_pairs = 2", "n_pairs = ", "study.toml' is not valid TOML"),
        ('table = "profile"', 'table = "profil"', "Did you mean 'profile'?"),
        ('name = "behaviour"', "", "'name' is missing"),
        ('name = "behaviour"', "name = 3", "'name' must be text, got 3"),
        ('name = "behaviour"', 'name = "profile"', "profile"),
        ('[tables]\ntransactions = "transactions.csv"', "[tables]\ntransactions = 3", "must be a path in quotes"),
        ('[tables]\ntransactions = "transactions.csv"\nprofile = "data/profile.parquet"', "", "'[tables]' is missing"),
        ('"transactions.csv"', '"transaction.csv"', "there is no such file"),
        ('"transactions.csv"', '"transactions.xlsx"', "must end in .parquet, .csv, .csv.gz"),
        ('report = "out.html"', 'report = "out.pdf"', "must end in .html or .htm or .md or .json or .xlsx or .pptx"),
        ('report = "out.html"', 'report = "no/out.html"', "the folder does not exist"),
        ('assignments = "out.csv"', 'assignments = "out.xls"', "must end in .csv"),
        ('study = "out.skops"', 'study = "no/out.skops"', "the folder does not exist"),
        ('study = "out.skops"', 'studies = "out.skops"', "Did you mean 'study'?"),
        (">= 1", "=> 1", "rule 'audience'"),
        ('"behaviour__frequency >', '"behaviour__frequence >', "Did you mean 'behaviour__frequency'?"),
        ("n_pairs = 2", 'n_pairs = 2\ntitle = ""', "study.toml: 'title' must be text in quotes, got ''"),
        ("n_pairs = 2", "n_pairs = 2\ntitle = 3", "study.toml: 'title' must be text in quotes, got 3"),
        ("n_pairs = 2", "n_pairs = 2\nnames_from = 3", "'names_from' must be the path of a stored study in quotes"),
        ("n_pairs = 2", 'n_pairs = 2\nnames_from = "last.skops"', "last.skops"),
        ("[describer]", "[names]\n0 = 3\n[describer]", "study.toml, [names] '0': parameter 'names' must be"),
        ("[describer]", "names = 3\n[describer]", "'names'"),
        ("[describer]", '[labels]\nage = ""\n[describer]', "study.toml, [labels] 'age': parameter 'labels' must be"),
        ("[describer]", '[labels]\nages = "x"\n[describer]', "unknown characteristic in labels 'ages'"),
        ("[describer]", "[actions]\n1 = 2\n[describer]", "study.toml, [actions] '1': parameter 'actions' must be"),
        ("[describer]\nn_traits = 3", "", None),
    ],
)
def test_what_is_wrong_in_a_study_file_is_named(fresh, capsys, old, new, words):
    assert old in CONFIG
    (fresh / "study.toml").write_text(CONFIG.replace(old, new, 1))
    if words is None:
        assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
        return
    assert words in failing(capsys, "run", "--config", fresh / "study.toml")
    assert not (fresh / "out.html").exists()


OWN_WORDS = """
[names]
0 = "Our friends"

[labels]
profile__age = "years of life"

[actions]
"Our friends" = "Call them"
1 = { action = "Write", advice = "By hand." }

[outputs]"""


@pytest.mark.thorough
def test_a_study_file_says_names_labels_actions_and_title(fresh, capsys):
    said = CONFIG.replace("[outputs]", OWN_WORDS.strip()).replace("n_pairs = 2", 'n_pairs = 2\ntitle = "This year"')
    (fresh / "study.toml").write_text(said)
    assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
    study = load_study(fresh / "out.skops")
    assert (study.title, study.personas_[0].name) == ("This year", "Our friends")
    assert study.describer_.column_labels_["profile__age"] == "years of life"
    assert [str(action) for action in study.actions_[:2]] == ["Call them.", "Write: By hand."]
    assert "This year" in (fresh / "out.html").read_text()
    # the next month takes its names from this one, and writes where that was
    config = CONFIG.replace("n_pairs = 2", 'n_pairs = 2\nnames_from = "out.skops"')
    (fresh / "study.toml").write_text(config)
    assert cli.main(["run", "--overwrite", "--config", str(fresh / "study.toml")]) == 0
    assert load_study(fresh / "out.skops").segmentation_.names == study.segmentation_.names
    capsys.readouterr()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x = " + "[" * 5_000 + "]" * 5_000, "is not valid TOML: its values are nested too deeply"),
        ("x = " + "{a = " * 5_000 + "1" + "}" * 5_000, "is not valid TOML: its values are nested too deeply"),
        ("n_pairs = " + "9" * 5_000, "is not valid TOML"),
        (CONFIG.encode("utf-16"), "is not valid TOML: it is not UTF-8 text"),
        (CONFIG.replace("pricing", "\xe9").encode("latin-1"), "is not valid TOML: it is not UTF-8 text"),
        ("n_pairs = 2\x00", "is not valid TOML"),
    ],
)
def test_a_study_file_that_is_no_toml(fresh, capsys, content, words):
    (fresh / "study.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert words in failing(capsys, "run", "--config", fresh / "study.toml")
    with pytest.raises(ConfigurationError, match=words):
        custseg.SegmentationBrief.from_toml(fresh / "study.toml")


@pytest.mark.parametrize(("name", "words"), [("a\0.toml", "its name has a NUL"), ("a" * 300, "File name too long")])
def test_a_study_file_of_a_name_that_cannot_be(capsys, name, words):
    assert words in failing(capsys, "run", "--config", name)


def test_a_mark_of_order_is_no_part_of_a_study_file(fresh):
    (fresh / "study.toml").write_text(CONFIG, encoding="utf-8-sig")
    assert study_file.read_plan(fresh / "study.toml").study.n_pairs == 2
    (fresh / "brief.toml").write_text('goal = "pricing"', encoding="utf-8-sig")
    assert custseg.SegmentationBrief.from_toml(fresh / "brief.toml").goal == "pricing"


def test_every_estimator_of_a_table_can_be_asked_for():
    public = [getattr(custseg.characteristics, name) for name in custseg.characteristics.__all__]
    described = {
        kind.__name__
        for kind in public
        if hasattr(kind, "transform") and "customer_id" in inspect.signature(kind).parameters
    }
    assert set(study_file.ESTIMATORS) == described - {"CharacteristicUnion"}
    assert {"CampaignResponseFeaturizer", "DemographicEncoder", "RFMFeaturizer"} <= set(study_file.ESTIMATORS)


def test_a_study_of_campaigns(fresh, tables):
    contacts = plain(tables["campaign"])
    contacts["contacted"] = contacts["arm"] == "treatment"
    contacts.to_csv(fresh / "contacts.csv", index=False)
    config = CONFIG.replace("[tables]", '[tables]\ncontacts = "contacts.csv"').replace(
        "[brief]",
        """[[characteristics]]
name = "campaign"
table = "contacts"
estimator = "CampaignResponseFeaturizer"
parameters = { contacted = "contacted", prior_strength = 5 }

[brief]""",
    )
    (fresh / "study.toml").write_text(config.replace("behaviour = 0", "behaviour = 0\ncampaign = 0"))
    assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
    study = load_study(fresh / "out.skops")
    assert study.customers_["campaign__contacts"].sum() == contacts["contacted"].sum()
    description = study.characteristics_.describe().set_index("column")
    assert description.loc["campaign__response_rate", ["criterion", "unit"]].tolist() == ["behavioural", "share"]
    # the control group was not contacted, so it has no rate
    assert description.loc["campaign__response_rate", "missing_share"] == (~contacts["contacted"]).mean()
    command = ["assign", "--study", str(fresh / "out.skops"), *table_options(fresh), "--output", str(fresh / "2.csv")]
    assert cli.main([*command, "--table", f"contacts={fresh / 'contacts.csv'}"]) == 0
    assert (fresh / "2.csv").read_text() == (fresh / "out.csv").read_text()


def test_a_parameter_without_a_default_must_be_given(fresh, capsys, monkeypatch):
    class Scaled(DemographicEncoder):
        def __init__(self, scales, *, customer_id="customer_id"):
            super().__init__(customer_id=customer_id)
            self.scales = scales

    monkeypatch.setitem(study_file.ESTIMATORS, "DemographicEncoder", Scaled)
    error = failing(capsys, "run", "--config", fresh / "study.toml")
    assert "study.toml, [[characteristics]] 'profile', parameters: 'scales' is missing" in error


@pytest.mark.parametrize("text", ["characteristics = 3", "", "characteristics = [3]"])
def test_a_study_file_of_several_tables_needs_characteristics(fresh, capsys, text):
    (fresh / "study.toml").write_text(f'{text}\n[tables]\ntransactions = "transactions.csv"\nmore = "more.csv"\n')
    assert "'[[characteristics]]' is missing" in failing(capsys, "run", "--config", fresh / "study.toml")


def test_a_section_is_no_value(fresh, capsys):
    (fresh / "study.toml").write_text("brief = 3\n" + CONFIG.replace("[brief]", "[segmenter.x]"))
    assert "'brief' must be a section [brief], got 3" in failing(capsys, "run", "--config", fresh / "study.toml")


def test_outputs_are_checked_before_anything_is_read(fresh, capsys):
    (fresh / "transactions.csv").unlink()
    (fresh / "study.toml").write_text(CONFIG.replace("out.html", "no/out.html"))
    assert "the folder does not exist" in failing(capsys, "run", "--config", fresh / "study.toml")


def planned(folder, text):
    """What a study file with the tables of the project asks for."""
    (folder / "study.toml").write_text(f"{CONFIG.partition('[segmenter]')[0]}\n{text}", encoding="utf-8")
    return study_file.read_plan(folder / "study.toml")


@pytest.mark.parametrize(
    ("text", "kind", "parameters"),
    [
        ("", "SegmentClusterer", {"n_segments": "auto"}),
        ("[segmenter]\nn_segments = 3", "SegmentClusterer", {"n_segments": 3, "engine": "kmeans"}),
        (
            "[segmenter]\nengine = 'latent_class'\nweights = { behaviour = 0 }",
            "SegmentClusterer",
            {"weights": {"behaviour": 0}},
        ),
        ("[segmenter]\nkind = 'LatentClassClusterer'\nn_segments = 4", "LatentClassClusterer", {"n_segments": 4}),
        ("[segmenter]\nkind = 'KPrototypesClusterer'\ngamma = 0.5", "KPrototypesClusterer", {"gamma": 0.5}),
        ("[segmenter]\nkind = 'RFMSegmenter'\npreset = 'rfm_r'", "RFMSegmenter", {"preset": "rfm_r"}),
        ("[segmenter]\norder_by = false", "SegmentClusterer", {"order_by": None}),
        (
            """
[segmenter]
kind = 'RuleSegmenter'
otherwise = 'Rest'
rules = { Loyal = 'frequency >= 5', 'At risk' = 'recency > 90' }
""",
            "RuleSegmenter",
            {"rules": {"Loyal": "frequency >= 5", "At risk": "recency > 90"}, "otherwise": "Rest"},
        ),
    ],
)
def test_every_segmenter_can_be_asked_for(fresh, text, kind, parameters):
    segmenter = planned(fresh, text).study.clusterer
    assert type(segmenter).__name__ == kind
    found = segmenter.get_params(deep=False)
    assert {name: found[name] for name in parameters} == parameters
    # the order of rules decides
    assert "rules" not in parameters or list(segmenter.rules) == list(parameters["rules"])


def test_every_segmenter_is_known():
    public = [getattr(custseg.segmentation, name) for name in custseg.segmentation.__all__]
    assert set(study_file.SEGMENTERS.values()) == {
        kind for kind in public if hasattr(kind, "fit_predict") and kind is not Segmenter
    }
    assert {RFMSegmenter, RuleSegmenter, SegmentClusterer} <= set(study_file.SEGMENTERS.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = 'SegmentCluster'", "unknown kind 'SegmentCluster'; known: "),
        ("kind = 'SegmentCluster'", "Did you mean 'SegmentClusterer'?"),
        ("kind = 3", "unknown kind '3'"),
        ("kind = 'RuleSegmenter'", "'rules' is missing"),
        ("kind = 'RuleSegmenter'\nn_segments = 3", "unknown key of [segmenter] 'n_segments'"),
        ("embedder = { scalings = 'robust' }", "unknown key of [embedder] 'scalings'"),
        ("engine = 'kmeens'", "'engine' must be"),
        ("weights = 3", "study.toml, segmenter: parameter 'weights' must be None or a mapping by column name, got 3"),
        ("weights = [1]", "parameter 'weights' must be None or a mapping by column name"),
        ("kinds = 2024-01-01", "parameter 'kinds' must be None or a mapping by column name"),
        ("embedder = nan", "parameter 'embedder' must be"),
        ("random_state = inf", "parameter 'random_state' must be"),
        ("n_init = [[1]]", "parameter 'n_init' must be"),
        ("kind = 'RuleSegmenter'\nrules = 3", "parameter 'rules' must be"),
    ],
)
def test_a_segmenter_that_cannot_be_is_refused(fresh, capsys, text, words):
    config = CONFIG.partition("[segmenter]")[0]
    (fresh / "study.toml").write_text(f"{config}\n[segmenter]\n{text}")
    assert words in failing(capsys, "run", "--config", fresh / "study.toml")


def test_segments_by_rules(fresh):
    before, _, _ = CONFIG.partition("[segmenter]")
    rules = "[segmenter]\nkind = 'RuleSegmenter'\n[segmenter.rules]\nOften = 'behaviour__frequency >= 3'\n"
    run(fresh, before.replace("max_segments = 4", "") + rules + "[outputs]\nstudy = 'out.skops'\n")
    study = load_study(fresh / "out.skops")
    assert study.segment_table_["name"].tolist() == ["Often"]
    often = study.customers_["behaviour__frequency"] >= 3
    assert ((study.labels_ == 0) == often).all()


def test_what_stands_beside_the_segmenter(fresh):
    text = """[segmenter.embedder]
winsorize = false
[outputs]
report = "out.md"
"""
    plan = planned(fresh, text)
    assert plan.study.clusterer.embedder.winsorize is None
    assert plan.outputs == {"report": fresh / "out.md"}
    (fresh / "study.toml").write_text(
        """
n_pairs = 7
n_jobs = 2
[tables]
customers = "customers.csv"
[brief]
value = "spend"
outcomes = ["churned"]
order_by = "spend"
currency = "EUR"
"""
    )
    plan = study_file.read_plan(fresh / "study.toml")
    assert (plan.study.n_pairs, plan.study.n_jobs) == (7, 2)
    brief = plan.study.brief
    assert (brief.value, brief.outcomes, brief.order_by, brief.currency) == ("spend", ("churned",), "spend", "EUR")


def test_visits_without_an_amount(fresh):
    visits = pd.read_csv(fresh / "transactions.csv").drop(columns="amount")
    visits.to_csv(fresh / "transactions.csv", index=False)
    run(fresh, CONFIG.replace('"frequency"] }', '"frequency"], amount = false }'))
    study = load_study(fresh / "out.skops")
    assert study.customers_["behaviour__frequency"].ge(1).all()
    # nothing says what a customer is worth
    assert study.segment_table_["value"].isna().all()


def test_one_table_without_characteristics_is_that_of_the_customers(fresh, capsys):
    (fresh / "study.toml").write_text("customer_id = 'id'\n[tables]\ncustomers = 'customers.csv'\n")
    plan = study_file.read_plan(fresh / "study.toml")
    assert plan.study.characteristics is None
    assert plan.customer_id == "id"
    (fresh / "study.toml").write_text("customer_id = 3\n[tables]\ncustomers = 'customers.csv'\n")
    assert "'customer_id' must be the name of a column, got 3" in failing(
        capsys, "run", "--config", fresh / "study.toml"
    )


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_one_file_with_one_row_per_customer(tmp_path):
    place = np.arange(120)
    telco = pd.DataFrame(
        {
            "customerID": [f"{number:04}-VHVEG" for number in place],
            "gender": np.where(place % 2, "Female", "Male"),
            "tenure": place % 70 + 1,
            "Contract": np.array(["Month-to-month", "One year", "Two year"])[place % 3],
            "MonthlyCharges": 20.5 + place % 90,
            "Churn": np.where(place % 4, "No", "Yes"),
        }
    )
    telco.to_csv(tmp_path / "telco.csv", index=False)
    run(
        tmp_path,
        """
customer_id = "customerID"
n_pairs = 2
[tables]
telco = "telco.csv"
[brief]
value = "MonthlyCharges"
outcomes = ["Churn"]
currency = "USD"
[segmenter]
n_segments = 2
n_init = 2
random_state = 0
[outputs]
study = "study.skops"
assignments = "segments.csv"
""",
    )
    study = load_study(tmp_path / "study.skops")
    assert study.n_segments_ == 2
    assert "Churn" not in study.clusterer_.clustered_on_
    assigned = (tmp_path / "segments.csv").read_text().splitlines()
    assert assigned[0].startswith("customerID,segment,name")
    assert len(assigned) == 121
    command = ["assign", "--study", str(tmp_path / "study.skops"), "--table", f"telco={tmp_path / 'telco.csv'}"]
    assert cli.main([*command, "--output", str(tmp_path / "again.csv")]) == 0
    assert (tmp_path / "again.csv").read_text().splitlines() == assigned
