//! What of a package runs: a library by its name, or what the package's own configuration says.
//!
//! Of the configuration (`assets/vm_config.json`, by AVF's format) the guest takes the task and the count of extra
//! APKs, and refuses one that wants authfs. Other keys are the host's business, or have no meaning here.

use std::ffi::CString;
use std::fmt;
use std::path::Path;

use avf_formats::metadata::{APK_ROOT, Task};
use serde_json::Value;

use crate::failure::Failure;
use crate::sys;

const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// The folder of libraries in a package, for this machine.
#[cfg(target_arch = "x86_64")]
pub const LIBRARIES: &str = "/mnt/apk/lib/x86_64";
#[cfg(target_arch = "aarch64")]
pub const LIBRARIES: &str = "/mnt/apk/lib/arm64-v8a";

const LAUNCHER: &str = "/system/bin/microdroid_launcher";
const SYSTEM_LIBRARIES: &str = "/system/lib64";

/// A program with its arguments, the first of which is its name.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    pub path: CString,
    pub arguments: Vec<CString>,
    /// What must be there: the library, or the program itself.
    pub file: String,
}

impl Command {
    /// What the metadata ask for. Reads the package, which must be mounted.
    pub fn of(task: &Task, extra_apks: usize) -> Result<Self, Failure> {
        let command = match task {
            Task::Binary { name, extra_apk_count } => {
                require_count(*extra_apk_count as usize, extra_apks)?;
                Self::library(name)?
            }
            Task::ConfigPath(path) => {
                require_inside(path)?;
                let failed = |what: &dyn fmt::Display| Failure::payload(format!("{path}: {what}"));
                let text = sys::read_bounded(path.as_ref(), MAX_CONFIG_BYTES).map_err(|error| failed(&error))?;
                Self::of_config(&text, extra_apks).map_err(|failure| failed(&failure))?
            }
        };
        // Before anything is reported as started.
        match std::fs::metadata(Path::new(&command.file)) {
            Ok(metadata) if metadata.is_file() => Ok(command),
            Ok(_) => Err(Failure::machine(format!("Unable to access {}: it is no file", command.file))),
            Err(error) => Err(Failure::machine(format!("Unable to access {}: {error}", command.file))),
        }
    }

    fn of_config(text: &[u8], extra_apks: usize) -> Result<Self, Failure> {
        let config: Value =
            serde_json::from_slice(text).map_err(|error| Failure::payload(format!("is no JSON: {error}")))?;
        if !config.is_object() {
            return Err(Failure::payload("must be an object"));
        }
        let listed = match config.get("extra_apks") {
            None => 0,
            Some(Value::Array(list)) => list.len(),
            Some(_) => return Err(Failure::payload("\"extra_apks\" must be a list")),
        };
        require_count(listed, extra_apks)?;
        if config.get("enable_authfs").is_some_and(|wanted| *wanted != Value::Bool(false)) {
            return Err(Failure::payload("\"enable_authfs\" must be false: this guest has no authfs"));
        }
        let task = config.get("task").filter(|task| !task.is_null());
        let task = task.ok_or_else(|| Failure::payload("no \"task\": nothing to run"))?;
        let command = task.get("command").and_then(Value::as_str);
        let command = command.ok_or_else(|| Failure::payload("the task must have a \"command\""))?;
        match task.get("type").map(Value::as_str) {
            Some(Some("microdroid_launcher")) => Self::library(command),
            None | Some(Some("executable")) => Self::executable(command),
            Some(_) => Err(Failure::payload("the type of a task must be \"executable\" or \"microdroid_launcher\"")),
        }
    }

    fn library(name: &str) -> Result<Self, Failure> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(Failure::payload(format!("the name of a library must not be empty or a path: {name:?}")));
        }
        let file = format!("{LIBRARIES}/{name}");
        let arguments = [LAUNCHER, &file].map(|text| CString::new(text).expect("NUL was refused"));
        Ok(Self { path: arguments[0].clone(), arguments: arguments.to_vec(), file })
    }

    fn executable(path: &str) -> Result<Self, Failure> {
        match CString::new(path) {
            Ok(program) if path.starts_with('/') => {
                Ok(Self { path: program.clone(), arguments: vec![program], file: path.to_owned() })
            }
            _ => Err(Failure::payload(format!("an executable must be an absolute path but is {path:?}"))),
        }
    }

    /// Its whole environment: where the loader finds the libraries beside the payload, then those of the system.
    pub fn environment() -> Vec<CString> {
        let search = format!("LD_LIBRARY_PATH={LIBRARIES}:{SYSTEM_LIBRARIES}");
        ["PATH=/system/bin", "HOME=/", &search].map(|text| CString::new(text).expect("no NUL")).to_vec()
    }
}

fn require_count(expected: usize, found: usize) -> Result<(), Failure> {
    if expected == found {
        Ok(())
    } else {
        Err(Failure::payload(format!("the payload has {expected} extra APKs but the payload disk has {found}")))
    }
}

/// The path is the host's; only what is in the package was verified.
fn require_inside(path: &str) -> Result<(), Failure> {
    let rest = path.strip_prefix(APK_ROOT);
    if rest.is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")) && !rest.contains('\0')) {
        Ok(())
    } else {
        Err(Failure::payload(format!("the configuration must be below {APK_ROOT} but is {path:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorCode;

    fn config(text: &str, extra_apks: usize) -> Result<Command, Failure> {
        Command::of_config(text.as_bytes(), extra_apks)
    }

    #[test]
    fn a_library_runs_in_the_launcher() {
        let text = r#"{"task": {"type": "microdroid_launcher", "command": "libx.so"}, "version": 1}"#;
        let command = config(text, 0).unwrap();
        assert_eq!(command.file, format!("{LIBRARIES}/libx.so"));
        assert_eq!(command.path.to_str().unwrap(), LAUNCHER);
        assert_eq!(command.arguments[1].to_str().unwrap(), command.file);
        assert_eq!(Command::library("libx.so").unwrap(), command);
    }

    #[test]
    fn an_executable_runs_as_it_is_and_is_the_default() {
        for kind in ["", r#""type": "executable","#] {
            let text =
                format!(r#"{{"task": {{{kind} "command": "/mnt/apk/bin/run"}}, "extra_apks": [{{"path": "x"}}]}}"#);
            let command = config(&text, 1).unwrap();
            assert_eq!(command.file, "/mnt/apk/bin/run");
            assert_eq!(command.arguments, [command.path]);
        }
    }

    #[test]
    fn refuses_what_cannot_run_as_a_wrong_configuration() {
        let cases = [
            ("", 0, "no JSON"),
            ("[]", 0, "must be an object"),
            ("{}", 0, "no \"task\""),
            (r#"{"task": null}"#, 0, "no \"task\""),
            (r#"{"task": {"type": "executable"}}"#, 0, "\"command\""),
            (r#"{"task": {"type": "executable", "command": 1}}"#, 0, "\"command\""),
            (r#"{"task": {"type": "x", "command": "/a"}}"#, 0, "the type of a task"),
            (r#"{"task": {"type": null, "command": "/a"}}"#, 0, "the type of a task"),
            (r#"{"task": {"command": "a"}}"#, 0, "absolute path"),
            (r#"{"task": {"type": "microdroid_launcher", "command": "../x.so"}}"#, 0, "a path"),
            (r#"{"task": {"command": "/a"}, "extra_apks": 1}"#, 0, "a list"),
            (r#"{"task": {"command": "/a"}, "enable_authfs": true}"#, 0, "no authfs"),
            (r#"{"task": {"command": "/a"}, "extra_apks": []}"#, 1, "0 extra APKs"),
        ];
        for (text, extra_apks, reason) in cases {
            let failure = config(text, extra_apks).unwrap_err();
            assert_eq!(failure.code, ErrorCode::PayloadInvalidConfig, "{text}");
            assert!(failure.message.contains(reason), "{text}: {failure}");
        }
        assert!(config(&"[".repeat(100_000), 0).is_err());
    }

    #[test]
    fn a_configuration_is_read_from_the_package_only() {
        assert!(require_inside("/mnt/apk/assets/vm_config.json").is_ok());
        for path in ["/mnt/apk/", "/etc/x", "/mnt/apk/../x", "/mnt/apk//x", "assets/x", "/mnt/apk/a/./b"] {
            assert_eq!(require_inside(path).unwrap_err().code, ErrorCode::PayloadInvalidConfig, "{path}");
        }
    }

    #[test]
    fn a_library_that_is_not_there_is_an_error_before_the_start() {
        let task = Task::Binary { name: "libabsent.so".into(), extra_apk_count: 0 };
        let failure = Command::of(&task, 0).unwrap_err();
        assert_eq!(failure.code, ErrorCode::Unknown);
        assert!(failure.message.starts_with("Unable to access /mnt/apk/lib/"), "{failure}");
    }
}
