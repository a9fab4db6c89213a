//! The options that init takes from the kernel command line.
//!
//! | option | does |
//! |---|---|
//! | `avf.report=vsock` | reports go to the host over vsock; the default |
//! | `avf.report=console` | reports go to the console as text lines; vsock is neither needed nor waited for |

/// Where the reports of this boot go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportTarget {
    Vsock,
    Console,
}

/// Finds `avf.report=` in a kernel command line; as with the kernel's own options, the last one counts.
pub fn report_target(cmdline: &[u8]) -> Result<ReportTarget, String> {
    let value = cmdline
        .split(u8::is_ascii_whitespace)
        .filter_map(|word| word.strip_prefix(b"avf.report=".as_slice()))
        .next_back();
    match value {
        None | Some(b"vsock") => Ok(ReportTarget::Vsock),
        Some(b"console") => Ok(ReportTarget::Console),
        Some(other) => Err(format!("avf.report must be vsock or console but was {:?}", String::from_utf8_lossy(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_over_vsock_unless_told_otherwise() {
        assert_eq!(report_target(b"console=ttyS0 panic=-1\n"), Ok(ReportTarget::Vsock));
    }

    #[test]
    fn last_option_counts() {
        assert_eq!(report_target(b"avf.report=vsock avf.report=console\n"), Ok(ReportTarget::Console));
    }

    #[test]
    fn quotes_an_unknown_value() {
        let message = report_target(b"avf.report=pigeon").unwrap_err();
        assert_eq!(message, "avf.report must be vsock or console but was \"pigeon\"");
    }
}
