# shellcheck shell=bash disable=SC2154,SC2034  # root: lib/common.sh; apt_*, debian_keys: lib/apt.sh
# Which kernels the VMs run, and how their packages get into the cache. Sourced, never run.
# Exit code 3 of a function means: this machine's archives were read, and do not have it.
kernel_series=(5.10 6.1 6.12 7.2)
kernels=${KERNGATE_KERNELS:-${XDG_CACHE_HOME:-/var/cache}/kerngate/kernels}
kernel_pins=${KERNGATE_KERNEL_PINS:-$root/scripts/lib/kernels.pin}

# The Debian release that carries a series. The last one is the newest kernel there is, whatever its number.
kernel_suite() {
  case $1 in
    5.10) echo bullseye ;;
    6.1) echo bookworm ;;
    6.12) echo trixie ;;
    7.2) echo sid ;;
    *) return 1 ;;
  esac
}

# pins SERIES: its lines of the pin file as `package version sha256`. A line of another form is an error.
pins() {
  awk -v series="$1" '
    /^#/ || NF == 0 { next }
    NF != 4 || $4 !~ /^[0-9a-f]+$/ || length($4) != 64 {
      printf "kerngate: %s:%d: not `series package version sha256`\n", FILENAME, FNR > "/dev/stderr"
      exit 1
    }
    $1 == series { print $2, $3, $4 }' "$kernel_pins"
}

# newest_kernel SERIES: reads package names, prints those that make up the newest kernel of the series.
# Newer releases split a kernel in three; the package linux-image is then an empty one that depends on them.
newest_kernel() {
  local series=$1 names newest
  names=$(cat)
  # sid holds the newest of all, by whatever number.
  [[ $(kernel_suite "$series") == sid ]] && series='' || series+=.
  newest=$(sed -nE 's/^linux-(image|binary)-([0-9].*-cloud-amd64)$/\2/p' <<<"$names" |
    awk -v series="$series" 'index($0, series) == 1' | sort -Vu | tail -n 1)
  [[ -n $newest ]] || return 3
  if grep -qxF -- "linux-binary-$newest" <<<"$names"; then
    printf 'linux-%s-%s\n' base "$newest" binary "$newest" modules "$newest"
  else
    printf 'linux-image-%s\n' "$newest"
  fi
}

# Kernels come from the release and from its security archive, where this machine has one.
kernel_sources() {
  local mirror=$1 suite=$2 security
  printf 'deb [signed-by=%s] %s %s main\n' "$debian_keys" "$mirror" "$suite"
  [[ $suite != sid ]] || return 0
  for security in $(apt_mirrors | grep -E 'security/?$'); do
    printf 'deb [signed-by=%s] %s %s-security main\n' "$debian_keys" "$security" "$suite"
  done
}

# Whether the archive still has exactly what is pinned.
has_pinned() {
  local package version some=no
  while read -r package version _; do
    apt_private apt-cache madison "$package" | awk -v v="$version" '$3 == v { ok = 1 } END { exit !ok }' || return 1
    some=yes
  done < <(pins "$1")
  [[ $some == yes ]]
}

verify_pins() {
  local package version sum
  while read -r package version sum; do
    printf '%s  %s\n' "$sum" "$(echo "$2/$package"_*.deb)" | sha256sum --check --quiet - ||
      die "$package $version has another sha256 than in ${kernel_pins#"$root"/}. Nothing was unpacked." \
        'Correct the line, or remove it to take the newest kernel.'
  done < <(pins "$1")
}

# download_kernel SERIES MIRROR FOLDER: 3 when this mirror does not have it, 1 when it cannot be read.
download_kernel() {
  local series=$1 sources wanted
  mapfile -t sources < <(kernel_sources "$2" "$(kernel_suite "$series")")
  apt_fresh "${sources[@]}"
  # One source of two may be gone: what was read is signed, and the other may do.
  apt_private apt-get update >"$apt_room/log" 2>&1 || grep -q ' 404 ' "$apt_room/log" || {
    cat "$apt_room/log" >&2
    return 1
  }
  if has_pinned "$series"; then
    mapfile -t wanted < <(pins "$series" | awk '{ print $1 "=" $2 }')
    (cd "$3" && apt_private apt-get download "${wanted[@]}") || return 3
    verify_pins "$series" "$3"
  else
    mapfile -t wanted < <(apt_private apt-cache pkgnames linux- | newest_kernel "$series")
    ((${#wanted[@]} > 0)) || return 3
    (cd "$3" && apt_private apt-get download "${wanted[@]}") || return 3
  fi
}

# One layout whatever the package's own: vmlinuz, lib/modules/VERSION with its index.
# Its steps are chained, since `set -e` does not hold in a function that is asked for its exit code.
arrange_kernel() {
  local from=$1 to=$2 version modules image
  modules=$(dirname "$(find "$from" -path '*/lib/modules/*/kernel' -prune | head -n 1)")
  version=$(basename "$modules")
  image=$from/boot/vmlinuz-$version
  [[ -f $image ]] || image=$modules/vmlinuz
  # kmod looks below /lib or /usr/lib, by its own version.
  mkdir -p "$to/lib/modules" "$to/usr" && ln -s ../lib "$to/usr/lib" &&
    cp "$image" "$to/vmlinuz" &&
    mv "$modules" "$to/lib/modules/$version" &&
    depmod -b "$to" "$version" &&
    printf '%s\n' "$version" >"$to/version"
}

unpack_kernel() {
  local deb
  for deb in "$1"/*.deb; do dpkg-deb -x "$deb" "$2" || return 1; done
}

# fetch_kernel SERIES: into the cache; 3 when no archive of this machine has it.
fetch_kernel() {
  local series=$1 room=$kernels/.new-$1 mirror rc=1
  rm -rf "$room"
  mkdir -p "$room"/{debs,tree,kernel} || return 1
  apt_room=$room/apt
  for mirror in $(apt_mirrors | grep -vE 'security/?$'); do
    rc=0
    download_kernel "$series" "$mirror" "$room/debs" || rc=$?
    ((rc != 0)) || break
  done
  ((rc == 0)) || return "$rc"
  unpack_kernel "$room/debs" "$room/tree" && arrange_kernel "$room/tree" "$room/kernel" || return 1
  stamp "$room/kernel/.kerngate" "$(kernel_stamp "$series")"
  rm -rf "${kernels:?}/$series"
  mv "$room/kernel" "$kernels/$series" && rm -rf "$room"
}

# What is in the cache is good until its pin changes.
kernel_stamp() { printf '%s %s' "$1" "$(pins "$1" | sha256sum | cut -d' ' -f1)"; }

# ensure_kernel SERIES: 3 when it cannot be had.
ensure_kernel() {
  local series=$1 rc=0 lock
  mkdir -p "$kernels" || return 1
  exec {lock}>"$kernels/.lock"
  flock "$lock"
  stamped "$kernels/$series/.kerngate" "$(kernel_stamp "$series")" || fetch_kernel "$series" || rc=$?
  exec {lock}>&-
  return "$rc"
}
