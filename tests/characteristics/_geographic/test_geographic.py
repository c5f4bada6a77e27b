import math
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from custseg.characteristics._geographic.encoder import GeographicEncoder
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests.characteristics._profiles.profile_laws import as_values, check_kinds, check_laws, quietly
from tests.sizes import size

RADIUS = 6371.0088
SITES = {"Berlin": (52.52, 13.405), "Munich": (48.1372, 11.5756)}


def customers(latitude, longitude, **columns):
    ids = np.arange(1, len(latitude) + 1)
    return pd.DataFrame({"customer_id": ids, "latitude": latitude, "longitude": longitude, **columns})


def regions(*levels, names=("country", "state", "area")):
    columns = dict(zip(names, map(list, zip(*levels, strict=True)), strict=False))
    return pd.DataFrame({"customer_id": np.arange(1, len(levels) + 1), **columns})


def by_region(min_customers=2, columns=("country", "state", "area")):
    return GeographicEncoder(latitude=None, longitude=None, regions=list(columns), min_customers=min_customers)


def plain_distance(lat, lon, other_lat, other_lon):
    """The angle between two unit vectors by their cross and dot product: another formula than the one under test."""
    (x, y, z), (u, v, w) = (
        (math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a))
        for a, b in ((math.radians(lat), math.radians(lon)), (math.radians(other_lat), math.radians(other_lon)))
    )
    cross = math.hypot(y * w - z * v, z * u - x * w, x * v - y * u)
    return RADIUS * math.atan2(cross, x * u + y * v + z * w)


def distances(latitude, longitude, sites):
    return GeographicEncoder(sites=sites, density_radius=None).fit_transform(customers(latitude, longitude))[
        "distance_to_site"
    ]


class TestDistance:
    def test_quarters_of_the_earth(self):
        quarter = math.pi / 2 * RADIUS
        output = distances([0.0, 90.0, 0.0, -90.0], [90.0, 0.0, 180.0, 7.0], {"a": (0.0, 0.0)})
        np.testing.assert_allclose(output, [quarter, quarter, 2 * quarter, quarter], rtol=1e-12)

    def test_one_degree_of_a_meridian(self):
        # 6371.0088 km * pi / 180
        assert distances([51.0], [5.0], {"a": (50.0, 5.0)}).iloc[0] == pytest.approx(111.195080, abs=1e-6)

    def test_a_known_way(self):
        # Nashville to Los Angeles airport, the usual example of the haversine formula: 2887.26 km at 6372.8 km
        output = distances([33.94], [-118.40], {"BNA": (36.12, -86.67)})
        assert output.iloc[0] * 6372.8 / RADIUS == pytest.approx(2887.26, abs=0.01)

    def test_across_the_date_line_the_way_is_short(self):
        output = distances([0.0, 10.0], [179.5, -179.9], {"far": (0.0, 0.0), "near": (0.0, -179.5)})
        assert output.iloc[0] == pytest.approx(math.radians(1) * RADIUS, rel=1e-12)
        assert output.iloc[1] == pytest.approx(plain_distance(10.0, -179.9, 0.0, -179.5), rel=1e-12)

    def test_at_a_pole_every_longitude_is_the_same_place(self):
        output = distances([90.0, 89.0], [123.0, 0.0], {"pole": (90.0, -60.0)})
        np.testing.assert_allclose(output, [0.0, math.radians(1) * RADIUS], atol=1e-9)

    def test_places_a_metre_apart(self):
        metre = math.degrees(0.001 / RADIUS)
        assert distances([48.0 + metre], [11.0], {"a": (48.0, 11.0)}).iloc[0] == pytest.approx(0.001, rel=1e-6)

    def test_places_a_thousandth_of_a_millimetre_apart(self):
        other = 48.0 + math.degrees(1e-9 / RADIUS)
        assert distances([other], [11.0], {"a": (48.0, 11.0)}).iloc[0] == pytest.approx(
            math.radians(other - 48.0) * RADIUS, rel=1e-12
        )

    @given(
        st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
        st.tuples(st.floats(-13, 1), st.floats(-13, 1)),
        st.booleans(),
        st.booleans(),
    )
    @example((0.0, -180.0), (-13.0, -7.0), True, False)
    @example((90.0, 0.0), (-9.0, -9.0), True, True)
    def test_near_a_place_and_near_its_antipode_no_digits_are_lost(self, place, step, opposite, westward):
        lat, lon = place
        north, east = 10.0 ** step[0], 10.0 ** step[1] * (-1 if westward else 1)
        far = (-lat, lon - math.copysign(180.0, lon)) if opposite else place
        other_lat, other_lon = max(-90.0, min(90.0, far[0] + north)), max(-180.0, min(180.0, far[1] + east))
        found = quietly(distances, [lat], [lon], {"other": (other_lat, other_lon)}).iloc[0]
        # a tenth of a thousandth of a millimetre
        assert found == pytest.approx(plain_distance(lat, lon, other_lat, other_lon), rel=0, abs=1e-10)

    @given(st.floats(-80, 80), st.floats(-170, 170), st.lists(st.floats(-12, -3), min_size=4, max_size=8))
    @example(10.0, 20.0, [-12.0, -5.0, -9.0, -5.0, -5.2, -12.0])
    def test_of_sites_on_the_other_side_of_the_earth_the_nearest_is_found(self, lat, lon, steps):
        far = (-lat, lon - math.copysign(180.0, lon))
        sites = {
            str(number): (far[0] + 10.0**north, far[1] - math.copysign(10.0**east, far[1]))
            for number, (north, east) in enumerate(zip(steps[::2], steps[1::2], strict=False))
        }
        found = quietly(distances, [lat], [lon], sites).iloc[0]
        assert found == pytest.approx(min(plain_distance(lat, lon, *site) for site in sites.values()), rel=0, abs=1e-10)

    @given(st.data())
    def test_it_is_that_of_the_nearest_site_by_brute_force(self, data):
        place = st.tuples(
            st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90, 90)),
            st.one_of(st.sampled_from([-180.0, 0.0, 180.0]), st.floats(-180, 180)),
        )
        places = data.draw(st.lists(place, min_size=1, max_size=12))
        sites = {str(number): spot for number, spot in enumerate(data.draw(st.lists(place, min_size=1, max_size=5)))}
        encoder = GeographicEncoder(sites=sites, density_radius=None, nearest_site=True)
        output = quietly(encoder.fit_transform, customers(*map(list, zip(*places, strict=True))))
        for spot, found, name in zip(places, output["distance_to_site"], output["nearest_site"], strict=True):
            assert found == pytest.approx(min(plain_distance(*spot, *site) for site in sites.values()), abs=1e-6)
            assert found == pytest.approx(plain_distance(*spot, *sites[name]), abs=1e-6)

    def test_which_site_it_is(self):
        encoder = GeographicEncoder(sites=SITES, nearest_site=True, density_radius=None)
        output = encoder.fit_transform(customers([48.2, 53.0, None], [11.5, 13.0, None]))
        assert as_values(output)["nearest_site"].tolist() == ["Munich", "Berlin", None]
        assert list(output["nearest_site"].cat.categories) == ["Berlin", "Munich"]
        assert encoder.units_ == {"distance_to_site": "km", "nearest_site": ""}

    def test_of_sites_at_one_place_the_first_in_the_alphabet(self):
        sites = dict.fromkeys(("c", "b", "d"), (48.0, 11.0)) | {"a": (10.0, 11.0)}
        encoder = GeographicEncoder(sites=sites, nearest_site=True, density_radius=None)
        assert encoder.fit_transform(customers([48.0], [11.1]))["nearest_site"].tolist() == ["b"]

    @pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
    def test_sites_come_as_a_frame_too(self, kind):
        sites = kind({"site": ["Munich", "Berlin"], "latitude": [48.1372, 52.52], "longitude": [11.5756, 13.405]})
        encoder = GeographicEncoder(sites=sites, density_radius=None)
        table = customers([48.2, 53.0], [11.5, 13.0])
        expected = GeographicEncoder(sites=SITES, density_radius=None).fit_transform(table)
        pd.testing.assert_frame_equal(encoder.fit_transform(table), expected)
        assert encoder.sites_["site"].tolist() == ["Berlin", "Munich"]
        assert encoder.sites_["latitude"].tolist() == [52.52, 48.1372]

    def test_sites_of_numbers_are_names(self):
        sites = pd.DataFrame({"site": [12, 7], "latitude": [48, 52], "longitude": [11, 13]})
        encoder = GeographicEncoder(sites=sites, nearest_site=True).fit(customers([48.2], [11.5]))
        assert encoder.sites_["site"].tolist() == ["12", "7"]

    @pytest.mark.parametrize(
        ("sites", "message"),
        [
            ({}, "got none"),
            ({"a": (91.0, 0.0)}, r"got 'a' at \(91.0, 0.0\)"),
            ({"a": (0.0, float("nan"))}, "got 'a' at"),
            ({"a": (1.0, 2.0, 3.0)}, "no pair of numbers"),
            ({"a": (1.0, 2.0), "b": 3.0}, "no pair of numbers"),
            ({"a": ("north", 2.0)}, "no pair of numbers"),
            (pd.DataFrame({"site": ["a", "a"], "latitude": [1.0, 2.0], "longitude": [1.0, 2.0]}), "'a' more than once"),
            (pd.DataFrame({"site": ["a", None], "latitude": [1.0, 2.0], "longitude": [1.0, 2.0]}), "1 without a name"),
            (pd.DataFrame({"site": ["a"], "latitude": [None], "longitude": [2.0]}), "got 'a' at"),
        ],
    )
    def test_sites_that_are_nowhere(self, sites, message):
        with pytest.raises(InvalidParameterError, match=f"parameter 'sites' must hold at least one site.*{message}"):
            GeographicEncoder(sites=sites).fit(customers([48.0], [11.0]))

    def test_a_frame_of_sites_lacks_a_column(self):
        sites = pd.DataFrame({"site": ["a"], "lat": [1.0], "longitude": [2.0]})
        with pytest.raises(ColumnNotFoundError, match="sites: column 'latitude' not found"):
            GeographicEncoder(sites=sites).fit(customers([48.0], [11.0]))


class TestDensity:
    def density(self, latitude, longitude, radius):
        return GeographicEncoder(density_radius=radius).fit_transform(customers(latitude, longitude))[
            "customer_density"
        ]

    def test_twelve_customers_by_hand(self):
        # Eleven on one meridian, 1 km apart (1 km = 0.00899322 degrees), and one far away. Within 2.5 km of
        # the first are 3, of the second 4, of all from the third to the ninth 5.
        step = math.degrees(1 / RADIUS)
        latitude = [50 + step * place for place in range(11)] + [10.0]
        counts = [3, 4, 5, 5, 5, 5, 5, 5, 5, 4, 3, 1]
        # the circle on the sphere: 2 pi R^2 (1 - cos(r / R)), nearly pi r^2 = 19.635 km2
        area = 2 * math.pi * RADIUS**2 * (1 - math.cos(2.5 / RADIUS))
        assert area == pytest.approx(19.635, abs=1e-3)
        np.testing.assert_allclose(self.density(latitude, [8.0] * 12, 2.5) * area, counts, rtol=1e-6)

    @given(
        st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=25),
        st.floats(1.0, 20015.0),
    )
    @example([(89.9, 0.0), (89.9, 180.0), (0.0, 179.9), (0.0, -179.9)], 23.0)
    @example([(48.0, 11.0)] * 3 + [(-48.0, -169.0)], 20015.0)
    def test_it_counts_like_brute_force_over_all_pairs(self, places, radius):
        output = quietly(self.density, *map(list, zip(*places, strict=True)), radius)
        area = 4 * math.pi * RADIUS**2 * math.sin(radius / RADIUS / 2) ** 2
        for spot, density in zip(places, output, strict=True):
            ways = [plain_distance(*spot, *other) for other in places]
            # on the circle itself rounding decides
            low, high = (sum(way <= radius + slack for way in ways) for slack in (-1e-6, 1e-6))
            assert low - 1e-6 <= density * area <= high + 1e-6

    def test_the_whole_earth_holds_everyone(self):
        output = self.density([0.0, 10.0, -80.0], [0.5, 170.0, -90.0], 20015.0)
        np.testing.assert_allclose(output, 3 / (4 * math.pi * RADIUS**2), rtol=1e-6)

    def test_transform_counts_the_customers_of_fit(self):
        encoder = GeographicEncoder(density_radius=5.0).fit(customers([48.0] * 4, [11.0] * 4))
        output = encoder.transform(customers([48.01, 20.0], [11.0, 11.0]))["customer_density"]
        area = 4 * math.pi * RADIUS**2 * math.sin(5 / RADIUS / 2) ** 2
        np.testing.assert_allclose(output * area, [4.0, 0.0])
        assert encoder.units_ == {"customer_density": "customers per km2"}

    def test_nobody_with_a_place(self):
        encoder = GeographicEncoder(sites=SITES)
        with pytest.warns(DataQualityWarning, match="no customer has coordinates"):
            output = encoder.fit_transform(customers([None, 1.0], [None, None]))
        assert output.isna().all(axis=None)
        later = encoder.transform(customers([48.0], [11.0]))
        assert later["distance_to_site"].notna().all()
        assert later["customer_density"].isna().all()


class TestCoordinates:
    def test_missing_ones_stay_missing_and_are_counted(self):
        encoder = GeographicEncoder(sites=SITES)
        output = encoder.fit_transform(customers([48.0, None, 49.0, None], [11.0, None, None, 12.0]))
        assert output["distance_to_site"].isna().tolist() == [False, True, True, True]
        assert output["customer_density"].isna().tolist() == [False, True, True, True]
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert counts["coordinates are missing"] == 1
        assert counts["one of the two coordinates is missing"] == 2
        assert encoder.row_report_.n_left_out == 0

    def test_latitude_91(self):
        message = "column 'latitude' must hold a latitude between -90 and 90 degrees, got 91 and the like in 2 row"
        with pytest.raises(InvalidTableError, match=message + r"\(s\)\. Correct these rows"):
            GeographicEncoder().fit(customers([91.0, 48.0, -95.0], [11.0, 11.0, 120.0]))

    def test_longitude_181(self):
        message = "column 'x' must hold a longitude between -180 and 180 degrees, got 181 .* in 1 row"
        table = customers([48.0, 48.0], [181.0, 11.0]).rename(columns={"longitude": "x"})
        with pytest.raises(InvalidTableError, match=message + ".*subtract 360 from those above 180"):
            GeographicEncoder(longitude="x").fit(table)

    def test_at_transform_too(self):
        encoder = GeographicEncoder().fit(customers([48.0], [11.0]))
        with pytest.raises(InvalidTableError, match="got inf and the like in 1 row"):
            encoder.transform(customers([float("inf"), 1.0], [11.0, 1.0]))
        with pytest.raises(InvalidTableError, match="got -1000 and the like in 1 row.*Correct these rows"):
            encoder.transform(customers([1.0, 1.0], [11.0, -1000.0]))

    @pytest.mark.parametrize(
        "parameters",
        [{"latitude": "x", "longitude": "x"}, {"longitude": "customer_id"}, {"regions": ["country", "customer_id"]}],
    )
    def test_one_column_for_two_things(self, parameters):
        with pytest.raises(InvalidParameterError, match="these must be different columns"):
            GeographicEncoder(**parameters).fit(customers([48.0], [11.0]))

    def test_the_limits_themselves_are_places(self):
        output = GeographicEncoder(sites=SITES).fit_transform(customers([90.0, -90.0], [180.0, -180.0]))
        assert output.notna().all(axis=None)

    def test_swapped_columns(self):
        # Sydney is at -33.87, 151.21
        with pytest.raises(InvalidTableError, match="look swapped there: pass latitude='longitude'"):
            GeographicEncoder().fit(customers([151.21, 48.0], [-33.87, 11.0]))

    def test_swapped_columns_that_could_be_right(self):
        table = customers([11.5, 13.4, 13.0], [48.1, 52.5, 52.0])
        with pytest.warns(DataQualityWarning, match="with latitude and longitude swapped it would be"):
            GeographicEncoder(sites=SITES).fit(table)
        swapped = table.rename(columns={"latitude": "longitude", "longitude": "latitude"})
        GeographicEncoder(sites=SITES).fit(swapped)

    def test_null_island_is_kept_and_counted(self):
        table = customers([0.0, 48.0, -0.0], [0.0, 11.0, 0.0])
        encoder = GeographicEncoder()
        with pytest.warns(DataQualityWarning, match=r"2 customer\(s\) have the coordinates 0, 0.*were kept"):
            encoder.fit(table)
        with pytest.warns(DataQualityWarning, match=r"2 customer\(s\) have the coordinates 0, 0"):
            assert encoder.transform(table)["customer_density"].notna().all()
        counts = encoder.row_report_.to_frame().set_index("policy")
        assert counts.loc["coordinates are 0, 0", ["action", "n_rows"]].tolist() == ["kept", 2]

    def test_null_island_is_missing_where_that_is_asked_for(self):
        encoder = GeographicEncoder(null_island="missing")
        with pytest.warns(DataQualityWarning, match="their place was set to missing"):
            output = encoder.fit_transform(customers([0.0, 48.0], [0.0, 11.0]))
        assert output["customer_density"].isna().tolist() == [True, False]
        counts = encoder.row_report_.to_frame().set_index("policy")
        assert counts.loc["coordinates are 0, 0", ["action", "n_rows"]].tolist() == ["set to missing", 1]
        assert counts.loc["coordinates are missing", "n_rows"] == 0

    def test_on_the_equator_or_the_meridian_is_not_null_island(self):
        GeographicEncoder().fit(customers([0.0, 51.5], [100.0, 0.0]))

    @pytest.mark.parametrize("latitude", [["48.1"], ["48,1"], [pd.Timestamp("2024-01-01")]])
    def test_text_is_no_coordinate(self, latitude):
        with pytest.raises(ColumnTypeError, match="column 'latitude' must be numbers .decimal degrees., got"):
            GeographicEncoder().fit(customers(latitude, [11.0]))

    def test_whole_degrees_are_numbers(self):
        output = GeographicEncoder(sites={"a": (1, 2)}).fit_transform(customers([1, 2], [2, 2]))
        np.testing.assert_allclose(output["distance_to_site"], [0.0, math.radians(1) * RADIUS], atol=1e-9)


TWELVE = [
    ("DE", "Bavaria", "80331"),
    ("DE", "Bavaria", "80331"),
    ("DE", "Bavaria", "80331"),
    ("DE", "Bavaria", "90402"),
    ("DE", "Bavaria", "97070"),
    ("DE", "Hesse", "60311"),
    ("DE", "Hesse", "60313"),
    ("DE", "Saar", "66111"),
    ("AT", "Tyrol", "6020"),
    ("AT", None, "1010"),
    ("CH", "Zurich", "8001"),
    (None, "Bavaria", "80331"),
]


def brute_force(paths, minimum):
    """Pool by the definition, from the smallest level up, one customer at a time."""
    assigned = []
    for path in paths:
        given = []
        for name in path:
            if name is None or name == "":
                break
            given.append(name)
        assigned.append(tuple(given) or None)
    for depth in range(max((len(path) for path in paths), default=0), 0, -1):
        counts = Counter(assigned)
        assigned = [
            path[:-1] if path is not None and len(path) == depth and counts[path] < minimum else path
            for path in assigned
        ]
    return assigned


class TestRegions:
    def test_twelve_customers_by_hand(self):
        # At least 2 customers: of the postal areas only 80331 (3). What is left in Bavaria: 2, kept beside it.
        # Hesse: 2, kept whole. Saar (1) goes to Germany, where it is alone, and so to "other". Austria: Tyrol (1)
        # and the customer without a state, 2 in all. Switzerland (1) goes to "other", which then has 2.
        encoder = by_region(2)
        output = encoder.fit_transform(regions(*TWELVE))["region"]
        assert as_values(output.to_frame())["region"].tolist() == [
            *["80331"] * 3,
            *["other in Bavaria"] * 2,
            *["Hesse"] * 2,
            "other",
            *["AT"] * 2,
            "other",
            None,
        ]
        assert output.cat.ordered is False
        assert list(output.cat.categories) == ["80331", "AT", "Hesse", "other", "other in Bavaria"]
        assert encoder.units_ == {"region": ""}
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert counts["a smaller region without the one around it"] == 2

    def test_the_table_of_regions_says_what_was_pooled_where(self):
        encoder = by_region(2).fit(regions(*TWELVE))
        found = encoder.regions_
        assert list(found.columns) == ["country", "state", "area", "n_customers", "region"]
        assert found["n_customers"].sum() == 11
        whole = found[found["area"].isna() & found["state"].isna()].set_index("country")
        assert whole["n_customers"].to_dict() == {"AT": 1, "CH": 0, "DE": 0}
        assert found.set_index("area")["region"].to_dict()["66111"] == "other"

    def test_regions_of_one_name_show_their_path(self):
        table = regions(*[("US", "Illinois", "Springfield")] * 2, *[("US", "Oregon", "Springfield")] * 2)
        output = by_region(2).fit_transform(table)["region"]
        assert output.tolist() == ["US / Illinois / Springfield"] * 2 + ["US / Oregon / Springfield"] * 2

    def test_names_that_would_still_clash_are_numbered(self):
        table = regions(("a", "x"), ("b", "x"), ("b / x", None), ("other", None), ("z", "q"), names=("large", "small"))
        labels = by_region(1, ("large", "small")).fit_transform(table)["region"].tolist()
        assert len(set(labels)) == 5

    @given(
        st.lists(
            st.tuples(*(st.one_of(st.sampled_from(names), st.none()) for names in ("AB", "abc", ["x", "y", ""]))),
            min_size=1,
            max_size=40,
        ),
        st.integers(1, 6),
    )
    def test_pooling_is_that_of_brute_force(self, paths, minimum):
        encoder = by_region(minimum)
        output = quietly(encoder.fit_transform, regions(*paths))
        labels = as_values(output)["region"].tolist()
        expected = brute_force(paths, minimum)
        pairs = set(zip(labels, expected, strict=True))
        # one label for each pooled region, and one region for each label
        assert len(pairs) == len({label for label, _ in pairs}) == len({path for _, path in pairs})
        assert all((label is None) == (path is None) for label, path in pairs)
        assert all((label == "other") == (path == ()) for label, path in pairs)
        small = [label for label, n in Counter(labels).items() if label is not None and n < minimum]
        assert small in ([], ["other"])

    def test_unknown_regions_at_transform(self):
        encoder = by_region(2).fit(regions(*TWELVE))
        table = regions(
            ("DE", "Bavaria", "80999"),  # pooled in Bavaria
            ("DE", "Hesse", "65183"),
            ("DE", "Berlin", "10115"),  # Germany has no customers of its own left: other
            ("FR", "Alsace", "67000"),
            ("AT", "Tyrol", "6020"),
        )
        message = (
            r"4 customer\(s\) are in regions that fit did not see \(column 'country': 'FR' \(1\); column 'state': "
            r"'Berlin' \(1\); column 'area': '65183' \(1\), '80999' \(1\)\): 4 were pooled .*, for 0 the region"
        )
        with pytest.warns(DataQualityWarning, match=message):
            output = encoder.transform(table)
        assert output["region"].tolist() == ["other in Bavaria", "Hesse", "other", "other", "AT"]

    def test_a_new_part_of_a_region_whose_parts_all_stand_on_their_own(self):
        encoder = by_region(2)
        output = encoder.fit_transform(regions(*[("DE", "Bavaria", "80331")] * 2, *[("DE", "Hesse", "60311")] * 2))
        assert output["region"].tolist() == ["80331"] * 2 + ["60311"] * 2
        # known from the start, so that fit and transform give the same categories
        assert list(output["region"].cat.categories) == ["60311", "80331", "other in DE"]
        assert encoder.regions_["region"].notna().all()
        table = regions(
            ("DE", "Saar", "66111"),
            ("DE", "Bavaria", "90402"),
            ("DE", "Bavaria", None),
            ("FR", None, None),
            ("DE", "Hesse", "60311"),
        )
        message = r"3 customer\(s\) are in regions .*: 2 were pooled .* for 1 the region is missing"
        with pytest.warns(DataQualityWarning, match=message):
            output = encoder.transform(table)
        assert as_values(output)["region"].tolist() == ["other in DE"] * 3 + [None, "60311"]

    def test_what_is_left_elsewhere_takes_in_a_new_part(self):
        encoder = by_region(2, ("country", "state"))
        encoder.fit(regions(*[("DE", "Hesse")] * 2, ("AT", "Tyrol"), names=("country", "state")))
        with pytest.warns(DataQualityWarning, match="2 were pooled .* for 0 the region is missing"):
            output = encoder.transform(regions(("DE", "Saar"), ("FR", "Alsace"), names=("country", "state")))
        assert output["region"].tolist() == ["other", "other"]

    def test_a_region_is_missing_only_where_the_largest_is(self):
        tables = [regions(*TWELVE), regions(*[("DE", "Bavaria", "80331")] * 2)]
        for table in tables:
            encoder = by_region(2).fit(table)
            known = {("DE", "Bavaria", "x"), ("DE", "Bavaria", None), ("DE", "x", None), ("DE", None, None)}
            assert quietly(encoder.transform, regions(*sorted(known, key=str)))["region"].notna().all()

    def test_codes_that_are_numbers_and_categories(self):
        table = pd.DataFrame(
            {
                "customer_id": [1, 2, 3, 4],
                "country": pd.Categorical(["DE", "DE", None, "DE"]),
                "area": [1067.0, 1067.0, 1067.0, None],
            }
        )
        output = by_region(1, ("country", "area")).fit_transform(table)
        assert as_values(output)["region"].tolist() == ["1067", "1067", None, "other in DE"]

    def test_spaces_do_not_count_and_empty_text_is_missing(self):
        table = regions(("DE ",), ("DE",), ("",), ("  ",), names=("country",))
        assert as_values(by_region(1, ("country",)).fit_transform(table))["region"].tolist() == ["DE", "DE", None, None]

    def test_no_region_at_all(self):
        table = regions((None,), ("",), names=("country",))
        encoder = by_region(1, ("country",)).fit(table)
        assert encoder.transform(table)["region"].isna().all()
        assert encoder.regions_.empty

    def test_times_are_no_regions(self):
        table = pd.DataFrame({"customer_id": [1], "country": pd.to_datetime(["2024-01-01"])})
        with pytest.raises(ColumnTypeError, match="'country' must be text, or numbers that are names"):
            by_region(1, ("country",)).fit(table)


@st.composite
def addresses(draw):
    n_customers = draw(st.integers(1, 15))
    rng = np.random.RandomState(draw(st.integers(0, 2**16)))
    latitude = np.where(rng.rand(n_customers) < 0.2, np.nan, rng.choice([48.0, 48.05, 52.5, 0.0], n_customers))
    longitude = np.where(rng.rand(n_customers) < 0.1, np.nan, rng.choice([11.0, 11.05, 13.4, 0.0], n_customers))
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(n_customers) + 1,
            "latitude": latitude,
            "longitude": longitude,
            "country": pd.array(rng.choice(["DE", "AT", None], n_customers, p=[0.6, 0.3, 0.1]), dtype="str"),
            "city": pd.array(rng.choice(["a", "b", "c", None], n_customers), dtype="str"),
        }
    )


WHOLE = GeographicEncoder(sites=SITES, nearest_site=True, regions=["country", "city"], min_customers=2)


class TestLaws:
    @settings(max_examples=size(4, 40))
    @given(addresses(), st.integers(0, 99))
    def test_laws(self, table, seed):
        check_laws(WHOLE, table, seed)

    def test_every_kind_of_frame(self, monkeypatch):
        table = regions(*TWELVE).assign(latitude=np.linspace(47, 53, 12), longitude=[*np.linspace(7, 13, 11), None])
        encoder = GeographicEncoder(
            sites=SITES, nearest_site=True, regions=["country", "state", "area"], min_customers=2
        )
        check_kinds(encoder, table, monkeypatch)

    def test_turning_the_earth_changes_no_distance_and_no_density(self):
        rng = np.random.RandomState(0)
        latitude, longitude = rng.uniform(-89, 89, 50), rng.uniform(-179, 100, 50)
        sites = {str(place): (rng.uniform(-89, 89), rng.uniform(-179, 100)) for place in range(4)}
        as_is = GeographicEncoder(sites=sites, density_radius=3000.0).fit_transform(customers(latitude, longitude))
        turned = {name: (lat, (lon + 79.5 + 180) % 360 - 180) for name, (lat, lon) in sites.items()}
        other = GeographicEncoder(sites=turned, density_radius=3000.0)
        output = other.fit_transform(customers(latitude, (longitude + 79.5 + 180) % 360 - 180))
        np.testing.assert_allclose(output, as_is, rtol=1e-9)

    def test_columns_that_are_not_read_do_not_matter(self):
        table = customers([48.0], [11.0])
        encoder = GeographicEncoder().fit(table.assign(extra="x"))
        assert encoder.feature_names_in_.tolist() == ["latitude", "longitude"]
        encoder.transform(table)


class TestParameters:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"latitude": None}, "latitude and longitude go together"),
            ({"latitude": None, "longitude": None, "sites": SITES}, "sites need the coordinates"),
            ({"nearest_site": True}, "nearest_site=True needs sites"),
            ({"density_radius": None}, "is asked for nothing"),
            ({"latitude": None, "longitude": None}, "is asked for nothing"),
            ({"density_radius": 0.0}, "'density_radius' must be None or a number from 0.001"),
            ({"density_radius": 30_000}, "'density_radius' must be"),
            ({"density_radius": 1e-300}, "'density_radius' must be"),
            ({"density_radius": True}, "'density_radius' must be"),
            ({"regions": []}, "'regions' must be"),
            ({"regions": ["a", "a"]}, "'regions' must be"),
            ({"regions": "country"}, "'regions' must be"),
            ({"min_customers": 0}, "'min_customers' must be an integer >= 1"),
            ({"null_island": "drop"}, "'null_island' must be"),
            ({"sites": [1, 2]}, "'sites' must be"),
            ({"customer_id": "customer_density"}, "'customer_id' must be a column that is not named like"),
        ],
    )
    def test_refused(self, parameters, message):
        with pytest.raises(InvalidParameterError, match=message):
            GeographicEncoder(**parameters).fit(customers([48.0], [11.0]))

    def test_coordinates_that_nothing_needs_are_not_read(self):
        encoder = GeographicEncoder(density_radius=None, regions=["country"], min_customers=1)
        encoder.fit(pd.DataFrame({"customer_id": [1], "country": ["DE"]}))
        assert encoder.feature_names_in_.tolist() == ["country"]

    def test_a_column_that_is_not_there(self):
        with pytest.raises(ColumnNotFoundError, match="column 'latitude' not found"):
            GeographicEncoder().fit(pd.DataFrame({"customer_id": [1], "lat": [1.0], "longitude": [1.0]}))

    def test_repeated_ids_and_rows_without_one(self):
        table = customers([48.0, 49.0], [11.0, 12.0])
        with pytest.raises(CustomerIdError, match="repeat an id"):
            GeographicEncoder().fit(table.assign(customer_id=1))
        half = table.assign(customer_id=pd.array([1, None], dtype="Int64"))
        encoder = GeographicEncoder().fit(half)
        assert encoder.row_report_.n_left_out == 1
        with pytest.warns(DataQualityWarning, match=r"1 row\(s\) have no customer id"):
            assert len(encoder.transform(half)) == 1

    def test_it_says_that_it_is_geographic(self):
        assert GeographicEncoder.criterion == "geographic"
        assert clone(WHOLE).get_params()["sites"] == SITES
