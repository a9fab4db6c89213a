//! Just enough DER for public keys and for finding the key in a certificate.
//!
//! Lengths must be definite and as short as they can be; tags of more than one byte are refused, as no certificate has
//! them.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const NULL: u8 = 0x05;
pub const OBJECT_ID: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
const CONSTRUCTED: u8 = 0x20;
const MAX_DEPTH: usize = 16;

/// One element.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// The element with its tag and length.
    pub whole: &'a [u8],
}

/// Elements that follow each other.
#[derive(Clone)]
pub struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn peek_tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    pub fn next(&mut self) -> Option<Element<'a>> {
        let all = self.0;
        let (&tag, rest) = all.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            length = digits.iter().fold(0, |value, &digit| value << 8 | usize::from(digit));
            if length < 0x80 || digits.first() == Some(&0) {
                return None;
            }
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        let whole = all.get(..all.len().checked_sub(after.len())?)?;
        Some(Element { tag, content, whole })
    }

    /// The next element, if it has this tag.
    pub fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The elements inside the next one.
    pub fn enter(&mut self, tag: u8) -> Option<Elements<'a>> {
        self.expect(tag).map(|element| Elements(element.content))
    }
}

/// The bytes of the only element, if there is just one and it has this tag.
pub fn single(bytes: &[u8], tag: u8) -> Option<Elements<'_>> {
    let mut outer = Elements(bytes);
    let inner = outer.enter(tag)?;
    outer.is_empty().then_some(inner)
}

/// A number that is not negative, without the zero that keeps it so.
pub fn unsigned(integer: Element<'_>) -> Option<&[u8]> {
    match integer.content {
        [] => None,
        [0] => Some(integer.content),
        [0, rest @ ..] => rest.first().filter(|&&first| first >= 0x80).map(|_| rest),
        [first, ..] if *first >= 0x80 => None,
        number => Some(number),
    }
}

/// The bytes of a bit string of whole bytes.
pub fn bits(string: Element<'_>) -> Option<&[u8]> {
    match string.content {
        [0, rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The SubjectPublicKeyInfo of a certificate, as it stands there; nothing if the certificate is not DER alone.
pub fn public_key_of_certificate(der: &[u8]) -> Option<&[u8]> {
    let mut certificate = single(der, SEQUENCE)?;
    let signed = certificate.expect(SEQUENCE)?;
    if !well_formed(signed.content, 0) {
        return None;
    }
    let mut signed = Elements(signed.content);
    if signed.peek_tag() == Some(0xa0) {
        signed.next()?;
    }
    signed.expect(INTEGER)?; // serial number
    signed.expect(SEQUENCE)?; // algorithm
    signed.expect(SEQUENCE)?; // issuer
    signed.expect(SEQUENCE)?; // validity
    signed.expect(SEQUENCE)?; // subject
    let key = signed.expect(SEQUENCE)?;
    let algorithm = certificate.expect(SEQUENCE)?;
    let signature = certificate.expect(BIT_STRING)?;
    let whole = certificate.is_empty() && well_formed(algorithm.content, 0) && bits(signature).is_some();
    whole.then_some(key.whole)
}

fn well_formed(bytes: &[u8], depth: usize) -> bool {
    let mut elements = Elements(bytes);
    while !elements.is_empty() {
        let Some(element) = elements.next() else { return false };
        let inside = element.tag & CONSTRUCTED != 0;
        if inside && (depth >= MAX_DEPTH || !well_formed(element.content, depth.saturating_add(1))) {
            return false;
        }
    }
    true
}
