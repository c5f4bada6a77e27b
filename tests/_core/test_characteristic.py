import json

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from custseg import CharacteristicUnion, RFMFeaturizer, SocialMediaFeaturizer
from custseg._core.asking import asking
from custseg._core.characteristic import (
    ROLES,
    Characteristic,
    find_columns,
    find_role,
    from_table,
    in_currency,
    to_table,
    unit_in_currency,
)
from custseg._core.described import describe_characteristics
from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError
from tests.common.cases import INTERACTIONS

SHOPS = [
    Characteristic(column="shop__recency", member="shop", role="recency", unit="days"),
    Characteristic(column="web__recency", member="web", role="recency", unit="days"),
    Characteristic(column="who__age", member="who", role="age", unit="years", kind="numeric", missing_share=0.25),
    Characteristic(column="who__city", member="who", kind="nominal", criterion="demographic"),
]


class TestCharacteristic:
    def test_it_is_called_by_its_name_unless_it_has_a_label(self):
        assert [each.label for each in SHOPS] == ["recency", "recency", "age", "city"]
        assert Characteristic(column="n__of_kids").label == "n of kids"
        assert Characteristic(column="_").label == "_"
        assert Characteristic(column="age", label="years of age").label == "years of age"

    def test_the_list_of_roles_is_closed(self):
        with pytest.raises(InvalidParameterError, match="unknown role 'recencyy'.*Did you mean 'recency'"):
            Characteristic(column="x", role="recencyy")
        assert all(sentence.endswith(".") and len(sentence) > 15 for sentence in ROLES.values())
        assert len(set(ROLES.values())) == len(ROLES)

    def test_the_table_and_back(self):
        assert from_table(to_table(SHOPS)) == tuple(SHOPS)
        assert to_table(SHOPS)["missing_share"].tolist()[2] == 0.25
        assert to_table([]).dtypes.tolist() == to_table(SHOPS).dtypes.tolist()
        # None, not NaN, so that it goes into JSON
        assert json.loads(to_table(SHOPS)[["kind", "role"]].to_json(orient="values"))[3] == ["nominal", None]
        assert to_table(SHOPS)["role"].tolist()[3] is None


class TestRoles:
    def test_the_one_column_of_a_role(self):
        assert find_role(SHOPS, "age") == "who__age"
        assert find_role(SHOPS, "tenure") is None
        assert find_role(SHOPS, "age", among=["who__city"]) is None
        assert find_columns(SHOPS, "recency") == ("shop__recency", "web__recency")

    def test_two_columns_that_count_make_a_question(self):
        with pytest.raises(InvalidParameterError) as caught, asking("SegmentationStudy"):
            find_role(SHOPS, "recency", among=["shop__recency", "web__recency"])
        message = str(caught.value)
        assert message.startswith("SegmentationStudy: which one is meant?")
        for said in ("'shop__recency'", "'web__recency'", "order_by='shop__recency'", "weight 0"):
            assert said in message

    def test_a_column_that_does_not_count_makes_none(self):
        assert find_role(SHOPS, "recency", among=["web__recency", "who__age"]) == "web__recency"

    def test_an_unknown_role_is_an_error(self):
        with pytest.raises(InvalidParameterError, match="unknown role 'recencies'"):
            find_role(SHOPS, "recencies")

    def test_activity_on_social_media_is_no_recency_of_purchases(self):
        # the union of the two has two columns that end in recency, of which one is that of purchases
        tables = {"lines": make_customers(30, random_state=0).transactions, "posts": INTERACTIONS}
        union = CharacteristicUnion([("buys", RFMFeaturizer(), "lines"), ("posts", SocialMediaFeaturizer(), "posts")])
        for one in (union, union.fit(tables)):
            known = describe_characteristics(one)
            assert find_role(known, "recency") == "buys__recency"
            assert find_role(known, "activity_recency") == "posts__recency"


class TestCurrency:
    @pytest.mark.parametrize(
        ("unit", "expected"),
        [
            ("currency per order", "EUR per order"),
            ("currency", "EUR"),
            ("days", "days"),
            ("currencyless", "currencyless"),
        ],
    )
    def test_only_the_word_is_replaced(self, unit, expected):
        assert unit_in_currency(unit, "EUR") == expected
        assert unit_in_currency(unit, None) == unit

    def test_a_description_in_a_currency(self):
        before = RFMFeaturizer(order_id="order").describe()
        copy = before.copy()
        assert in_currency(before, r"\\1 US$")["unit"].tolist() == ["days", "orders", r"\\1 US$ per order"]
        assert_frame_equal(before, copy)
        assert_frame_equal(in_currency(before, None), before)
        assert Characteristic(column="x", unit="currency").in_currency("EUR").unit == "EUR"


class TestAnyTransformer:
    def test_one_of_another_library_has_no_role(self):
        table = pd.DataFrame({"age": [1.0, 2.0], "city": [3.0, 4.0]})
        known = describe_characteristics(StandardScaler().fit(table))
        assert [each.column for each in known] == ["age", "city"]
        assert {(each.role, each.criterion, each.kind, each.unit) for each in known} == {(None, "", None, "")}

    def test_before_fit_it_says_nothing(self):
        assert describe_characteristics(StandardScaler()) == ()
        assert describe_characteristics(FunctionTransformer(np.log)) == ()
        assert [each.column for each in describe_characteristics(KMeans(2).fit([[0.0], [1.0]]))] == [
            "kmeans0",
            "kmeans1",
        ]

    def test_a_pipeline_is_known_by_its_last_step(self):
        known = describe_characteristics(make_pipeline(FunctionTransformer(), RFMFeaturizer(period="M", order_id="o")))
        assert [each.label for each in known] == ["days since the last order", "orders", "spend per order"]
        scaled = make_pipeline(RFMFeaturizer(), StandardScaler()).fit(make_customers(30, random_state=0).transactions)
        assert [each.column for each in describe_characteristics(scaled)] == ["recency", "frequency", "monetary"]
        assert {each.role for each in describe_characteristics(scaled)} == {None}


class TestUnion:
    def test_its_words_stand_above_those_of_its_members(self):
        lines = make_customers(30, random_state=0).transactions
        members = [
            ("shop", RFMFeaturizer(labels={"recency": "silence"}, units={"monetary": "USD"}), "lines"),
            ("web", RFMFeaturizer(), "lines"),
        ]
        union = CharacteristicUnion(members, labels={"web__monetary": "web spend"}, units={"shop__monetary": "EUR"})
        for one in (union, union.fit({"lines": lines})):
            said = one.describe().set_index("column")
            assert said["label"].tolist() == [
                "silence",
                "purchases (shop)",
                "spend per purchase (shop)",
                "days since the last purchase",
                "purchases (web)",
                "web spend",
            ]
            assert said.loc["shop__monetary", "unit"] == "EUR"
            assert said.loc["web__monetary", "unit"] == "currency per purchase"
            assert said["member"].tolist() == ["shop"] * 3 + ["web"] * 3

    def test_a_union_in_a_union(self):
        lines = make_customers(30, random_state=0).transactions
        inner = CharacteristicUnion([("shop", RFMFeaturizer(), "lines")], labels={"shop__recency": "silence"})
        outer = CharacteristicUnion([("all", inner, "tables")], labels={"all__shop__frequency": "visits"})
        for one in (outer, outer.fit({"tables": {"lines": lines}})):
            said = one.describe()
            assert said["column"].tolist() == ["all__shop__recency", "all__shop__frequency", "all__shop__monetary"]
            assert said["member"].tolist() == ["all"] * 3
            assert said["label"].tolist() == ["silence", "visits", "spend per purchase"]
            assert said["role"].tolist() == ["recency", "frequency", "monetary"]

    def test_a_member_that_was_fitted_is_described_as_new(self):
        lines = make_customers(30, random_state=0).transactions
        union = CharacteristicUnion([("shop", RFMFeaturizer().fit(lines), "lines")])
        assert union.describe()["missing_share"].isna().all()
