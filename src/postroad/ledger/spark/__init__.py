"""A ledger read by Apache Spark, for nations and months: the same segments, read only. Needs the extra ``[spark]``."""
