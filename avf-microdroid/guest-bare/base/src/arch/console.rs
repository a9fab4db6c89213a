//! The serial ports of crosvm's machine.

use core::fmt;

use super::Mmio;

/// A serial port: a 16550, of which only the transmitter is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// What people read.
    Console = 0x3f8,
    /// The reason why firmware gives up, and nothing else.
    Failure = 0x2f8,
}

/// Writes text to a port. Hosts take every byte at once: there is nothing to wait for.
pub struct Console(pub Port);

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the addresses are those of the machine's serial ports, in the part of the map that is for devices.
        let registers = unsafe { Mmio::new(self.0 as usize) };
        for byte in text.bytes() {
            if byte == b'\n' {
                registers.write8(0, b'\r');
            }
            registers.write8(0, byte);
        }
        Ok(())
    }
}

/// Writes to a port; [`println!`](crate::println) is for people.
pub fn print_to(port: Port, text: fmt::Arguments<'_>) {
    // It cannot fail.
    let _ = fmt::Write::write_fmt(&mut Console(port), text);
}

/// Writes a line to the console.
#[macro_export]
macro_rules! println {
    ($($part:tt)*) => {
        $crate::arch::print_to($crate::arch::Port::Console, format_args!("{}\n", format_args!($($part)*)))
    };
}
