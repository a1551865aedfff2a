"""A ledger in PostgreSQL: many writers, many machines, the same append and queries. Needs the extra ``[postgres]``."""
