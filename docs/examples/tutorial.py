"""
Tutorial: a grocery panel, step by step
=======================================

What ``custseg demo`` does, one step at a time: a year of purchases of 2,469 households, with the
demographics of 801 of them, becomes segments, personas, actions and a report.
"""

# %%
# The tables
# ----------
# The demo's data come with an installed package; nothing is downloaded.

import custseg

tables = custseg.datasets.load_complete_journey()
for name, table in tables.items():
    print(f"{name:22} {len(table):>9,} rows")

# %%
# Characteristics
# ---------------
# Each estimator turns one table into one row per household, in original units. The union's
# customers are those of its first table: households without demographics stay, with missing values.

from custseg import CharacteristicUnion, DemographicEncoder, RFMFeaturizer

household = "household_id"
behaviour = RFMFeaturizer(
    customer_id=household,
    timestamp="transaction_timestamp",
    amount="sales_value",
)
demographics = DemographicEncoder(customer_id=household)
characteristics = CharacteristicUnion(
    [
        ("behaviour", behaviour, "transactions"),
        ("demographics", demographics, "demographics"),
    ],
    customer_id=household,
)
characteristics

# %%
# The study
# ---------
# The brief says what the segments are for. Two thirds of the households have no demographics, so
# these get weight 0: they describe the segments and do not make them.

from custseg import SegmentationBrief, SegmentationStudy, SegmentClusterer

study = SegmentationStudy(
    SegmentationBrief(goal="retention", min_segment_share=0.05),
    characteristics=characteristics,
    clusterer=SegmentClusterer(weights={"demographics": 0}, random_state=0),
).fit(tables)

# %%
# What was read, what was left out, and why:

study.row_report_

# %%
# Are the segments real?
# ----------------------
# The verdict stands before any persona: how distinct the segments are, and whether they come back
# when other households are drawn.

print(study.verdict_.sentence)

# %%

study.segment_table_

# %%
# Where one continuum is found, ``segment_table_`` has one row, and the most stable cut into groups
# is kept apart, labelled constructive:

if study.cut_ is not None:
    agreement = study.cut_.mean_adjusted_rand
    print(f"cut into {study.cut_.n_segments}: mean adjusted Rand {agreement:.2f}")

# %%
# Who they are, and what to do first
# ----------------------------------

personas = study.personas_ if study.cut_ is None else study.cut_.personas
actions = study.actions_ if study.cut_ is None else study.cut_.actions
for persona, action in zip(personas, actions, strict=True):
    print(persona.summary)
    print(f"  -> {action.action}: {action.advice} ({action.because})")

# %%
# Every household, assigned:

study.predict(tables).value_counts()

# %%
# The report
# ----------
# One file, readable on a phone and on paper.

import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    written = study.report(Path(folder) / "report.html")
    print(f"{written.name}: {written.stat().st_size / 1000:.0f} kB")
