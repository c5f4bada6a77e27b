"""Any table with one row per customer: its columns read, cut into bands, rare levels pooled, encoded."""
