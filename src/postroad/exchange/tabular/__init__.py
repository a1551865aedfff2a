"""Tabular: scans in CSV, Excel and Parquet files to events, as a mapping file says."""
