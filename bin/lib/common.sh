# shellcheck shell=bash
# What every command in bin/ shares. Source it after `set -euo pipefail`; it needs bash 4.4.
#
#   $project_root                     the checkout this file belongs to
#   note TEXT…, die TEXT…             a progress line, or an error and exit 1; both on stderr
#   die_with STATUS TEXT…             the same with another exit status
#   cache_dir                         prints the cache directory of this user, made if missing
#   with_lock NAME COMMAND…           runs COMMAND while no other process holds NAME
#   staging_dir                       prints a fresh directory to unpack into; see publish
#   publish STAGING TARGET            puts STAGING in TARGET's place in one step
#   publish_link TARGET LINK          makes LINK a symbolic link to TARGET in one step
#   qemu_is_recent COMMAND            succeeds if that QEMU may emulate a host of virtual machines with several threads
#   need_packages [COMMAND:]PACKAGE…  makes sure that they are there, or exits 2 with the line to type
#   want_packages [COMMAND:]PACKAGE…  installs them where that is possible, or says what goes without
#   need_jdk                          the same for a Java 17 or newer compiler
#   need_rust_target TARGET           the same for the Rust libraries of that target
#   private_apt SUITE ARCH            prints the apt configuration of that suite in the cache
#   apt_query CONF ARGUMENTS…         apt-cache on it
#   apt_fetch SUITE ARCH PACKAGE…     downloads, and prints one .deb file a line
#   apt_unpack DIR SUITE ARCH PACKAGE…  downloads and unpacks into DIR
#
# SUITE "default" is the machine's own. Nothing here changes the machine except need_packages and want_packages.

# A failure inside $(…) must end the command too.
shopt -s inherit_errexit

# shellcheck disable=SC2034 # for those who source this
project_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  color_error=$'\e[31m' color_note=$'\e[36m' color_off=$'\e[0m'
else
  color_error='' color_note='' color_off=''
fi

note() {
  printf '%s%s%s\n' "$color_note" "$*" "$color_off" >&2
}

die_with() {
  local status=$1
  shift
  printf '%s%s: %s%s\n' "$color_error" "${0##*/}" "$*" "$color_off" >&2
  exit "$status"
}

die() {
  die_with 1 "$@"
}

# ---------------------------------------------------------------- cache

cache_dir() {
  local home=${HOME:-}
  if [[ -z $home ]]; then
    home=$(getent passwd "$(id -u)" | cut -d: -f6) || true
  fi
  local dir=${XDG_CACHE_HOME:-${home:?HOME is not set}/.cache}/avf4j
  [[ -d $dir ]] || mkdir -p "$dir" || die "cannot create the cache $dir: set XDG_CACHE_HOME to a directory that you can write"
  printf '%s\n' "$dir"
}

with_lock() {
  local name=$1 dir
  shift
  dir=$(cache_dir)
  (
    if ! flock -n 8; then
      note "waiting for another command that holds the lock '$name'"
      flock -w 1800 8 || die "the lock $dir/$name.lock is still held after 30 minutes: end the process that 'fuser $dir/$name.lock' names"
    fi
    # Children must not inherit the lock: a daemon that one of them leaves behind would hold it.
    "$@" 8>&-
  ) 8>"$dir/$name.lock"
}

staging_dir() {
  local dir
  dir=$(cache_dir)/staging
  mkdir -p "$dir"
  # What a killed command left behind; nothing here is in use for a day.
  find "$dir" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} +
  dir=$(mktemp -d "$dir/XXXXXXXX")
  chmod 755 "$dir"
  printf '%s\n' "$dir"
}

publish() {
  local staging=$1 target=$2
  mkdir -p "$(dirname "$target")"
  if [[ -e $target ]]; then
    mv -T "$target" "$staging.old"
  fi
  mv -T "$staging" "$target"
  rm -rf "$staging.old"
}

publish_link() {
  local target=$1 link=$2
  ln -sfn "$target" "$link.new.$$"
  mv -fT "$link.new.$$" "$link"
}

# ---------------------------------------------------------------- the machine's packages

# Succeeds when the item of need_packages is there already.
have_package() {
  local item=$1
  if [[ $item == *:* ]]; then
    command -v "${item%%:*}" >/dev/null
  else
    [[ $(dpkg-query -W -f '${Status}' "$item" 2>/dev/null) == 'install ok installed' ]]
  fi
}

apt_install() {
  # shellcheck disable=SC2206 # empty for root, two words otherwise
  local as_root=($1)
  shift
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive timeout 1500 apt-get -q -y -o DPkg::Lock::Timeout=600)
  local log
  log=$(mktemp)
  note "installing $*"
  # The lists may be missing or older than the mirror; refreshing them costs more than a failed attempt.
  if ! "${apt[@]}" install --no-install-recommends "$@" </dev/null >"$log" 2>&1; then
    note "refreshing the package lists"
    "${apt[@]}" update </dev/null >"$log" 2>&1 || note "apt-get update reports: $(tail -n 1 "$log")"
    if ! "${apt[@]}" install --no-install-recommends "$@" </dev/null >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      rm -f "$log"
      die_with 2 "apt-get could not install $*; its last lines are above"
    fi
  fi
  rm -f "$log"
}

# Succeeds if that QEMU can be trusted with code that changes while several threads emulate.
qemu_is_recent() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p')
  ((${version:-0} >= 9))
}

# Each argument is PACKAGE, which dpkg must know as installed, or COMMAND:PACKAGE, where a COMMAND from anywhere
# on the PATH will do. All that is missing is installed at once.
need_packages() {
  local item missing=()
  for item in "$@"; do
    have_package "$item" || missing+=("$item")
  done
  ((${#missing[@]})) || return 0

  local packages=("${missing[@]#*:}")
  if ! command -v apt-get >/dev/null; then
    die_with 2 "missing: ${missing[*]%%:*}. Install them with this system's package manager (on Debian: apt-get install ${packages[*]})"
  elif ((EUID == 0)); then
    apt_install '' "${packages[@]}"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    apt_install 'sudo -n' "${packages[@]}"
  else
    die_with 2 "missing: ${missing[*]%%:*}. Run this as root, then try again: apt-get install --no-install-recommends ${packages[*]}"
  fi
  for item in "${missing[@]}"; do
    hash -r
    have_package "$item" || die_with 2 "${item%%:*} is still missing after installing ${item#*:}"
  done
}

# For tests that ask foreign tools and are skipped without them.
want_packages() {
  (need_packages "$@") || note "going on without $*: the tests that need them are skipped"
}

# Prints the major version of the Java installation whose bin/ holds this program; no JVM is started for it.
java_major() {
  local home release
  home=$(dirname "$(dirname "$(readlink -f "$1")")")
  release=$(sed -n 's/^JAVA_VERSION="\([^"]*\)"/\1/p' "$home/release" 2>/dev/null) || true
  [[ $release ]] || release=$("$1" -version 2>&1 | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
  release=${release#1.}
  printf '%s\n' "${release%%[!0-9]*}"
}

need_jdk() {
  local javac=${JAVA_HOME:+$JAVA_HOME/bin/javac} major
  if [[ $javac && ! -x $javac ]]; then
    die_with 2 "JAVA_HOME is $JAVA_HOME but there is no bin/javac in it: point it at a JDK 17 or newer, or unset it"
  fi
  if [[ -z $javac ]]; then
    need_packages javac:openjdk-17-jdk-headless
    javac=$(command -v javac)
  fi
  major=$(java_major "$javac")
  ((${major:-0} >= 17)) || die_with 2 "$javac is Java ${major:-of an unknown version}; a JDK 17 or newer is needed: set JAVA_HOME to one (on Debian: apt-get install openjdk-17-jdk-headless)"
}

need_rust_target() {
  local target=$1 dir
  dir=$(rustc --print target-libdir --target "$target" 2>/dev/null) || true
  [[ $dir && -d $dir ]] ||
    die_with 2 "the Rust compiler has no libraries for $target: rustup target add $target (or, on Debian, the package libstd-rust-dev of that architecture)"
}

# ---------------------------------------------------------------- packages without root

# Prints "URI RELEASE" of the machine's own sources of Debian's main component, whatever format they are written in.
debian_sources() {
  local targets uri release component origin
  # shellcheck disable=SC2016 # apt expands these
  local -a list=(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)')
  targets=$("${list[@]}" 'Created-By: Packages' 2>/dev/null) || true
  # Where no lists were fetched yet (a new container), apt does not know the origins and the archive's customary path
  # has to do.
  [[ $targets ]] || targets=$("${list[@]}" --no-release-info 'Created-By: Packages' 2>/dev/null) || true
  while read -r uri release component origin; do
    [[ $component == main ]] || continue
    # shellcheck disable=SC2016 # what apt leaves unexpanded
    [[ $origin == Debian || $origin == '$(ORIGIN)' && $uri =~ /debian(-security)?/?$ ]] || continue
    printf '%s %s\n' "${uri%/}" "$release"
  done <<<"$targets" | sort -u
}

private_apt() {
  local suite=$1 arch=$2 dir conf uri release sources='' options=''
  dir=$(cache_dir)/apt/$suite-$arch
  conf=$dir/apt.conf
  mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/etc"

  command -v apt-get >/dev/null || die_with 2 "apt-get is missing: this step fetches Debian packages and needs Debian"
  if [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
    options='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
  fi
  while read -r uri release; do
    if [[ $suite == default ]]; then
      sources+="deb $options$uri $release main"$'\n'
    elif [[ $uri != *security* && -z $sources ]]; then
      sources="deb $options$uri $suite main"$'\n'
    fi
  done < <(debian_sources)
  [[ $sources ]] || die_with 2 "apt on this machine has no source of Debian packages: add one to /etc/apt/sources.list.d"

  local old=''
  [[ -f $dir/etc/sources.list ]] && old=$(<"$dir/etc/sources.list")$'\n'
  if [[ $old != "$sources" ]]; then
    printf '%s' "$sources" >"$dir/etc/sources.list"
    rm -f "$dir/updated"
  fi
  : >"$dir/status"
  # Pins and hooks of the machine are about its own packages. How it reaches its mirror (proxies, credentials) stays.
  cat >"$conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
#clear DPkg::Post-Invoke;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "60";
Acquire::https::Timeout "60";
Dir::Etc::SourceList "$dir/etc/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$dir";
Dir::State::Lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir";
Dir::Cache::archives "$dir/archives";
CONF
  if [[ -z $(find "$dir/updated" -mmin -720 2>/dev/null) ]]; then
    note "fetching Debian's package lists ($suite, $arch)"
    timeout 600 apt-get -c "$conf" -qq update </dev/null >"$dir/update.log" 2>&1 || {
      cat "$dir/update.log" >&2
      die "cannot fetch Debian's package lists: check that 'apt-get update' works on this machine"
    }
    touch "$dir/updated"
  fi
  printf '%s\n' "$conf"
}

apt_query() {
  local conf=$1
  shift
  timeout 120 apt-cache -c "$conf" "$@"
}

apt_fetch() {
  local suite=$1 arch=$2 conf dir package file
  shift 2
  conf=$(private_apt "$suite" "$arch")
  dir=$(dirname "$conf")
  note "downloading $*"
  (cd "$dir/archives" && timeout 1500 apt-get -c "$conf" -qq download "$@" </dev/null >"$dir/download.log" 2>&1) || {
    cat "$dir/download.log" >&2
    # The mirror may have moved on since the lists were fetched: do not trust them next time.
    rm -f "$dir/updated"
    die "cannot download $*: run this again, which fetches the package lists anew"
  }
  for package in "$@"; do
    file=$(find "$dir/archives" -maxdepth 1 -name "${package}_*.deb" -printf '%T@ %p\n' | sort -n | tail -n 1)
    printf '%s\n' "${file#* }"
  done
}

apt_unpack() {
  local into=$1 files file
  shift
  files=$(apt_fetch "$@")
  while read -r file; do
    dpkg-deb -x "$file" "$into"
    rm -f "$file"
  done <<<"$files"
}
