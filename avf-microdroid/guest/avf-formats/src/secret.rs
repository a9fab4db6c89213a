//! Bytes that are wiped when they are dropped and that `Debug` never shows.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

/// A secret of a fixed size. It lives on the heap, so that moving it leaves no copy behind.
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// A secret that the function writes into zeros.
    pub fn fill_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// A copy; the caller wipes the original.
    pub fn copy_of(bytes: &[u8; N]) -> Self {
        Self::fill_with(|out| out.copy_from_slice(bytes))
    }

    /// A copy of a slice that has exactly this size.
    pub fn copy_of_slice(bytes: &[u8]) -> Option<Self> {
        <&[u8; N]>::try_from(bytes).ok().map(Self::copy_of)
    }

    /// The bytes, to be used and not to be kept.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// Another copy, wiped on its own.
    pub fn duplicate(&self) -> Self {
        Self::copy_of(&self.0)
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret[{N} bytes]")
    }
}

/// A secret of any size.
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// A secret of zeros that the function overwrites.
    pub fn fill_with<E>(size: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(vec![0; size]);
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The bytes, to be used and not to be kept.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret[{} bytes]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_size_and_nothing_else() {
        assert_eq!(format!("{:?}", Secret::copy_of(&[0xab; 32])), "Secret[32 bytes]");
        assert_eq!(format!("{:?}", SecretBytes::new(vec![0xab; 3])), "Secret[3 bytes]");
    }

    #[test]
    fn a_slice_of_another_size_makes_no_secret() {
        assert!(Secret::<32>::copy_of_slice(&[0; 31]).is_none());
        assert_eq!(Secret::<2>::copy_of_slice(&[1, 2]).unwrap().expose(), &[1, 2]);
    }
}
