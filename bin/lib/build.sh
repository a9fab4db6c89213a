# shellcheck shell=bash
# shellcheck disable=SC2154 # project_root is of common.sh
# Builds what the commands in bin/ run. Source it after common.sh.
#
#   build                    brings everything up to date that bin/ runs; quiet and fast when it is
#   run_java MODULE CLASS …  runs a main class of a built module
#   maven ARGUMENTS…         Maven in this checkout, without colours or progress noise

maven() {
  (cd "$project_root" && mvn -B -ntp -Dstyle.color=never "$@" </dev/null)
}

# Succeeds when no source is newer than the last build.
is_built() {
  local stamp=$project_root/target/built
  [[ -e $stamp ]] || return 1
  # Tests count: the lab runs them, and the benchmarks use some of their classes.
  [[ -z $(find "$project_root" -name target -prune -o -name .git -prune \
    -o -type f \( -path '*/src/*' -o -path '*/.cargo/*' -o -name pom.xml -o -name 'Cargo.*' -o -path '*/guest/*.sh' \) -newer "$stamp" -print -quit) ]]
}

build_everything() {
  is_built && return 0
  local stamp=$project_root/target/built log=$project_root/target/build.log
  mkdir -p "$project_root/target"
  touch "$stamp.started"
  note "building (the log is target/build.log)"
  maven -q -DskipTests package >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    die "the build failed; the end of target/build.log is above"
  }
  # The time of the start, so that what was changed during the build counts as newer.
  mv "$stamp.started" "$stamp"
}

build() {
  if [[ -n ${AVF_LAB:-} ]]; then
    # An emulated host has no network and takes ten times as long.
    [[ -e $project_root/target/built ]] || die "nothing is built: run bin/setup and bin/demo outside the lab first"
    return 0
  fi
  "$project_root/bin/setup"
  is_built || with_lock build build_everything
}

run_java() {
  local module=$project_root/$1 class=$2
  shift 2
  local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
  # shellcheck disable=SC2086 # AVF_JAVA_OPTIONS is a list of words
  exec "$java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${AVF_JAVA_OPTIONS:-} \
    -cp "$module/target/classes:$module/target/lib/*" "$class" "$@"
}
