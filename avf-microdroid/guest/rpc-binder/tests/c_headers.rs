//! The headers are C and C++ of their own.

use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn headers_compile_as_c_and_as_cpp() {
    for (compiler, language) in [("cc", "c"), ("c++", "c++")] {
        for header in ["binder_status", "binder_ibinder", "binder_parcel"] {
            let mut child = Command::new(compiler)
                .args(["-x", language, "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I"])
                .args([concat!(env!("CARGO_MANIFEST_DIR"), "/include"), "-"])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| panic!("{compiler} must be installed: {error}"));
            writeln!(child.stdin.take().unwrap(), "#include <android/{header}.h>").unwrap();
            assert!(child.wait().unwrap().success(), "{header} in {language}");
        }
    }
}
