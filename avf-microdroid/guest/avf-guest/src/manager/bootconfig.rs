//! The file `/bootconfig` of the verified initial RAM disk: what this guest is, beyond the host's later words.
//!
//! Lines of `key = value`; a value may be in quotes. A key that stands there twice is refused, as are lines of any
//! other form.

use avf_formats::Hash;

use crate::failure::Failure;
use crate::sys;

/// The file whose existence makes a guest one with a package.
pub const FILE: &str = "/bootconfig";

const MAX_BYTES: u64 = 32 << 10;
const MAX_VBMETA_BYTES: u64 = 64 << 10;

const DEBUGGABLE: &str = "androidboot.microdroid.debuggable";
const VBMETA_SIZE: &str = "androidboot.vbmeta.size";
const VBMETA_DIGEST: &str = "androidboot.vbmeta.digest";
const VBMETA_HASH: &str = "androidboot.vbmeta.hash_alg";

/// What the guest takes from its bootconfig.
#[derive(Debug, PartialEq, Eq)]
pub struct Bootconfig {
    /// Whether the guest can be debugged. Nobody can say so later.
    pub debuggable: bool,
    pub vbmeta: Vbmeta,
}

/// The vbmeta image of the system, by its digest.
#[derive(Debug, PartialEq, Eq)]
pub struct Vbmeta {
    /// Its length in bytes, at most 64 KiB.
    pub size: usize,
    pub hash: Hash,
    pub digest: Vec<u8>,
}

impl Bootconfig {
    pub fn read() -> Result<Self, Failure> {
        let bytes = sys::read_bounded(FILE.as_ref(), MAX_BYTES)
            .map_err(|error| Failure::machine(format!("cannot read {FILE}: {error}")))?;
        Self::parse(&bytes).map_err(|reason| Failure::machine(format!("{FILE}: {reason}")))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pairs = lines.map(pair).collect::<Result<Vec<_>, _>>()?;
        let value = |key: &str| {
            let mut found = pairs.iter().filter(|(name, _)| *name == key).map(|(_, value)| *value);
            match (found.next(), found.next()) {
                (Some(value), None) => Ok(value),
                (None, _) => Err(format!("has no {key}")),
                (Some(_), Some(_)) => Err(format!("has {key} twice")),
            }
        };
        let debuggable = match value(DEBUGGABLE)? {
            "0" => false,
            "1" => true,
            other => return Err(format!("{DEBUGGABLE} must be 0 or 1 but is {other:?}")),
        };
        let size = value(VBMETA_SIZE)?.parse().ok().filter(|size| (1..=MAX_VBMETA_BYTES).contains(size));
        let size = size.ok_or_else(|| format!("{VBMETA_SIZE} must be in 1..={MAX_VBMETA_BYTES}"))?;
        let hash = Hash::named(value(VBMETA_HASH)?);
        let hash = hash.ok_or_else(|| format!("{VBMETA_HASH} must be sha256 or sha512"))?;
        let digest = unhex(value(VBMETA_DIGEST)?).filter(|digest| digest.len() == hash.size());
        let digest =
            digest.ok_or_else(|| format!("{VBMETA_DIGEST} must have {} hexadecimal digits", 2 * hash.size()))?;
        Ok(Self { debuggable, vbmeta: Vbmeta { size: size as usize, hash, digest } })
    }
}

fn pair(line: &str) -> Result<(&str, &str), String> {
    let (key, value) =
        line.split_once('=').ok_or_else(|| format!("must have lines of key = value but has {line:?}"))?;
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Ok((key.trim(), quoted.unwrap_or(value)))
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some((digit(pair[0])? << 4 | digit(*pair.get(1)?)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the builder of base images writes it.
    fn text() -> String {
        format!(
            "androidboot.hardware = microdroid\nkernel.8250.nr_uarts = 4\nandroidboot.microdroid.debuggable=0\n\
             kernel.console=ttynull\nandroidboot.vbmeta.size = 1856\nandroidboot.vbmeta.digest = \"{}\"\n\
             androidboot.vbmeta.hash_alg = \"sha256\"\nandroidboot.vbmeta.avb_version = \"1.0\"\n",
            "0aFF".repeat(16)
        )
    }

    fn parsed(text: &str) -> Result<Bootconfig, String> {
        Bootconfig::parse(text.as_bytes())
    }

    #[test]
    fn reads_what_the_builder_writes() {
        let vbmeta = Vbmeta { size: 1856, hash: Hash::Sha256, digest: [0x0a, 0xff].repeat(16) };
        assert_eq!(parsed(&text()), Ok(Bootconfig { debuggable: false, vbmeta }));
        assert!(parsed(&text().replace("debuggable=0", "debuggable=1")).unwrap().debuggable);
    }

    #[test]
    fn refuses_what_is_missing_twice_there_or_out_of_bounds() {
        let cases = [
            ("androidboot.microdroid.debuggable=0", "", "has no"),
            ("kernel.console=ttynull", "androidboot.microdroid.debuggable = 1", "twice"),
            ("debuggable=0", "debuggable=yes", "must be 0 or 1"),
            ("size = 1856", "size = 65537", "1..=65536"),
            ("size = 1856", "size = 0", "1..=65536"),
            ("sha256", "sha1", "sha256 or sha512"),
            ("sha256", "sha512", "128 hexadecimal digits"),
            ("0aFF", "0aFG", "64 hexadecimal digits"),
            ("kernel.console=ttynull", "kernel.console", "key = value"),
        ];
        for (from, to, reason) in cases {
            let message = parsed(&text().replacen(from, to, 16)).unwrap_err();
            assert!(message.contains(reason), "{to:?}: {message}");
        }
    }
}
