//! What stands under the table.

use std::fs;

/// The processor, its cores, and the load.
pub fn description() -> String {
    let contents = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = contents.lines().find_map(|line| line.strip_prefix("model name"));
    let name = model.and_then(|rest| rest.split(':').nth(1)).map_or("unknown", str::trim);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Processor: {name}, {cores} cores, shared by the servers and the generator.\nLoad average at the end: {}.",
        load()
    )
}

/// The load average.
pub fn load() -> String {
    let contents = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    contents.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
