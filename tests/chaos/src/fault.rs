//! Does to a part what its cell says, and ends it.

use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::brokers::Brokers;
use crate::part::{Cell, Fault, Part};
use crate::processes::signal;
use crate::proxy::Mode;
use crate::site::Site;

/// How long a frozen or cut off part stays so.
const LASTS: Duration = Duration::from_secs(5);
/// How long a killed service is away.
const AWAY: Duration = Duration::from_millis(1500);
/// How long orders wait for their embeddings before a broker forgets.
const PILES_UP: Duration = Duration::from_secs(2);
/// How long the stack may take to start a server again; the real ones need some seconds.
const STARTED_AGAIN_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// Disturbs a part for a while. What went wrong with that is in the answer: the part's fault, not ours.
pub(crate) async fn disturb(
    site: &mut Site,
    brokers: &Brokers,
    cell: Cell,
) -> anyhow::Result<Vec<String>> {
    let Cell { part, fault } = cell;
    match fault {
        Fault::Kill if part.is_service() => {
            site.services.kill(part).await?;
            sleep(AWAY).await;
            site.services.start_one(part)?;
        }
        Fault::Kill => kill_server(site, part).await?,
        Fault::Restart => return restart(site, part).await,
        Fault::Freeze if part.is_service() => {
            site.services.signal(part, Signal::SIGSTOP)?;
            sleep(LASTS).await;
            site.services.signal(part, Signal::SIGCONT)?;
        }
        Fault::Freeze if part == Part::Kafka => {
            let pid = site.pid(part)?.context("Kafka has a process")?;
            signal(pid, Signal::SIGSTOP)?;
            sleep(LASTS).await;
            signal(pid, Signal::SIGCONT)?;
        }
        Fault::Freeze => through_proxy(site, part, Mode::Freeze).await?,
        Fault::Cut => through_proxy(site, part, Mode::Cut).await?,
        Fault::Forget => forget(site, brokers, part).await?,
    }
    Ok(Vec::new())
}

async fn through_proxy(site: &Site, part: Part, mode: Mode) -> anyhow::Result<()> {
    let proxy = site.proxy(part)?;
    proxy.set(mode);
    sleep(LASTS).await;
    proxy.set(Mode::Pass);
    Ok(())
}

async fn restart(site: &mut Site, service: Part) -> anyhow::Result<Vec<String>> {
    let status = site.services.stop(service).await?;
    site.services.start_one(service)?;
    let name = service.name();
    Ok(match status {
        Some(status) if status.success() => Vec::new(),
        Some(status) => vec![format!("{name} stopped with {status}")],
        None => vec![format!("{name} did not stop in time after SIGTERM")],
    })
}

/// The stack starts it again.
async fn kill_server(site: &Site, part: Part) -> anyhow::Result<()> {
    let killed = site.pid(part)?.context("it has a process")?;
    signal(killed, Signal::SIGKILL)?;
    let deadline = Instant::now() + STARTED_AGAIN_WITHIN;
    while site.pid(part)? == Some(killed) {
        if Instant::now() > deadline {
            bail!("{} was not started again", part.name());
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// Orders pile up before the embeddings; then whoever receives from the broker dies, and with it what it had in hand, and
/// the broker is emptied.
async fn forget(site: &mut Site, brokers: &Brokers, part: Part) -> anyhow::Result<()> {
    let receiver = match part {
        Part::Sqs => Part::Classifier,
        _ => Part::Orders,
    };
    site.proxy(Part::Embeddings)?.set(Mode::Freeze);
    sleep(PILES_UP).await;
    site.services.kill(receiver).await?;
    site.proxy(Part::Embeddings)?.set(Mode::Pass);
    sleep(AWAY).await;
    brokers.empty(part).await?;
    site.services.start_one(receiver)
}
