//! Which chains may have a secret: the DICE policy by which Microdroid seals.
//!
//! ```text
//! ExplicitKeyChain = [ 1, bstr(canonical root key), certificate... ]
//! Policy           = [ 1, [ constraint... ]... ]        one list for each item of the chain
//! constraint       = [ 1 exact match / 2 greater or equal, [ path ], value ]
//! ```

use super::KeeperError;
use crate::cbor::{Item, Value, Writer, decode};
use crate::dice::{Chain, DiceError};

const VERSION: u64 = 1;

const CONFIG_DESCRIPTOR: i64 = -4670548;
const AUTHORITY_HASH: i64 = -4670549;
const MODE: i64 = -4670551;
const COMPONENT_NAME: i64 = -70002;
const SECURITY_VERSION: i64 = -70005;
const SUBCOMPONENTS: i64 = -71002;
const INSTANCE_HASH: i64 = -71003;

/// Of a subcomponent.
const COMPONENT_VERSION: i64 = 2;
const COMPONENT_AUTHORITY: i64 = 4;

const PAYLOAD: &str = "Microdroid payload";
const VM_ENTRY: &str = "vm_entry";

#[derive(Clone, Copy)]
enum Kind {
    Exact = 1,
    AtLeast = 2,
}

/// The chain in the form that policies are matched against. Certificates stay byte for byte.
pub fn explicit_key_chain(chain: &Chain) -> Result<Vec<u8>, KeeperError> {
    let chain = chain.item()?;
    let (root, certificates) = split(&chain)?;
    let mut out = Writer::new();
    out.array(2 + certificates.len()).unsigned(VERSION).bytes(&canonical_key(root)?);
    for certificate in certificates {
        out.encoded(certificate.encoded());
    }
    Ok(out.finish())
}

/// The policy for a chain as it is: the same signers, modes and instance, and no older versions.
pub fn sealing_policy(chain: &Chain) -> Result<Vec<u8>, KeeperError> {
    let chain = chain.item()?;
    let (root, certificates) = split(&chain)?;
    let nodes = certificates.iter().map(payload).collect::<Result<Vec<_>, _>>()?;
    let last_of = |name: &str| nodes.iter().rposition(|node| component_name(node) == Some(name));
    let (payload, entry) = (last_of(PAYLOAD), last_of(VM_ENTRY));

    let mut out = Writer::new();
    out.array(3 + nodes.len()).unsigned(VERSION);
    out.array(1).array(3).unsigned(Kind::Exact as u64).array(0).unsigned(VERSION);
    out.array(1).array(3).unsigned(Kind::Exact as u64).array(0).bytes(&canonical_key(root)?);
    for (index, node) in nodes.iter().enumerate() {
        let mut constraints = Constraints { node, index, found: Vec::new() };
        constraints.required(Kind::Exact, vec![AUTHORITY_HASH])?;
        constraints.required(Kind::Exact, vec![MODE])?;
        constraints.optional(Kind::AtLeast, vec![CONFIG_DESCRIPTOR, SECURITY_VERSION])?;
        if Some(index) == payload {
            constraints.each(Kind::AtLeast, COMPONENT_VERSION)?;
            constraints.each(Kind::Exact, COMPONENT_AUTHORITY)?;
        }
        if Some(index) == entry {
            constraints.required(Kind::Exact, vec![CONFIG_DESCRIPTOR, INSTANCE_HASH])?;
        }
        out.array(constraints.found.len());
        for constraint in constraints.found {
            out.encoded(&constraint);
        }
    }
    Ok(out.finish())
}

/// The constraints on one certificate, in the order of the rules.
struct Constraints<'n, 'a> {
    node: &'n Item<'a>,
    index: usize,
    found: Vec<Vec<u8>>,
}

impl Constraints<'_, '_> {
    fn optional(&mut self, kind: Kind, path: Vec<i64>) -> Result<bool, KeeperError> {
        let Some(value) = at(self.node, &path) else { return Ok(false) };
        if matches!(kind, Kind::AtLeast) && !matches!(value.value(), Value::Unsigned(_) | Value::Negative(_)) {
            return Err(KeeperError::structure(value.position(), "a version to seal by must be an integer"));
        }
        let mut out = Writer::new();
        out.array(3).unsigned(kind as u64).array(path.len());
        for step in path {
            out.integer(step);
        }
        out.encoded(value.encoded());
        self.found.push(out.finish());
        Ok(true)
    }

    fn required(&mut self, kind: Kind, path: Vec<i64>) -> Result<(), KeeperError> {
        if self.optional(kind, path.clone())? {
            return Ok(());
        }
        // Version and root key come before the certificates.
        Err(KeeperError::NothingToSealBy(format!("{path:?} of item {}", self.index + 2)))
    }

    /// A value of every subcomponent, of which there must be one.
    fn each(&mut self, kind: Kind, key: i64) -> Result<(), KeeperError> {
        let path = [CONFIG_DESCRIPTOR, SUBCOMPONENTS];
        let count = at(self.node, &path).map(opened).and_then(|list| list.as_array().map(<[_]>::len).ok());
        for index in 0..count.unwrap_or_default().max(1) as i64 {
            self.required(kind, [&path[..], &[index, key]].concat())?;
        }
        Ok(())
    }
}

fn split<'c, 'a>(chain: &'c Item<'a>) -> Result<(&'c Item<'a>, &'c [Item<'a>]), KeeperError> {
    chain.as_array()?.split_first().ok_or_else(|| KeeperError::structure(chain.position(), "chain is empty"))
}

/// What a certificate says of its layer.
fn payload<'a>(certificate: &Item<'a>) -> Result<Item<'a>, KeeperError> {
    let parts = certificate.as_array()?;
    let payload =
        parts.get(2).ok_or_else(|| DiceError::structure(certificate.position(), "certificate has no payload"));
    Ok(decode(payload?.as_bytes()?)?)
}

fn component_name<'a>(node: &Item<'a>) -> Option<&'a str> {
    at(node, &[CONFIG_DESCRIPTOR, COMPONENT_NAME])?.as_text().ok()
}

/// The value that a path of map keys and indexes leads to. Byte strings on the way are decoded.
fn at<'a>(node: &Item<'a>, path: &[i64]) -> Option<Item<'a>> {
    let mut here = node.clone();
    for &step in path {
        let open = opened(here);
        here = match open.value() {
            Value::Map(_) => open.get(step).ok()??.clone(),
            Value::Array(items) => items.get(usize::try_from(step).ok()?)?.clone(),
            _ => return None,
        };
    }
    Some(here)
}

/// The content of a byte string, where it is CBOR; any other value as it is.
fn opened(item: Item<'_>) -> Item<'_> {
    item.as_bytes().ok().and_then(|bytes| decode(bytes).ok()).unwrap_or(item)
}

/// A COSE_Key with its entries in bytewise order of their keys (RFC 8949, 4.2.1).
pub(super) fn canonical_key(key: &Item<'_>) -> Result<Vec<u8>, KeeperError> {
    let mut entries: Vec<_> = key.as_map()?.iter().collect();
    entries.sort_by_key(|(label, _)| label.encoded());
    let mut out = Writer::new();
    out.map(entries.len());
    for (label, value) in entries {
        out.encoded(label.encoded()).encoded(value.encoded());
    }
    Ok(out.finish())
}
