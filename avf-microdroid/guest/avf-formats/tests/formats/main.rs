//! Tests by files that other tools made, by zips and manifests field by field, and by flipping bytes of both.

mod apex;
mod apk;
mod avb;
mod idsig;
mod manifest;
mod merkle;
mod metadata;
mod support;
mod zip;
