//! `bodega recommend`: trains, and says how good the result is.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::{Args, Subcommand};
use recommendation::{
    evaluate::{self, Candidates, Log, Split, Taste},
    learn::Interactions,
};
use serde::Serialize;
use shared::{Error, Result};

use super::{Format, print_report, quiet};
use crate::Settings;

#[derive(Subcommand)]
pub enum Recommend {
    /// Train the shop's model now; or, of other interactions, only say how long that takes.
    Train {
        #[command(flatten)]
        source: Source,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Train on what came first and judge by what came after, against popularity and co-occurrence.
    Evaluate {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        held: Held,
        /// Write training.csv and wanted.csv there, for others to train and be judged on the same.
        #[arg(long, value_name = "FOLDER")]
        export: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Judge the lists of another program by the same measures.
    Judge {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        held: Held,
        /// A CSV with the columns user and item, the best items of each user first.
        #[arg(long, value_name = "FILE")]
        lists: PathBuf,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// Whose interactions. The shop's own where nothing is said.
#[derive(Args)]
pub struct Source {
    /// A CSV with the columns user, item, timestamp (a number) and, if need be, weight.
    #[arg(long, value_name = "FILE", conflicts_with = "synthetic")]
    csv: Option<PathBuf>,
    /// A made-up world in which people have tastes.
    #[arg(long)]
    synthetic: bool,
    #[arg(long, requires = "synthetic", value_name = "N", default_value_t = Taste::default().visitors)]
    visitors: u32,
    #[arg(long, requires = "synthetic", value_name = "N", default_value_t = Taste::default().products)]
    products: u32,
    #[arg(long, requires = "synthetic", value_name = "N", default_value_t = Taste::default().interactions)]
    interactions: u32,
    #[arg(long, requires = "synthetic", value_name = "N", default_value_t = Taste::default().tastes)]
    tastes: u32,
    #[arg(long, requires = "synthetic", value_name = "S", default_value_t = Taste::default().seed)]
    seed: u64,
}

/// How much is for judging.
#[derive(Args)]
pub struct Held {
    /// The last share of all interactions.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    held: f64,
}

/// Runs one of them. Settings are read only where the shop is asked.
pub async fn run(what: Recommend, settings: impl FnOnce() -> Result<Settings>) -> Result<ExitCode> {
    match what {
        Recommend::Train { source, format } => match log_of(&source)? {
            Some(log) => print_report(format, &timed(&log.interactions())?),
            None => {
                let model = quiet(settings()?).await?.ports.recommendations.train().await?;
                print_report(format, &Trained(model))
            }
        },
        Recommend::Evaluate { source, held, export, format } => {
            let (log, split) = split(&source, &held, settings).await?;
            if let Some(folder) = export {
                write(&folder, &log, &split)?;
            }
            let report = evaluate::evaluate(&split, &Candidates::default()).map_err(failed)?;
            print_report(format, &report)
        }
        Recommend::Judge { source, held, lists, format } => {
            let (log, split) = split(&source, &held, settings).await?;
            let name = lists.display().to_string();
            print_report(format, &evaluate::judge(&name, &read_lists(&lists, &log, &split)?, &split))
        }
    }
}

fn failed(error: impl std::error::Error) -> Error {
    Error::internal(error.to_string())
}

async fn split(
    source: &Source,
    held: &Held,
    settings: impl FnOnce() -> Result<Settings>,
) -> Result<(Log, Split)> {
    if !(0.0..1.0).contains(&held.held) {
        return Err(Error::invalid("--held", "out_of_range", "--held is a share: 0.2 is the last fifth"));
    }
    let log = match log_of(source)? {
        Some(log) => log,
        None => quiet(settings()?).await?.interactions().await?,
    };
    let split = log.split(held.held);
    Ok((log, split))
}

/// `None`: the shop's.
fn log_of(source: &Source) -> Result<Option<Log>> {
    let Source { visitors, products, interactions, tastes, seed, .. } = *source;
    if source.synthetic {
        if [visitors, products, interactions, tastes].contains(&0) || tastes > products {
            let detail = "a world has visitors, products, interactions, and not more tastes than products";
            return Err(Error::invalid("--synthetic", "out_of_range", detail));
        }
        let world = Taste { visitors, products, interactions, tastes, seed, ..Taste::default() };
        return Ok(Some(evaluate::synthetic(&world)));
    }
    source.csv.as_deref().map(read_log).transpose()
}

#[derive(serde::Deserialize)]
struct Row {
    user: String,
    item: String,
    timestamp: f64,
    #[serde(default)]
    weight: Option<f32>,
}

fn open(file: &Path) -> Result<csv::Reader<std::fs::File>> {
    csv::Reader::from_path(file)
        .map_err(|error| Error::invalid("file", "unreadable", format!("{}: {error}", file.display())))
}

fn read_log(file: &Path) -> Result<Log> {
    let mut log = Log::default();
    let (mut users, mut items) = (HashMap::new(), HashMap::new());
    for row in open(file)?.deserialize() {
        let Row { user, item, timestamp, weight } =
            row.map_err(|error| Error::invalid("file", "malformed", format!("{}: {error}", file.display())))?;
        let visitor = number(user, &mut users, &mut log.visitors);
        let product = number(item, &mut items, &mut log.products);
        log.events.push((visitor, product, timestamp as i64, weight.unwrap_or(1.0)));
    }
    Ok(log)
}

fn number(name: String, numbers: &mut HashMap<String, u32>, names: &mut Vec<String>) -> u32 {
    *numbers.entry(name).or_insert_with_key(|name| {
        names.push(name.clone());
        names.len() as u32 - 1
    })
}

fn write(folder: &Path, log: &Log, split: &Split) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::internal)?;
    let writer = |name: &str| csv::Writer::from_path(folder.join(name)).map_err(Error::internal);
    let mut training = writer("training.csv")?;
    training.write_record(["user", "item", "weight"]).map_err(Error::internal)?;
    for (visitor, user) in log.visitors.iter().enumerate() {
        for (product, weight) in split.training.entries(visitor) {
            let record = [user, &log.products[product as usize], &weight.to_string()];
            training.write_record(record).map_err(Error::internal)?;
        }
    }
    training.flush().map_err(Error::internal)?;
    let mut wanted = writer("wanted.csv")?;
    wanted.write_record(["user", "item"]).map_err(Error::internal)?;
    for judged in &split.wanted {
        for product in &judged.products {
            let record = [&log.visitors[judged.visitor as usize], &log.products[*product as usize]];
            wanted.write_record(record).map_err(Error::internal)?;
        }
    }
    wanted.flush().map_err(Error::internal)
}

#[derive(serde::Deserialize)]
struct Entry {
    user: String,
    item: String,
}

fn read_lists(file: &Path, log: &Log, split: &Split) -> Result<Vec<Vec<u32>>> {
    let index = |names: &[String]| names.iter().cloned().zip(0..).collect::<HashMap<String, u32>>();
    let (users, items) = (index(&log.visitors), index(&log.products));
    let mut lists = HashMap::<u32, Vec<u32>>::new();
    for entry in open(file)?.deserialize() {
        let Entry { user, item } = entry
            .map_err(|error| Error::invalid("file", "malformed", format!("{}: {error}", file.display())))?;
        if let (Some(user), Some(item)) = (users.get(&user), items.get(&item)) {
            lists.entry(*user).or_default().push(*item);
        }
    }
    Ok(split.wanted.iter().map(|wanted| lists.remove(&wanted.visitor).unwrap_or_default()).collect())
}

/// How long it took, and how much memory.
#[derive(Serialize)]
struct Timed {
    interactions: usize,
    item_item_seconds: f64,
    als_seconds: f64,
    /// The most memory that the process ever had; where the system says so.
    peak_bytes: Option<u64>,
}

fn timed(data: &Interactions) -> Result<Timed> {
    use recommendation::linfa::{DatasetBase, traits::Fit};
    let candidates = Candidates::default();
    let data = DatasetBase::new(data.clone(), ());
    let started = Instant::now();
    let neighbours = candidates.item_item.fit(&data).map_err(failed)?;
    let item_item_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let factors = candidates.als.fit(&data).map_err(failed)?;
    let als_seconds = started.elapsed().as_secs_f64();
    let peak_bytes = peak_bytes();
    drop((neighbours, factors));
    Ok(Timed { interactions: data.records().len(), item_item_seconds, als_seconds, peak_bytes })
}

fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { interactions, item_item_seconds, als_seconds, peak_bytes } = self;
        write!(
            f,
            "{interactions} interactions: BM25 item-item {item_item_seconds:.2} s, ALS {als_seconds:.2} s"
        )?;
        peak_bytes.map_or(Ok(()), |bytes| write!(f, ", at most {} MiB", bytes >> 20))
    }
}

/// What became of the shop's training.
#[derive(Serialize)]
#[serde(transparent)]
struct Trained(contracts::recommendation::ModelInfo);

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = &self.0;
        write!(f, "{} from {} interactions of {} visitors", model.id, model.interactions, model.visitors)?;
        write!(f, " with {} products: {} rules, {} bytes,", model.products, model.rules, model.bytes)?;
        write!(f, " {}.{:03} s", model.milliseconds / 1000, model.milliseconds % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_is_read_split_written_and_judged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.csv");
        let rows =
            ["user,item,timestamp,weight", "ada,mug,10,1", "bob,pen,11,2.5", "bob,mug,12,", "ada,pen,20,1"];
        std::fs::write(&file, rows.join("\n")).unwrap();
        let log = read_log(&file).unwrap();
        assert_eq!(log.events[1], (1, 1, 11, 2.5));
        let split = log.split(0.25);
        write(folder.path(), &log, &split).unwrap();
        let wanted = std::fs::read_to_string(folder.path().join("wanted.csv")).unwrap();
        assert_eq!(wanted, "user,item\nada,pen\n");
        let lists = read_lists(&folder.path().join("wanted.csv"), &log, &split).unwrap();
        let report = evaluate::judge("perfect", &lists, &split);
        assert_eq!(report.lines[0].scores.ndcg.mean, 1.0);
        std::fs::write(&file, "user,item\nada,mug").unwrap();
        assert!(read_log(&file).is_err());
    }
}
