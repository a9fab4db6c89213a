// The guest of Arm64Probe: reports by bytes to 0x3f8. Loaded and entered at a multiple of 2 KiB.
//   aarch64-linux-gnu-as probe-arm64.s -o probe.o && aarch64-linux-gnu-objcopy -O binary probe.o probe.bin
_start:
  mov x9, #0x3f8
  mrs x0, CurrentEL
  cmp x0, #(1 << 2)           // EL1
  b.ne fail
  mov w1, #'1'
  strb w1, [x9]

  adr x2, _start              // the exception vectors: this level with its own stack begins at 0x200
  msr vbar_el1, x2
  isb
  mov x4, #0
  svc #0
  cmp x4, #0x5a
  b.ne fail
  mov w1, #'2'
  strb w1, [x9]

  mov w1, #'K'
  strb w1, [x9]
stop:
  wfi
  b stop
fail:
  mov w1, #'F'
  strb w1, [x9]
  b stop

  .org 0x200
  mov x4, #0x5a
  eret
