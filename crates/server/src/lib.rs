//! HTTP: the REST interface, the pages, pictures and live events.
