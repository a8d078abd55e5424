//! Completion scripts and manual pages, made from the argument definitions.

use crate::args::Cli;
use crate::output;
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints the completion script for a shell.
pub fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "faafo", &mut script);
    output::document(&script)
}

/// Prints the manual page of faafo, or of one of its commands.
pub fn man(name: Option<&str>) -> anyhow::Result<()> {
    output::document(&page(name)?)
}

fn page(name: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let mut command = Cli::command();
    // Also hands the global flags down to the commands.
    command.build();
    if let Some(name) = name {
        let found = command.find_subcommand(name);
        let found = found.with_context(|| format!("there is no command {name:?}"))?;
        let title = format!("faafo-{}", found.get_name());
        command = found.clone().name(title);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .context("can't make the manual page")?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_manual_page() {
        let top = String::from_utf8(page(None).unwrap()).unwrap();
        assert!(top.contains("endpoint\\-url"));
        for command in Cli::command().get_subcommands() {
            let text = String::from_utf8(page(Some(command.get_name())).unwrap()).unwrap();
            assert!(text.contains("endpoint\\-url"), "{text}");
        }
        assert!(page(Some("nonsense")).is_err());
    }
}
