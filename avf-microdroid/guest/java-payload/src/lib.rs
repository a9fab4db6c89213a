//! libavf_java: what is native in an APK whose payload is a Java class.
//!
//! [`launch`] becomes the Java runtime. [`socket`] and [`jni`] are the sockets of `io.github.avf4j.payload` in it: a
//! library that Java loads is simpler than a process beside it that would copy every byte once more, and hands over
//! half-closed connections as the kernel has them.

mod jni;
mod launch;
mod socket;

pub use jni::*;
pub use launch::AVmPayload_main;
