//! Flags of `faafo storage`.

use crate::config::Override;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// What to do with stored pictures. Works on database and storage themselves, whether the service runs or not.
#[derive(Debug, Subcommand)]
pub enum StorageCommand {
    /// Compare the database with the picture store: what is missing, damaged or left over
    Check(CheckArgs),
    /// Copy all pictures from one store, or all rows from one database, to another
    Migrate(MigrateArgs),
}

/// Which installation is meant.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The data folder of `faafo up` [default: ./faafo-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The database [default: the one in the data folder] [env: FAAFO_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// Flags of `faafo storage check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The picture store [default: the one in the data folder] [env: FAAFO_STORAGE_URL]
    #[arg(long, value_name = "URL")]
    pub storage_url: Option<String>,
    /// Also read every picture and compare its SHA-256
    #[arg(long)]
    pub checksums: bool,
    /// Let the service's tracker remove what no fractal refers to
    #[arg(long)]
    pub remove_orphans: bool,
    /// What was stored more recently may still be on its way to its row, and is no orphan
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub older_than: Duration,
}

/// Flags of `faafo storage migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Store to copy the pictures from, or database to copy the rows from
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// Store or database to copy them to
    #[arg(long, value_name = "URL")]
    pub to: String,
}

impl StorageCommand {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let (place, storage_url) = match self {
            Self::Check(args) => (&args.place, &args.storage_url),
            Self::Migrate(args) => (&args.place, &None),
        };
        let data = place.data.as_ref();
        let data = data.map(|data| data.to_string_lossy().into_owned());
        [
            ("data", "--data", &data),
            ("database_url", "--database-url", &place.database_url),
            ("storage_url", "--storage-url", storage_url),
        ]
        .into_iter()
        .filter_map(|(key, flag, value)| Some(Override::new(key, flag, value.clone()?)))
        .collect()
    }
}

/// A time such as 30s, 10m, 1h or 2d.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a whole number and s, m, h or d, such as 30s or 1h".to_owned();
    let split = text
        .len()
        .checked_sub(1)
        .filter(|at| text.is_char_boundary(*at));
    let (number, unit) = text.split_at(split.ok_or_else(wrong)?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        for wrong in ["", "h", "1", "1.5h", "-1h", "1w", "1é", "99999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
