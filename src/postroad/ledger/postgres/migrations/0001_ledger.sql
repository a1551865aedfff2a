-- The ledger: events by day, the ids of all of them, item records, flow records.
-- Text is compared byte by byte, so that order and equality are the same on every machine.

CREATE TABLE about (
  is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
  timezone text NOT NULL,
  epoch timestamptz,
  run_digest text NOT NULL
);

-- What was appended. A batch of items or flows is named by its content; the same content is kept once.
CREATE TABLE batches (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream text NOT NULL,
  batch_id text,
  n_rows bigint NOT NULL,
  appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (stream, batch_id)
);

-- An id is used once in the whole ledger, whatever the day: this table decides.
CREATE TABLE event_ids (
  event_id uuid PRIMARY KEY,
  occurred_at timestamptz NOT NULL
);

CREATE TABLE events (
  event_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  item_id text COLLATE "C",
  unit_id text COLLATE "C",
  trip_id text COLLATE "C",
  facility_id text COLLATE "C",
  related jsonb,
  operator_id text COLLATE "C",
  party_id text COLLATE "C",
  reason text COLLATE "C",
  raw jsonb,
  payload text COLLATE "C",
  follows uuid,
  label text COLLATE "C" NOT NULL
) PARTITION BY RANGE (occurred_at);

-- What an event is about: its item; of no item its unit, else its trip, else its facility. Each history is one range.
CREATE UNIQUE INDEX events_by_instant ON events (occurred_at, event_id);
CREATE INDEX events_by_item ON events (item_id, occurred_at) WHERE item_id IS NOT NULL;
CREATE INDEX events_by_unit ON events (unit_id, occurred_at)
  WHERE unit_id IS NOT NULL AND coalesce(item_id, '') = '';
CREATE INDEX events_by_trip ON events (trip_id, occurred_at)
  WHERE trip_id IS NOT NULL AND coalesce(item_id, '') = '' AND coalesce(unit_id, '') = '';
CREATE INDEX events_by_facility ON events (facility_id, occurred_at)
  WHERE facility_id IS NOT NULL AND coalesce(item_id, '') = '' AND coalesce(unit_id, '') = ''
    AND coalesce(trip_id, '') = '';

CREATE TABLE items (
  item_id text COLLATE "C" NOT NULL,
  product_id text COLLATE "C",
  origin_id text COLLATE "C",
  destination_id text COLLATE "C",
  accepted_at timestamptz,
  promise_at timestamptz,
  label text COLLATE "C" NOT NULL
);
CREATE INDEX items_by_item ON items (item_id, accepted_at);

CREATE TABLE flows (
  origin_id text COLLATE "C" NOT NULL,
  destination_id text COLLATE "C" NOT NULL,
  product_id text COLLATE "C" NOT NULL,
  n_items integer NOT NULL,
  accepted_min integer NOT NULL,
  left_origin_min integer NOT NULL,
  reached_dest_min integer NOT NULL,
  out_min integer NOT NULL,
  ended_min integer NOT NULL,
  promise_min integer NOT NULL,
  outcome text COLLATE "C" NOT NULL,
  n_attempts smallint NOT NULL
);

-- Nothing is edited: a correction is a new event.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is appended to, never changed: % of %', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON event_ids
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON items
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON flows
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON batches
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
