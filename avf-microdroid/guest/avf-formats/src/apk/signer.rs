//! The rules for one signer before the content digest, in AVF's order.

use super::algorithm::Algorithm;
use super::block::{RawSigner, Tagged};
use super::{Scheme, Signer};
use crate::signature::PublicKey;
use crate::{Error, Kind, Result};

pub fn verify(signer: &RawSigner<'_>, scheme: Scheme) -> Result<Signer> {
    let (signature, algorithm) = strongest(signer)?;
    let Some(key) = PublicKey::from_spki(&signer.public_key).filter(|key| key.fits(algorithm.padding)) else {
        return Err(Error::at(
            Kind::UnsupportedAlgorithm,
            signer.public_key.position,
            format!("the public key cannot be used for the algorithm 0x{:04x}", algorithm.id),
        ));
    };
    let hash = algorithm.digest.hash();
    if !key.verifies(algorithm.padding, hash, &signer.signed_data, &signature.bytes) {
        return Err(Error::at(
            Kind::Signature,
            signature.position,
            format!("the signature of algorithm 0x{:04x} does not verify", algorithm.id),
        ));
    }
    if signer.range != signer.signed_range {
        return Err(Error::at(
            Kind::SdkRange,
            signer.position,
            format!("the SDK levels are {} outside the signed data and {} inside", signer.range, signer.signed_range),
        ));
    }
    let content_digest = content_digest(signer, algorithm)?;
    let Some(certificate) = signer.certificates.first() else {
        return Err(Error::at(Kind::Certificate, signer.position, "no certificate"));
    };
    Ok(Signer {
        scheme,
        algorithm: algorithm.id,
        content_digest,
        certificate: certificate.to_vec(),
        public_key: signer.public_key.to_vec(),
        position: signer.position,
        digest: algorithm.digest,
    })
}

/// Of the signatures with the strongest digest, the first.
fn strongest<'a>(signer: &RawSigner<'a>) -> Result<(Tagged<'a>, Algorithm)> {
    let mut best: Option<(Tagged<'a>, Algorithm)> = None;
    for signature in &signer.signatures {
        let Some(known) = Algorithm::of(signature.id) else { continue };
        if best.is_none_or(|(_, other)| known.digest > other.digest) {
            best = Some((*signature, known));
        }
    }
    best.ok_or_else(|| {
        let ids: Vec<String> = signer.signatures.iter().map(|tag| format!("0x{:04x}", tag.id)).collect();
        Error::at(
            Kind::UnsupportedAlgorithm,
            signer.position,
            format!("no signature of a supported algorithm, only [{}] (DSA is not supported)", ids.join(", ")),
        )
    })
}

fn content_digest(signer: &RawSigner<'_>, algorithm: Algorithm) -> Result<Vec<u8>> {
    // All unknown algorithms count as one.
    let known =
        |tags: &[Tagged<'_>]| -> Vec<Option<Algorithm>> { tags.iter().map(|tag| Algorithm::of(tag.id)).collect() };
    if known(&signer.digests) != known(&signer.signatures) {
        return Err(Error::at(
            Kind::AlgorithmLists,
            signer.position,
            "the digests and the signatures are not of the same algorithms in the same order",
        ));
    }
    for (index, digest) in signer.digests.iter().enumerate() {
        if signer.digests.iter().take(index).any(|other| other.id == digest.id) {
            return Err(Error::at(
                Kind::AlgorithmLists,
                digest.position,
                format!("two digests are of the algorithm 0x{:04x}", digest.id),
            ));
        }
    }
    match signer.digests.iter().find(|digest| digest.id == algorithm.id) {
        Some(digest) => Ok(digest.bytes.to_vec()),
        None => {
            Err(Error::at(Kind::AlgorithmLists, signer.position, "there is no digest of the signature's algorithm"))
        }
    }
}
