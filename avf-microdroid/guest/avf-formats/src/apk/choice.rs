//! Chooses the signer that counts for an SDK level.

use super::block::{self, RawSigner, SigningBlock};
use crate::fields::Fields;
use crate::zip::Archive;
use crate::{Error, Kind, Result};

/// The first level that reads v3.1 blocks.
const V31_SDK: u32 = 33;

/// v2: the number of the scheme that a signer used, too.
const STRIPPING_PROTECTION: u32 = 0xbeef_f00d;

/// v3: the lowest level that a v3.1 block is for.
const ROTATION_MIN_SDK: u32 = 0x559f_8b02;

/// The schemes of which one is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A block that covers the whole file, with SDK levels.
    V3,
    /// A second key for newer SDK levels, next to v3.
    V31,
}

/// The signer that must verify.
pub struct Chosen<'a> {
    pub scheme: Scheme,
    pub signer: RawSigner<'a>,
}

pub fn choose<'a>(archive: &'a Archive<'_>, sdk: u32) -> Result<Chosen<'a>> {
    let Some(bytes) = archive.signing_block() else {
        return Err(not_signed(archive, false));
    };
    let block = SigningBlock::parse(bytes, archive.body_length)?;
    let Some(v3) = block.value(block::V3) else {
        return Err(without_v3(archive, &block)?);
    };
    let signers = disjoint(block::signers(v3, true)?)?;
    let rotated = match block.value(block::V31) {
        Some(value) => disjoint(block::signers(value, true)?)?,
        None => Vec::new(),
    };
    require_rotation(&signers, &rotated)?;
    if sdk >= V31_SDK {
        if let Some(signer) = rotated.into_iter().find(|signer| signer.range.contains(sdk)) {
            return Ok(Chosen { scheme: Scheme::V31, signer });
        }
    }
    let position = signers.first().map_or(0, |signer| signer.position);
    let ranges: Vec<String> = signers.iter().map(|signer| signer.range.to_string()).collect();
    match signers.into_iter().find(|signer| signer.range.contains(sdk)) {
        Some(signer) => Ok(Chosen { scheme: Scheme::V3, signer }),
        None => Err(Error::at(
            Kind::NoSignerForSdk,
            position,
            format!("no signer for SDK level {sdk}, only for {}", ranges.join(", ")),
        )),
    }
}

fn disjoint(signers: Vec<RawSigner<'_>>) -> Result<Vec<RawSigner<'_>>> {
    for (index, signer) in signers.iter().enumerate() {
        if let Some(other) = signers.iter().take(index).find(|other| other.range.overlaps(signer.range)) {
            return Err(Error::at(
                Kind::OverlappingSigners,
                signer.position,
                format!("two signers are for the SDK levels {} and {}", other.range, signer.range),
            ));
        }
    }
    Ok(signers)
}

fn require_rotation(signers: &[RawSigner<'_>], rotated: &[RawSigner<'_>]) -> Result<()> {
    for attribute in signers.iter().flat_map(|signer| &signer.attributes) {
        if attribute.id != ROTATION_MIN_SDK {
            continue;
        }
        let level = Fields::of(attribute.bytes, Kind::SignerForm).u32("the lowest SDK level of the rotated key")?;
        if !rotated.iter().any(|other| other.range.min == level) {
            return Err(Error::at(
                Kind::Stripped,
                attribute.position,
                format!("a signer says that another key counts from SDK level {level}, but no v3.1 signer does"),
            ));
        }
    }
    Ok(())
}

/// Why an APK without a v3 signature is refused.
fn without_v3(archive: &Archive<'_>, block: &SigningBlock<'_>) -> Result<Error> {
    let Some(v2) = block.value(block::V2) else {
        return Ok(not_signed(archive, block.value(block::V31).is_some()));
    };
    for signer in block::signers(v2, false)? {
        for attribute in &signer.attributes {
            let scheme = attribute.bytes.first().filter(|_| attribute.bytes.len() >= 4);
            if attribute.id == STRIPPING_PROTECTION && scheme.is_some_and(|&scheme| scheme >= 3) {
                return Ok(Error::at(
                    Kind::Stripped,
                    attribute.position,
                    "the v2 signer says that it signed by v3, too, but there is no v3 signature",
                ));
            }
        }
    }
    Ok(Error::at(Kind::OnlyV2, v2.position, "only a v2 signature: a payload needs a v3 signature, sign it anew"))
}

fn not_signed(archive: &Archive<'_>, has_v31: bool) -> Error {
    let signed_by_v1 = |suffixes: &[&str]| {
        let mut names = archive.entries().iter().map(|entry| &entry.name);
        names.any(|name| name.starts_with("META-INF/") && suffixes.iter().any(|suffix| name.ends_with(suffix)))
    };
    if has_v31 {
        Error::new(Kind::Stripped, "a v3.1 signature without a v3 signature")
    } else if signed_by_v1(&[".SF"]) && signed_by_v1(&[".RSA", ".DSA", ".EC"]) {
        Error::new(Kind::OnlyV1, "only a v1 (JAR) signature, which does not protect the whole file: sign it by v3")
    } else {
        Error::new(Kind::NotSigned, "not signed: a payload needs a v3 signature")
    }
}
