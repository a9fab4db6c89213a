//! CRC-32 with the polynomial of zlib, which GPT and zip use.

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// The checksum of these bytes.
pub fn of(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |value: u32, &byte| TABLE[usize::from(value as u8 ^ byte)] ^ (value >> 8))
}

#[cfg(test)]
mod tests {
    #[test]
    fn has_the_check_value_of_the_polynomial() {
        assert_eq!(super::of(b"123456789"), 0xcbf4_3926);
        assert_eq!(super::of(b""), 0);
    }
}
