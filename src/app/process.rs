//! How much memory the program holds, as the platform tells.

/// Of a line of the process's status, such as `VmRSS` (now) or `VmHWM` (at most); None where the platform has no such file. It lies
/// in memory: reading it waits for nothing.
pub fn bytes(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
    let kib: u64 = value.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
