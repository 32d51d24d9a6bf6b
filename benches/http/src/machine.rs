//! The end of the report: the processor, its load, and limits of the system.

use std::fs;

/// Describes the processor, its cores, and the load.
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

/// Raises the limit of open files to its maximum, also for child processes, and returns it.
pub fn raise_open_files() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // Sound: all calls get a valid structure that outlives them.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
            libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        }
    }
    limit.rlim_cur
}

/// Returns the load average of the machine.
pub fn load() -> String {
    let contents = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    contents.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
