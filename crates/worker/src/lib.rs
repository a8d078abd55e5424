//! Takes tasks, renders them, stores the pictures, reports.
