//! `faafo producer`: asks for random fractals, again and again, as the original's producer did.

use super::create;
use crate::args::ProducerArgs;
use crate::client::Client;
use crate::output::Output;
use anyhow::ensure;
use std::time::Duration;

/// Asks until it is stopped, or once. A service that is away for a while is no reason to end.
pub async fn run(client: &Client, args: &ProducerArgs, out: &mut Output) -> anyhow::Result<()> {
    ensure!(
        args.min_pause <= args.max_pause,
        "--min-pause {} is above --max-pause {}",
        args.min_pause,
        args.max_pause
    );
    let mut round = args.create.clone();
    loop {
        match create::run(client, &round, out).await {
            Ok(()) => {}
            Err(error) if args.one_shot => return Err(error),
            Err(error) => tracing::error!("{error:#}"),
        }
        if args.one_shot {
            return Ok(());
        }
        // With a seed, too, every round is another one.
        round.recipe.seed = round.recipe.seed.map(|seed| seed.wrapping_add(1));
        let pause = fastrand::u32(args.min_pause..=args.max_pause);
        tracing::info!("sleeping for {pause} seconds");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(pause.into())) => {}
            stopped = crate::service::stop_requested() => return stopped,
        }
    }
}
