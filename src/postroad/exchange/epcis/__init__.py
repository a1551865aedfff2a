"""GS1 EPCIS 2.0 in JSON and JSON-LD: documents read, checked, turned into events, written again, and queried."""
