import pandas as pd
import pytest

from custseg._core import optional
from custseg.datasets import load_complete_journey
from custseg.exceptions import InvalidParameterError, MissingDependencyError


@pytest.fixture(scope="module")
def tables():
    return load_complete_journey()


def test_the_published_sizes(tables):
    assert {name: len(table) for name, table in tables.items()} == {
        "transactions": 1_469_307,
        "demographics": 801,
        "campaigns": 6_589,
        "campaign_descriptions": 27,
        "coupon_redemptions": 2_102,
    }
    assert tables["transactions"]["household_id"].nunique() == 2_469
    assert tables["demographics"]["household_id"].is_unique


def test_ids_are_whole_numbers_and_times_are_times(tables):
    for table in tables.values():
        for name in table.columns[table.columns.str.endswith("_id")]:
            assert table[name].dtype == "int64", name
    times = tables["transactions"]["transaction_timestamp"]
    assert pd.api.types.is_datetime64_dtype(times.dtype)
    assert times.notna().all()
    assert times.dt.year.unique().tolist() == [2017]


def test_times_are_those_of_the_stores(tables):
    # the retailer's own weeks begin on Mondays, the first of them cut short by the new year
    transactions = tables["transactions"]
    days = (transactions["transaction_timestamp"].dt.normalize() - pd.Timestamp("2016-12-26")).dt.days
    assert (days // 7 + 1).tolist() == transactions["week"].tolist()
    # coupons are booked by the day, on which nearly all of them stand in a purchase too
    by_day = transactions.loc[transactions["coupon_disc"] > 0, ["household_id"]].assign(
        redemption_date=transactions["transaction_timestamp"].dt.normalize()
    )
    redeemed = tables["coupon_redemptions"].merge(by_day.drop_duplicates(), how="left", indicator=True)
    assert (redeemed["_merge"] == "both").mean() > 0.9


def test_every_household_of_the_other_tables_buys(tables):
    buyers = set(tables["transactions"]["household_id"])
    for name in ("demographics", "campaigns", "coupon_redemptions"):
        assert set(tables[name]["household_id"]) <= buyers


def test_reads_only_the_files_asked_for(monkeypatch):
    read = []
    genuine = pd.read_parquet
    monkeypatch.setattr(pd, "read_parquet", lambda path, **options: read.append(path.stem) or genuine(path, **options))
    tables = load_complete_journey(["coupons", "products"])
    assert read == ["coupons", "products"]
    assert {name: len(table) for name, table in tables.items()} == {"coupons": 116_204, "products": 92_331}


def test_an_unknown_table_is_refused_with_the_closest_name():
    with pytest.raises(InvalidParameterError, match=r"'demographic'.*Did you mean 'demographics'\?"):
        load_complete_journey(["demographic"])
    with pytest.raises(InvalidParameterError, match="unknown table 'promotions'"):
        load_complete_journey(["promotions"])
    with pytest.raises(InvalidParameterError, match=r"a list of names such as \['products'\]"):
        load_complete_journey("products")


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(optional.importlib, "import_module", absent)
    with pytest.raises(MissingDependencyError, match=r'load_complete_journey needs .*"custseg\[demo\]"'):
        load_complete_journey()
