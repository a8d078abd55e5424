//! Tasks to workers, reports back, events to whoever watches.
