"""Places on the earth: coordinates of customers and sites, the way between them, and how many live around."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import KDTree

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asked, asking
from custseg._core.frames import collect, open_table
from custseg.characteristics._profiles.columns import read_numbers, read_texts
from custseg.characteristics._profiles.encoder import Profile
from custseg.exceptions import CustomersNotStoredError, InvalidParameterError, InvalidTableError, list_names

# The mean radius of the earth in km (2 a + b) / 3 of the ellipsoid WGS 84.
EARTH_RADIUS = 6371.0088
# Half of the way around: no two places are farther apart.
LONGEST = np.pi * EARTH_RADIUS

_LIMITS = {"latitude": 90.0, "longitude": 180.0}
_DEGREES = "numbers (decimal degrees)"
_TO_DEGREES = (
    "Convert it, for example with pandas.to_numeric; degrees, minutes and seconds become decimal degrees first."
)
# Swapped coordinates are suspected where most customers are this far from every site, and swapped would be
# this many times nearer.
_FAR = 500.0
_TIMES_NEARER = 5.0
_LEAF = 64
# The chord of the unit sphere beyond which a place counts as the other side of the earth: within 130 m of the antipode.
_OPPOSITE = 2 - 1e-10


@dataclass(frozen=True)
class Places:
    """Coordinates in decimal degrees; both NaN where one of them is missing.

    Attributes
    ----------
    latitude, longitude : ndarray of shape (n_places,)
        The coordinates.
    n_missing : int
        Rows without any coordinate.
    n_half : int
        Rows with one of the two.
    n_zero : int
        Rows at 0, 0.
    """

    latitude: Floats
    longitude: Floats
    n_missing: int = 0
    n_half: int = 0
    n_zero: int = 0

    @property
    def known(self) -> Bools:
        """Where there is a place."""
        return ~np.isnan(self.latitude)

    @property
    def vectors(self) -> Floats:
        """The known places as points on the unit sphere, where poles and date line are like any other place."""
        phi, lam = np.radians(self.latitude[self.known]), np.radians(self.longitude[self.known])
        vectors: Floats = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
        return vectors


def haversine(latitude: Floats, longitude: Floats, other_latitude: Floats, other_longitude: Floats) -> Floats:
    """Return the great-circle distance between places, in km on a sphere of the earth's mean radius."""
    # halves of the differences and of the sum, in radians; differences are taken in degrees, where near ones are exact
    half_phi = np.radians(other_latitude - latitude) / 2
    half_lambda = np.radians(other_longitude - longitude) / 2
    mean_phi = np.radians(other_latitude + latitude) / 2
    # h is the squared sine of half the angle and k its squared cosine: k as 1 - h has no digits left at antipodes
    h = np.sin(half_phi) ** 2 * np.cos(half_lambda) ** 2 + np.cos(mean_phi) ** 2 * np.sin(half_lambda) ** 2
    k = np.cos(half_phi) ** 2 * np.cos(half_lambda) ** 2 + np.sin(mean_phi) ** 2 * np.sin(half_lambda) ** 2
    distance: Floats = 2 * EARTH_RADIUS * np.arctan2(np.sqrt(h), np.sqrt(k))
    return distance


def _pairs(places: Places) -> npt.NDArray[np.complex128]:
    """Return the known places as one number each, which is faster to sort than pairs."""
    pairs: npt.NDArray[np.complex128] = places.latitude[places.known] + 1j * places.longitude[places.known]
    return pairs


def read_places(profile: Profile, latitude: str, longitude: str, *, null_island: str) -> Places:
    """Read the coordinates of customers; those that lie nowhere on the earth are an error.

    Parameters
    ----------
    profile : Profile
        The customers.
    latitude, longitude : str
        The columns.
    null_island : {"keep", "missing"}
        What to do with coordinates 0, 0.

    Returns
    -------
    places : Places
        One for each customer.
    """
    lat = read_numbers(profile.rows[latitude], expected=_DEGREES, remedy=_TO_DEGREES)
    lon = read_numbers(profile.rows[longitude], expected=_DEGREES, remedy=_TO_DEGREES)
    _refuse_beyond(lat, lon, latitude, longitude)
    no_lat, no_lon = np.isnan(lat), np.isnan(lon)
    zero = (lat == 0) & (lon == 0)
    unknown = no_lat | no_lon | (zero if null_island == "missing" else False)
    return Places(
        np.where(unknown, np.nan, lat),
        np.where(unknown, np.nan, lon),
        n_missing=int((no_lat & no_lon).sum()),
        n_half=int((no_lat ^ no_lon).sum()),
        n_zero=int(zero.sum()),
    )


def _refuse_beyond(lat: Floats, lon: Floats, latitude: str, longitude: str) -> None:
    for what, name, values in (("latitude", latitude, lat), ("longitude", longitude, lon)):
        beyond = np.abs(values) > _LIMITS[what]
        if beyond.any():
            remedy = _swap_remedy(lat[beyond], lon[beyond], latitude, longitude) if what == "latitude" else ""
            raise InvalidTableError(
                f"{asked()}: column {name!r} must hold a {what} between -{_LIMITS[what]:g} and {_LIMITS[what]:g} "
                f"degrees, got {values[beyond][0]:g} and the like in {int(beyond.sum()):,} row(s). "
                f"{remedy or _turn_remedy(values[beyond], what)}"
            )


def _swap_remedy(lat: Floats, lon: Floats, latitude: str, longitude: str) -> str:
    """Return what to do where both would be right the other way round; empty where they would not."""
    if (np.abs(lat) > _LIMITS["longitude"]).any() or (np.abs(lon) > _LIMITS["latitude"]).any():
        return ""
    return (
        f"Latitude and longitude look swapped there: pass latitude={longitude!r}, longitude={latitude!r}, "
        "or swap them in these rows."
    )


def _turn_remedy(values: Floats, what: str) -> str:
    if what == "longitude" and (values > _LIMITS[what]).all() and (values <= 2 * _LIMITS[what]).all():
        return "Where longitudes run from 0 to 360, subtract 360 from those above 180; otherwise correct these rows."
    return "Correct these rows, or set both coordinates to missing."


class Sites:
    """Named places, and which of them is nearest to a customer.

    Parameters
    ----------
    names : sequence of str
        The names, sorted.
    places : Places
        Where they are.
    """

    def __init__(self, names: tuple[str, ...], places: Places) -> None:
        self.names = names
        self.places = places
        self._tree = KDTree(places.vectors)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per site."""
        places = self.places
        return pd.DataFrame({"site": self.names, "latitude": places.latitude, "longitude": places.longitude})

    def nearest(self, places: Places) -> tuple[Floats, Integers]:
        """Return the distance to the nearest site in km (NaN for no place) and its position (-1)."""
        distance = np.full(len(places.latitude), np.nan)
        position = np.full(len(places.latitude), -1, dtype=np.int64)
        known = places.known
        if known.any():
            sites = self.places
            # sites at one place are found in any order: the first in the alphabet stands for all of them
            _, first, at = np.unique(_pairs(sites), return_index=True, return_inverse=True)
            chord, found = self._tree.query(places.vectors)
            nearest = first[at][found]
            lat, lon = places.latitude[known], places.longitude[known]
            # where all sites lie on the other side of the earth, their chords are equal but for the last digits
            for row in np.flatnonzero(chord > _OPPOSITE):
                ways = haversine(lat[row], lon[row], sites.latitude[first], sites.longitude[first])
                nearest[row] = first[np.argmin(ways)]
            position[known] = nearest
            distance[known] = haversine(lat, lon, sites.latitude[nearest], sites.longitude[nearest])
        return distance, position

    def suspect_swap(self, places: Places) -> str:
        """Say so where the customers would be much nearer to the sites with latitude and longitude swapped."""
        known = places.known & (np.abs(places.longitude) <= _LIMITS["latitude"])
        if 2 * known.sum() <= places.known.sum() or not known.any():
            return ""
        lat, lon = places.latitude[known], places.longitude[known]
        as_is = float(np.median(self.nearest(Places(lat, lon))[0]))
        swapped = float(np.median(self.nearest(Places(lon, lat))[0]))
        if as_is < _FAR or _TIMES_NEARER * swapped > as_is:
            return ""
        return (
            f"half of the customers are {as_is:,.0f} km or more from every site; with latitude and longitude swapped "
            f"it would be {swapped:,.0f} km. Check that the two columns, or those of the sites, are not swapped."
        )


def read_sites(sites: Any) -> Sites:
    """Read sites from a mapping of name to (latitude, longitude), or a frame with site, latitude and longitude."""
    if isinstance(sites, Mapping):
        try:
            pairs = np.array([[float(value) for value in pair] for pair in sites.values()], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise _bad_sites(f"a site that is no pair of numbers ({error})") from error
        if len(pairs) and pairs.shape != (len(sites), 2):
            raise _bad_sites("a site that is no pair of numbers")
        names = np.array([str(name).strip() for name in sites], dtype=object)
        pairs = pairs.reshape(-1, 2)
    else:
        with asking(f"{asked()}, sites"):
            rows = collect(open_table(sites, columns=["site", *_LIMITS]).frame)
            texts = read_texts(rows["site"], numbers=True, remedy="Give every site a name.")
            columns = [read_numbers(rows[name], expected=_DEGREES, remedy=_TO_DEGREES) for name in _LIMITS]
        names = np.array([*texts.levels, ""], dtype=object)[texts.codes]
        pairs = np.column_stack(columns)
    _check_sites(names, pairs)
    order = np.argsort(names)
    lat, lon = pairs[order].T
    return Sites(tuple(names[order]), Places(lat, lon))


def _check_sites(names: npt.NDArray[Any], pairs: Floats) -> None:
    if len(names) == 0:
        raise _bad_sites("none")
    repeated = pd.Index(names)[pd.Index(names).duplicated()].unique()
    if len(repeated):
        raise _bad_sites(f"{list_names(repeated)} more than once")
    if (names == "").any():
        raise _bad_sites(f"{int((names == '').sum()):,} without a name")
    # a comparison with NaN is false, so that missing coordinates count as nowhere
    nowhere = ~(np.abs(pairs) <= list(_LIMITS.values())).all(axis=1)
    if nowhere.any():
        raise _bad_sites(f"{list_names(names[nowhere])} at {tuple(map(float, pairs[nowhere][0]))}, ...")


def _bad_sites(got: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{asked()}: parameter 'sites' must hold at least one site, each with a name of its own, a latitude between "
        f"-90 and 90 and a longitude between -180 and 180; got {got}. Correct or leave out those sites."
    )


class Neighbourhood:
    """The customers of ``fit``, and how many of them live around a place.

    Parameters
    ----------
    places : Places
        Where the customers are.
    radius : float
        The radius of the circle in km.
    """

    def __init__(self, places: Places, radius: float) -> None:
        self.radius = radius
        # with many customers in the circle large leaves are faster
        self._tree = KDTree(places.vectors, leafsize=_LEAF) if places.known.any() else None

    @property
    def area(self) -> float:
        """The area of the circle on the sphere, in km2."""
        return float(4 * np.pi * (EARTH_RADIUS * np.sin(self.radius / EARTH_RADIUS / 2)) ** 2)

    def density(self, places: Places) -> Floats:
        """Return the customers per km2 around each place; NaN where there is no place, or no customer was known."""
        density = np.full(len(places.latitude), np.nan)
        if self._tree is not None and places.known.any():
            # customers known by their postal area share a few places: each of these is looked up once
            _, first, at = np.unique(_pairs(places), return_index=True, return_inverse=True)
            chord = 2 * np.sin(self.radius / EARTH_RADIUS / 2)
            counts = self._tree.query_ball_point(places.vectors[first], chord, return_length=True)
            density[places.known] = counts[at] / self.area
        return density


class ForgottenNeighbourhood(Neighbourhood):
    """The customers of ``fit`` where they were not stored: nobody knows how many of them live around a place."""

    def __init__(self) -> None:
        self.radius = math.nan

    def density(self, places: Places) -> Floats:
        """Say that it cannot be told."""
        raise CustomersNotStoredError.of(asked(), "customer_density")
