"""Service: what stays up. One desk over one ledger, behind which who asks is known, limited and written down."""
