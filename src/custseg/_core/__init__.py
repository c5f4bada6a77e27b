"""What every stage stands on: base classes, parameter checks, tables in and out, optional libraries."""
