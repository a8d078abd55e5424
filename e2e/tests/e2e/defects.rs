//! What went wrong in the original service, tried on ours. The numbers are those of the project's list of defects.

mod acceptance;
mod clients;
mod downloads;
mod outages;
mod recipes;
mod rows;
mod split;
mod validation;
