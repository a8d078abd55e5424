//! Keeps rows and queue in step: outbox to tasks, reports to rows, sweep.
