package io.github.avf4j.kvm;

import io.github.avf4j.HostReport;
final class KvmProbe { static HostReport.Backend run() { throw new UnsupportedOperationException(); } }
