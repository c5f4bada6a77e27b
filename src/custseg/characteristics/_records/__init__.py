"""Any table in time: rows with a customer and a time, read, counted and summed up per customer on any engine."""
