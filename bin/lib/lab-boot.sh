# shellcheck shell=bash
# shellcheck disable=SC2154 # project_root is of common.sh
# Makes what an emulated host of bin/lab boots from. Source it after common.sh.
#
#   lab_boot HOST   makes it in the cache if it is not there yet, and prints the directory with kernel and initramfs

# Prints the paths of the named modules and all that they depend on, in load order, relative to the module directory.
# Modules that are built into the kernel are left out.
module_order() {
  local modules=$1 name file
  shift
  declare -A module_files=() module_seen=()
  while IFS= read -r file; do
    name=${file##*/}
    name=${name%%.ko*}
    module_files[${name//-/_}]=$file
  done < <(cd "$modules" && find . -name '*.ko*')
  for name in "$@"; do
    visit_module "$modules" "${name//-/_}"
  done
}

visit_module() {
  local modules=$1 name=$2 file dependency
  [[ -z ${module_seen[$name]:-} ]] || return 0
  module_seen[$name]=yes
  file=${module_files[$name]:-}
  if [[ ! $file ]]; then
    # Packages whose image is apart from the modules have no list of what is built in; a device then fails to appear.
    [[ ! -e $modules/modules.builtin ]] || tr - _ <"$modules/modules.builtin" | grep -q "/$name.ko$" ||
      die "the lab's kernel has no module '$name'"
    return 0
  fi
  for dependency in $(unpack "$modules/$file" | tr '\0' '\n' | sed -n 's/^depends=//p' | tr ',' ' '); do
    visit_module "$modules" "${dependency//-/_}"
  done
  printf '%s\n' "$file"
}

unpack() {
  case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -dcq "$1" ;;
    *.gz) gzip -dc "$1" ;;
    *) cat "$1" ;;
  esac
}

# Writes the ELF kernel inside a bzImage; without it, the emulated processor would spend seconds on the unpacking.
# Fails where the compression is not one that we know; QEMU then boots the bzImage itself.
extract_x86_64() {
  local image=$1 target=$2 setup_sectors offset length magic unpacker
  # Linux x86 boot protocol: setup_sects at 0x1f1, payload_offset at 0x248 and payload_length at 0x24c.
  setup_sectors=$(od -An -tu1 -j 497 -N 1 "$image")
  offset=$(od -An -tu4 -j 584 -N 4 "$image")
  length=$(od -An -tu4 -j 588 -N 4 "$image")
  offset=$(((setup_sectors + 1) * 512 + offset))
  magic=$(od -An -tx1 -j "$offset" -N 4 "$image" | tr -d ' ')
  case $magic in
    fd377a58) unpacker='xz -dc --single-stream' ;;
    28b52ffd) unpacker='zstd -dcq' ;;
    1f8b*) unpacker='gzip -dc' ;;
    *) return 1 ;;
  esac
  # The last four bytes are the unpacked size, which the unpackers take for garbage.
  dd if="$image" bs=64k iflag=skip_bytes,count_bytes skip="$offset" count=$((length - 4)) status=none |
    $unpacker >"$target" || return 1
  [[ $(od -An -tx1 -N 4 "$target" | tr -d ' ') == 7f454c46 ]]
}

# Writes the plain image inside one that unpacks itself as an EFI program; gzip's QEMU unpacks itself. Fails for others.
extract_arm64() {
  local image=$1 target=$2 offset length unpacker
  # Linux's EFI zboot header: "zimg" at 4, the payload's offset at 8, its length at 12, its compression's name at 24.
  [[ $(od -An -tx1 -j 4 -N 4 "$image" | tr -d ' ') == 7a696d67 ]] || return 1
  offset=$(od -An -tu4 -j 8 -N 4 "$image")
  length=$(od -An -tu4 -j 12 -N 4 "$image")
  case $(dd if="$image" bs=1 skip=24 count=8 status=none | tr -d '\0') in
    gzip) unpacker='gzip -dc' ;;
    xzkern) unpacker='xz -dc --single-stream' ;;
    zstd*) unpacker='zstd -dcq' ;;
    *) return 1 ;;
  esac
  dd if="$image" bs=64k iflag=skip_bytes,count_bytes skip="$((offset))" count="$((length))" status=none |
    $unpacker >"$target"
}

# Makes the kernel and initramfs of the emulated host, and publishes them as the directory TARGET.
make_boot() {
  local host=$1 target=$2 kernel=$3 staging root order
  [[ ! -d $target ]] || return 0
  staging=$(staging_dir)
  root=$staging/root
  mkdir -p "$root"/{bin,dev,proc,sys,lab,lower,upper,disk,new,keep,modules} "$staging/boot"
  cp "$(host_busybox "$host")" "$root/bin/busybox"
  local busybox applet
  # This machine's own, because that of the emulated host need not run here.
  busybox=$(cache_dir)/lab/busybox
  for applet in $("$busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
  done
  cp "$project_root/bin/lib/lab-init" "$root/init"
  chmod 755 "$root/init"

  local modules=(virtio_pci 9p 9pnet_virtio overlay)
  case $host in
    x86_64) modules+=(kvm-amd) ;;
    arm64) modules+=(virtio_blk ext4) ;;
  esac
  order=$(module_order "$kernel/modules" "${modules[@]}")
  local file name
  while read -r file; do
    name=${file##*/}
    name=${name%%.ko*}.ko
    unpack "$kernel/modules/$file" >"$root/modules/$name"
    printf '%s\n' "$name"
  done <<<"$order" >"$root/modules/order"

  (cd "$root" && find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$staging/boot/initramfs"
  "extract_$host" "$kernel/vmlinuz" "$staging/boot/kernel" 2>/dev/null || cp "$kernel/vmlinuz" "$staging/boot/kernel"
  publish "$staging/boot" "$target"
  rm -rf "$staging"
  # Those of other kernels or versions of this script, unless somebody used them of late.
  find "${target%/*}" -mindepth 1 -maxdepth 1 -name "boot-$host-*" -mmin +1440 -exec rm -rf {} +
}

host_busybox() {
  case $1 in
    arm64) printf '%s\n' "$(cache_dir)/lab/arm64-system/busybox" ;;
    *) printf '%s\n' "$(cache_dir)/lab/busybox" ;;
  esac
}

lab_boot() {
  local host=$1 cache kernel boot
  cache=$(cache_dir)
  kernel=$(readlink -f "$cache/kernels/lab-$host")
  boot=$(cat "${BASH_SOURCE[0]}" "$project_root/bin/lib/lab-init" <(printf %s "$kernel") | sha256sum)
  boot=$cache/lab/boot-$host-${boot:0:16}
  [[ -d $boot ]] || with_lock lab make_boot "$host" "$boot" "$kernel"
  touch "$boot"
  printf '%s\n' "$boot"
}
