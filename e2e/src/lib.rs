//! Starts the built executable and looks at it from outside.
