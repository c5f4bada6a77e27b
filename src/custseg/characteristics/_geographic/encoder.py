"""Where customers are: the way to the nearest site, how densely customers live there, their region."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.frames import is_table
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, NONE, Integer, OneOf, ParameterTable, Where
from custseg._core.warning import warn
from custseg.characteristics._geographic.places import (
    LONGEST,
    ForgottenNeighbourhood,
    Neighbourhood,
    Places,
    Sites,
    read_places,
    read_sites,
)
from custseg.characteristics._geographic.regions import Located, RegionTree
from custseg.characteristics._profiles.columns import Texts, are_names, list_counts, read_texts
from custseg.characteristics._profiles.encoder import Encoded, Profile, ProfileEncoder
from custseg.characteristics._row_report import RowPolicy
from custseg.exceptions import InvalidParameterError

# A metre: coordinates are hardly known better, and the area of a much smaller circle would vanish.
_SHORTEST = 0.001


def _is_radius(value: Any) -> bool:
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and _SHORTEST <= value <= LONGEST


class GeographicEncoder(ProfileEncoder):
    """Where each customer is: distance to the nearest site, customer density, region.

    One row per customer goes in and comes out, sorted by customer id. Up to four characteristics
    come out, each where its parameters ask for it:

    - ``distance_to_site``: the great-circle distance to the nearest of ``sites``, in km;
    - ``nearest_site``: which site that is, an unordered category;
    - ``customer_density``: customers of ``fit`` within ``density_radius`` km, per km2;
    - ``region``: the smallest region of the customer that holds enough customers, an unordered
      category.

    Parameters
    ----------
    customer_id : str or None, default="customer_id"
        The column of customer ids: whole numbers or text, each once. None where each row is a customer: its
        number is the index of a pandas table, else its place from 0.
    latitude, longitude : str or None, default="latitude", "longitude"
        The columns of coordinates in decimal degrees, north and east positive, from -90 to 90 and
        from -180 to 180. None for both where the table has regions only.
    regions : sequence of str or None, default=None
        The columns of regions from the largest to the smallest, such as
        ``["country", "state", "postal_area"]``; text, or whole numbers that are names.
    sites : dict of str to (float, float), dataframe, path, or None, default=None
        The shops, branches or depots: ``{name: (latitude, longitude)}``, or a table with the
        columns ``site``, ``latitude`` and ``longitude``. None leaves the distance out.
    nearest_site : bool, default=False
        Whether to tell which site is the nearest.
    density_radius : float or None, default=10.0
        The radius in km of the circle in which customers are counted, at least 0.001; None leaves the
        density out.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    min_customers : int, default=30
        A region with fewer customers is pooled into the one around it.
    null_island : {"keep", "missing"}, default="keep"
        What to do with coordinates 0, 0, a place in the Gulf of Guinea where addresses end up that
        could not be located: keep them, or take them for missing. They are counted and warned of
        in either case.

    Attributes
    ----------
    sites_ : DataFrame
        The sites in alphabetical order: ``site``, ``latitude``, ``longitude``. Only with ``sites``.
    regions_ : DataFrame
        One row per region of ``fit``: a column for each level, ``n_customers`` whose smallest
        known region it is, and the ``region`` that it was pooled into. Only with ``regions``.
    row_report_ : RowReport
        How many rows each policy touched in ``fit``.
    units_ : dict of str to str
        The unit of each characteristic.
    n_features_in_ : int
        The number of columns read.
    feature_names_in_ : ndarray of str
        Their names, without the customer id.

    Raises
    ------
    ColumnNotFoundError
        A named column is not in the table.
    ColumnTypeError
        A column of coordinates does not hold numbers, or one of regions neither text nor numbers.
    CustomerIdError
        An id is repeated, or the ids are of mixed type.
    InvalidParameterError
        A parameter is out of range, parameters do not go together, or a site is nowhere.
    InvalidTableError
        A latitude is beyond 90 degrees or a longitude beyond 180 (with the number of rows, and a
        hint where the two look swapped), or the table has no rows.

    Warns
    -----
    DataQualityWarning
        In ``fit``: no customer has coordinates, some are at 0, 0, or the customers would be much
        nearer to the sites if latitude and longitude were swapped. In ``transform``: coordinates at
        0, 0, regions that ``fit`` did not see, rows without an id; all counted.

    Notes
    -----
    *Distance*: haversine formula [1]_ on a sphere with the mean radius of the earth, 6371.0088 km; on
    the real, flattened earth distances differ by up to 0.6%. Of sites at one place the first in the
    alphabet is the nearest.

    *Density*: the area is that of the circle on the sphere, sea and border included. It is a
    property of the place: the customers of ``fit`` are counted, the customer among them, and
    ``transform`` counts the same ones. Poles and the date line are places like any other. The
    fitted encoder keeps the coordinates of its customers: a stored one holds personal data. Time grows
    with the customers in a circle: a radius of 10 km in a city takes long from a million customers on.

    *Region*: from the smallest level up, a region with fewer than ``min_customers`` customers is
    pooled into the one around it, which then holds what is left over: ``"Bavaria"`` where all of it is
    pooled, ``"other in Bavaria"`` where some of its parts stand on their own, at last ``"other"``,
    the only one that may hold fewer. Where two regions share a name the whole path is shown
    (``"US / Springfield"``). A region that ``fit`` did not see goes where the region around it went; where
    that stands in parts alone, where the next larger one went, at last to ``"other"`` or, without that,
    to ``"other in Germany"``, a category that then has no customers in ``fit``. A largest region that
    ``fit`` did not see is missing where there is no ``"other"``.

    *Missing values*: without coordinates, or with one of the two, distance, site and density are
    missing. Without the largest region the region is missing; without a smaller one the customer
    belongs to the smallest known. Empty text is missing; any other word is a region, so
    that "NA" may be Namibia.

    References
    ----------
    .. [1] Sinnott, R. W. (1984). Virtues of the haversine. *Sky and Telescope* 68(2), 159.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import GeographicEncoder
    >>> addresses = pd.DataFrame({
    ...     "customer_id": [1, 2, 3, 4],
    ...     "latitude": [48.1372, 48.1400, 52.5200, None],
    ...     "longitude": [11.5756, 11.5600, 13.4050, None],
    ...     "country": ["DE", "DE", "DE", "AT"],
    ...     "city": ["Munich", "Munich", "Berlin", "Vienna"],
    ... })
    >>> encoder = GeographicEncoder(
    ...     sites={"Munich": (48.1402, 11.5600)},
    ...     density_radius=None,
    ...     regions=["country", "city"],
    ...     min_customers=2,
    ... )
    >>> encoder.fit_transform(addresses).round(2)
                 distance_to_site  region
    customer_id
    1                        1.20  Munich
    2                        0.02  Munich
    3                      504.27   other
    4                         NaN   other
    """

    criterion: ClassVar[str] = "geographic"

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": ID_OR_ROWS,
        "latitude": (NONE, COLUMN),
        "longitude": (NONE, COLUMN),
        "sites": (
            NONE,
            Where(
                lambda value: isinstance(value, Mapping) or is_table(value),
                "a dict of names to (latitude, longitude), or a table with site, latitude, longitude",
            ),
        ),
        "nearest_site": (OneOf(False, True),),
        "density_radius": (NONE, Where(_is_radius, f"a number from {_SHORTEST:g} to {LONGEST:.0f} (km)")),
        "regions": (NONE, Where(are_names, "a list of different column names, from the largest region down")),
        "min_customers": (Integer(low=1),),
        "null_island": (OneOf("keep", "missing"),),
        **OVERRIDES,
    }

    sites_: pd.DataFrame
    regions_: pd.DataFrame
    _sites: Sites | None
    _neighbourhood: Neighbourhood | None
    _tree: RegionTree | None

    def __init__(
        self,
        *,
        customer_id: str | None = "customer_id",
        latitude: str | None = "latitude",
        longitude: str | None = "longitude",
        regions: Sequence[str] | None = None,
        sites: Any = None,
        nearest_site: bool = False,
        density_radius: float | None = 10.0,
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        min_customers: int = 30,
        null_island: str = "keep",
    ) -> None:
        self.customer_id = customer_id
        self.latitude = latitude
        self.longitude = longitude
        self.regions = regions
        self.sites = sites
        self.nearest_site = nearest_site
        self.density_radius = density_radius
        self.labels = labels
        self.units = units
        self.roles = roles
        self.min_customers = min_customers
        self.null_island = null_island

    def _check(self) -> None:
        self._check_parameters()
        if (self.latitude is None) != (self.longitude is None):
            raise InvalidParameterError(f"{asked()}: latitude and longitude go together. Name both columns, or None.")
        columns = [name for name in (self.customer_id, self.latitude, self.longitude) if name is not None]
        if len(set(columns)) < len(columns) or self.customer_id in (self.regions or ()):
            raise InvalidParameterError(
                f"{asked()}: customer_id={self.customer_id!r}, latitude={self.latitude!r}, "
                f"longitude={self.longitude!r}: these must be different columns, and the first none of the regions. "
                "Name the right ones."
            )
        if self.latitude is None and self.sites is not None:
            raise InvalidParameterError(
                f"{asked()}: sites need the coordinates of the customers. Name latitude and longitude, or sites=None."
            )
        if self.nearest_site and self.sites is None:
            raise InvalidParameterError(f"{asked()}: nearest_site=True needs sites. Pass sites={{name: (lat, lon)}}.")
        names = [each.column for each in self._characteristics()]
        if not names:
            raise InvalidParameterError(
                f"{asked()} is asked for nothing. Pass sites or density_radius with coordinates, or regions."
            )
        if self._id_name in names:
            words = "a column that is not named like a characteristic"
            raise InvalidParameterError.not_allowed("customer_id", words, self.customer_id)

    @property
    def _by_place(self) -> bool:
        """Whether a characteristic needs coordinates."""
        return self.latitude is not None and (self.sites is not None or self.density_radius is not None)

    def _wanted(self) -> Sequence[str]:
        places = [self.latitude, self.longitude] if self._by_place else []
        return [name for name in (*places, *(self.regions or ())) if name is not None]

    def _characteristics(self) -> Sequence[Characteristic]:
        told = []
        if self.sites is not None:
            told.append(number("distance_to_site", "distance to the nearest site", "km", "distance"))
        if self.nearest_site:
            told.append(Characteristic(column="nearest_site", kind="nominal", role="site"))
        if self._by_place and self.density_radius is not None:
            told.append(number("customer_density", "customer density", "customers per km2", "density"))
        if self.regions is not None:
            told.append(Characteristic(column="region", kind="nominal", role="region"))
        return told

    def _expected(self) -> Sequence[Characteristic]:
        return self._characteristics()

    def _learn(self, profile: Profile) -> None:
        places = self._places(profile)
        self._sites = None if self.sites is None else read_sites(self.sites)
        self._neighbourhood = None
        if places is not None and self.density_radius is not None:
            self._neighbourhood = Neighbourhood(places, float(self.density_radius))
        self._tree = None
        if self.regions is not None:
            self._tree = RegionTree(self.regions)
            self._tree.learn(self._levels(profile), self.min_customers)
            self.regions_ = self._tree.to_frame()
        if self._sites is not None:
            self.sites_ = self._sites.to_frame()
        for remark in self._remarks_on_fit(places):
            warn(remark)

    def _remarks_on_fit(self, places: Places | None) -> list[str]:
        if places is None:
            return []
        if not places.known.any():
            what = f"no customer has coordinates in the columns {self.latitude!r} and {self.longitude!r}, so nothing "
            return [what + "is known of where they are. Check the file, or pass latitude=None, longitude=None."]
        swapped = "" if self._sites is None else self._sites.suspect_swap(places)
        return [remark for remark in (swapped, self._remark_on_zero(places)) if remark]

    def _encode(self, profile: Profile) -> Encoded:
        columns: list[Column] = []
        policies: list[RowPolicy] = []
        remarks: list[str] = []
        places = self._places(profile)
        if places is not None:
            columns += self._place_columns(places)
            policies += self._place_policies(places)
            remarks.append(self._remark_on_zero(places))
        if self._tree is not None:
            located = self._tree.locate(self._levels(profile))
            codes = self._tree.codes(located)
            columns.append(Column("region", "nominal", codes, self._tree.labels))
            remedy = "Fill in the larger region; until then the customer belongs to the smallest one above the gap."
            policies.append(RowPolicy("a smaller region without the one around it", "kept", located.n_gaps, remedy))
            remarks.append(_remark_on_unseen(located, int((located.is_unseen & (codes < 0)).sum())))
        return Encoded(tuple(columns), tuple(policies), tuple(filter(None, remarks)))

    def _places(self, profile: Profile) -> Places | None:
        if not self._by_place:
            return None
        assert self.latitude is not None
        assert self.longitude is not None
        return read_places(profile, self.latitude, self.longitude, null_island=self.null_island)

    def _levels(self, profile: Profile) -> list[Texts]:
        remedy = "Pass the names or codes of the regions."
        return [read_texts(profile.rows[name], numbers=True, remedy=remedy) for name in self.regions or ()]

    def _place_columns(self, places: Places) -> list[Column]:
        columns = []
        if self._sites is not None:
            distance, position = self._sites.nearest(places)
            columns.append(Column("distance_to_site", "numeric", distance))
            if self.nearest_site:
                columns.append(Column("nearest_site", "nominal", position, self._sites.names))
        if self._neighbourhood is not None:
            columns.append(Column("customer_density", "numeric", self._neighbourhood.density(places)))
        return columns

    def _without_customers(self, n_customers: int) -> Self:
        bare = super()._without_customers(n_customers)
        if self._neighbourhood is not None:
            bare.__dict__["_neighbourhood"] = ForgottenNeighbourhood()
        return bare

    def _place_policies(self, places: Places) -> tuple[RowPolicy, ...]:
        kept = "kept" if self.null_island == "keep" else "set to missing"
        remedy = "Locate the addresses, or leave the customers' place unknown."
        return (
            RowPolicy("coordinates are missing", "kept: place unknown", places.n_missing, remedy),
            RowPolicy("one of the two coordinates is missing", "kept: place unknown", places.n_half, "Fill it in."),
            RowPolicy("coordinates are 0, 0", kept, places.n_zero, "See the parameter `null_island`."),
        )

    def _remark_on_zero(self, places: Places) -> str:
        if not places.n_zero:
            return ""
        what = f"{places.n_zero:,} customer(s) have the coordinates 0, 0, where mostly lost addresses are; "
        if self.null_island == "keep":
            return what + "they were kept. Pass null_island='missing' if their place is not known."
        return what + "their place was set to missing."


def _remark_on_unseen(located: Located, n_missing: int) -> str:
    if not located.unseen:
        return ""
    n_unseen = int(located.is_unseen.sum())
    what = "; ".join(f"column {column!r}: {list_counts(names)}" for column, names in located.unseen.items())
    return (
        f"{n_unseen:,} customer(s) are in regions that fit did not see ({what}): {n_unseen - n_missing:,} were pooled "
        f"into the nearest larger region, for {n_missing:,} the region is missing. Fit again with them."
    )
