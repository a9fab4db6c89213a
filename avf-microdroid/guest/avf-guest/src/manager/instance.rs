//! The instance image: what this instance was at its first boot it must be at all others.
//!
//! | strict boot | the host says | record | then |
//! |---|---|---|---|
//! | yes | new | found | refused: the host lies, or starts an old instance as a new one |
//! | yes | not new | none | refused: the record was taken away, or the first boot was killed before it was written |
//! | yes | new | none | written |
//! | no | anything | none | written |
//! | any other | | equal | goes on |
//! | any other | | another | refused: the payload has changed |
//!
//! Where rollback protection is deferred, the image is not even opened.

use std::fs::OpenOptions;

use avf_formats::dice::CDI_SIZE;
use avf_formats::instance::{Image, InstanceError, Record, Sealer};
use avf_formats::secret::Secret;

use super::host::Flags;
use crate::disk;
use crate::failure::{Failure, MAKE_ANEW};

const SERIAL: &str = "vm-instance";

/// The image and what it remembers.
pub struct Instance {
    image: Image<std::fs::File>,
    sealer: Sealer,
    saved: Option<Record>,
}

/// What becomes of a record that was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is the saved one.
    Known,
    /// There is none, and this one is to be written.
    Write,
}

impl Instance {
    /// Opens the image, with a key from the secret that was handed over, and checks that there is a record or none, as
    /// the flags say.
    pub fn open(flags: Flags, handed_over: &Secret<CDI_SIZE>) -> Result<Self, Failure> {
        let disk = disk::find(SERIAL)?;
        let file = OpenOptions::new().read(true).write(true).open(&disk.path);
        let file = file.map_err(|error| failed(&InstanceError::Io(error)))?;
        let sealer = Sealer::new(handed_over);
        let mut image = Image::open(file).map_err(|error| failed(&error))?;
        let saved = Record::read(&mut image, &sealer).map_err(|error| failed(&error))?;
        require_as_booted(flags, saved.is_some())?;
        Ok(Self { image, sealer, saved })
    }

    /// The record of the boots before, if there were any.
    pub fn saved(&self) -> Option<&Record> {
        self.saved.as_ref()
    }

    /// Compares a verified payload with the saved one, or saves it. Returns whether this is the first boot.
    pub fn settle(mut self, verified: &Record) -> Result<bool, Failure> {
        match compare(self.saved.as_ref(), verified)? {
            Verdict::Known => Ok(false),
            Verdict::Write => {
                verified.write(&mut self.image, &self.sealer).map_err(|error| failed(&error))?;
                Ok(true)
            }
        }
    }
}

fn failed(error: &InstanceError) -> Failure {
    let damaged = matches!(
        error,
        InstanceError::Missing | InstanceError::NotOurs | InstanceError::Record { .. } | InstanceError::Invalid { .. }
    );
    let advice = if damaged { format!(": {MAKE_ANEW}") } else { String::new() };
    Failure::machine(format!("cannot use the instance data: {error}{advice}"))
}

fn require_as_booted(flags: Flags, found: bool) -> Result<(), Failure> {
    match (flags.strict, flags.new_instance, found) {
        (true, true, true) => Err(Failure::payload("Found instance data on first boot.")),
        // Taken away, or the first boot was killed before there was a record.
        (true, false, false) => {
            Err(Failure::payload(format!("Instance data not found. If the first boot was cut, {MAKE_ANEW}")))
        }
        _ => Ok(()),
    }
}

fn compare(saved: Option<&Record>, verified: &Record) -> Result<Verdict, Failure> {
    match saved.map(|saved| verified.changed_since(saved)) {
        None => Ok(Verdict::Write),
        Some(None) => Ok(Verdict::Known),
        Some(Some(difference)) => Err(Failure::changed(difference)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorCode;
    use avf_formats::instance::{Apex, Apk};

    fn record(root: u8) -> Record {
        Record {
            salt: None,
            apk: Apk {
                root_hash: vec![root; 32],
                cert_hash: vec![2; 64],
                package_name: "a.b".into(),
                version_code: 1,
                rollback_index: Some(None),
            },
            extra_apks: Vec::new(),
            apexes: Vec::new(),
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Saved {
        Nothing,
        Same,
        Other,
    }

    #[test]
    fn every_combination_has_its_verdict() {
        use Saved::{Nothing, Other, Same};
        let known = Ok(Verdict::Known);
        let write = Ok(Verdict::Write);
        let changed = Err((ErrorCode::PayloadChanged, "The payload's APK has changed."));
        let found = Err((ErrorCode::PayloadInvalidConfig, "Found instance data on first boot."));
        let missing = Err((
            ErrorCode::PayloadInvalidConfig,
            "Instance data not found. If the first boot was cut, the instance must be made anew: delete the VM and \
             create it again",
        ));
        let table = [
            (true, true, Nothing, write),
            (true, true, Same, found),
            (true, true, Other, found),
            (true, false, Nothing, missing),
            (true, false, Same, known),
            (true, false, Other, changed),
            (false, true, Nothing, write),
            (false, true, Same, known),
            (false, true, Other, changed),
            (false, false, Nothing, write),
            (false, false, Same, known),
            (false, false, Other, changed),
        ];
        for (strict, new_instance, saved, expected) in table {
            let flags = Flags { strict, new_instance, defer_rollback_protection: false };
            let before = match saved {
                Nothing => None,
                Same => Some(record(1)),
                Other => Some(record(9)),
            };
            let verdict =
                require_as_booted(flags, before.is_some()).and_then(|()| compare(before.as_ref(), &record(1)));
            let verdict = verdict.map_err(|failure| (failure.code, failure.message));
            let expected = expected.map_err(|(code, message)| (code, message.to_owned()));
            assert_eq!(verdict, expected, "strict={strict} new={new_instance} {saved:?}");
        }
    }

    #[test]
    fn each_part_of_a_record_counts() {
        let code = |saved: &Record| compare(Some(saved), &record(1)).unwrap_err().code;
        let apk = |change: fn(&mut Apk)| {
            let mut other = record(1);
            change(&mut other.apk);
            code(&other)
        };
        assert_eq!(apk(|apk| apk.cert_hash[0] ^= 1), ErrorCode::PayloadChanged);
        assert_eq!(apk(|apk| apk.version_code += 1), ErrorCode::PayloadChanged);
        assert_eq!(apk(|apk| apk.package_name.push('x')), ErrorCode::PayloadChanged);
        let mut extra = record(1);
        extra.extra_apks.push(record(3).apk);
        assert_eq!(code(&extra), ErrorCode::PayloadChanged);
        let mut with_apex = record(1);
        with_apex.apexes.push(Apex {
            name: "x".into(),
            manifest_name: None,
            manifest_version: None,
            public_key: vec![],
            root_digest: vec![],
            last_update_seconds: 0,
            is_factory: false,
        });
        assert_eq!(compare(Some(&with_apex), &record(1)).unwrap_err().message, "APEXes have changed.");
    }

    #[test]
    fn what_cannot_be_opened_is_an_error_of_the_machine_that_says_what_to_do() {
        let failure = failed(&InstanceError::NotOurs);
        assert_eq!(failure.code, ErrorCode::Unknown);
        assert!(failure.message.ends_with(MAKE_ANEW), "{failure}");
    }
}
