"""GTFS: public timetables to tables of the Parcel Network Feed."""
