//! What nginx balances over, as Consul sees it.

use std::{path::Path, process::Stdio, time::Duration};

use shared::{Error, Result};
use tokio_util::sync::CancellationToken;

use super::{Consul, Instance};

/// Changes that come together are written together.
const TOGETHER: Duration = Duration::from_millis(100);

/// The pause before a command that failed is run again.
const AGAIN: Duration = Duration::from_secs(5);

/// Writes the ready instances of `service` to `out` as nginx's `server` lines, and runs `reload` with the shell when they
/// have changed. Once, or with `watch` until `stop`; then a failing command is logged and run again.
///
/// # Errors
/// `Unavailable` if Consul cannot be reached, without `watch`; `Internal` if the file cannot be written.
pub async fn upstreams(
    consul: &Consul,
    service: &str,
    out: &Path,
    reload: Option<&str>,
    watch: bool,
    stop: CancellationToken,
) -> Result<()> {
    if !watch {
        return publish(&consul.passing(service).await?, out, reload).await;
    }
    let mut known = consul.watch(service, stop.clone());
    loop {
        let instances = known.borrow_and_update().clone();
        // Nobody is known yet: what an earlier run has found is better than nothing.
        let published = match !instances.is_empty() || !out.exists() {
            true => publish(&instances, out, reload).await,
            false => Ok(()),
        };
        let Err(error) = published else {
            let changed = stop.run_until_cancelled(known.changed()).await;
            if !matches!(changed, Some(Ok(()))) {
                return Ok(());
            }
            tokio::time::sleep(TOGETHER).await;
            continue;
        };
        tracing::error!(error = error.chain(), "nginx does not follow; trying again");
        if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
            return Ok(());
        }
    }
}

async fn publish(instances: &[Instance], out: &Path, reload: Option<&str>) -> Result<()> {
    let text = lines(instances);
    if std::fs::read_to_string(out).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let part = out.with_extension("part");
    std::fs::write(&part, text).map_err(Error::internal)?;
    let before = std::fs::read(out).ok();
    std::fs::rename(&part, out).map_err(Error::internal)?;
    tracing::info!(instances = instances.len(), file = %out.display(), "upstreams written");
    let Some(command) = reload else { return Ok(()) };
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    let status = tokio::task::spawn_blocking(move || shell.status()).await.map_err(Error::internal)?;
    match status.map_err(Error::internal)? {
        status if status.success() => Ok(()),
        status => {
            // As if it had not been written: the next try is one.
            match before {
                Some(before) => std::fs::write(out, before).map_err(Error::internal)?,
                None => std::fs::remove_file(out).map_err(Error::internal)?,
            }
            Err(Error::internal(format!("{command}: {status}")))
        }
    }
}

/// Without anybody there is a line that lets nginx start and refuses everybody.
fn lines(instances: &[Instance]) -> String {
    let mut text = "# Written by bodega upstreams.\n".to_owned();
    if instances.is_empty() {
        text.push_str("server 127.0.0.1:9 down;\n");
    }
    for Instance { address, port, .. } in instances {
        let host = if address.contains(':') { format!("[{address}]") } else { address.clone() };
        text.push_str(&format!("server {host}:{port} max_fails=1 fail_timeout=2s;\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_has_a_line_and_nobody_has_one_too() {
        let at = |address: &str| Instance {
            id: address.into(),
            address: address.into(),
            port: 8080,
            version: "1".into(),
        };
        let text = lines(&[at("10.0.0.1"), at("fd00::1")]);
        assert!(text.contains("\nserver 10.0.0.1:8080 max_fails=1 fail_timeout=2s;\n"), "{text}");
        assert!(text.contains("\nserver [fd00::1]:8080 "), "{text}");
        assert!(lines(&[]).contains("down;"));
    }
}
