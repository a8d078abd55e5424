//! `faafo config`: looking at the settings.

use crate::args::ConfigCommand;
use crate::config::Settings;
use crate::output;

/// Prints the settings, or that nothing is wrong with them: loading them has checked them.
pub fn run(command: &ConfigCommand, settings: &Settings) -> anyhow::Result<()> {
    settings.config()?;
    let text = match command {
        ConfigCommand::Show => settings.to_toml(),
        ConfigCommand::Check => match &settings.file {
            Some(path) => format!("{} and the environment are fine\n", path.display()),
            None => "the environment is fine; there is no settings file\n".to_owned(),
        },
    };
    output::document(text.as_bytes())
}
