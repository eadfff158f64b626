# shellcheck shell=bash disable=SC2154  # root: lib/common.sh
# The Debian packages the build needs, each with its reason. Sourced by scripts/setup.

# name|what for
debian_packages=(
  'bpftool|links the BPF programs into one object'
  'clang|compiles the BPF programs'
  'g++|compiles the native addon'
  'libc6-dev|C headers'
  'libelf-dev|libbpf reads ELF objects with it'
  'linux-libc-dev|kernel headers of the BPF programs'
  'make|builds libbpf, the BPF object and the addon'
  'python3|node-gyp, which builds the addon, is written in it'
  'zlib1g-dev|libbpf reads compressed sections with it'
)

# Node from a distribution's package may come without the headers of libuv.
needs_libuv_headers() {
  local prefix
  [[ ! -f $root/native/build/Release/kerngate.node ]] || return 1
  prefix=$(dirname "$(dirname "$(node -p process.execPath)")")
  [[ ! -f $prefix/include/node/uv.h ]]
}

# One call for all: a dozen of dpkg-query calls would take longer than the rest of an idle set-up.
missing_packages() {
  local names installed
  names=$(printf '%s\n' "${debian_packages[@]%%|*}")
  # shellcheck disable=SC2086
  installed=$({ dpkg-query -W -f='${db:Status-Status} ${Package}\n' $names 2>/dev/null || true; } |
    awk '$1 == "installed" { print $2 }')
  comm -23 <(sort <<<"$names") <(sort -u <<<"$installed")
}

install_packages() {
  local missing=() name
  if needs_libuv_headers; then
    debian_packages+=('libuv1-dev|headers of the event loop that Node was installed without')
  fi
  command -v dpkg-query >/dev/null ||
    die "this is no Debian. Install by hand what these Debian packages hold: ${debian_packages[*]%%|*}"
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} > 0)) || return 0
  say 'set-up: these Debian packages are missing:'
  for name in "${debian_packages[@]}"; do
    [[ " ${missing[*]} " != *" ${name%%|*} "* ]] || printf '  %-16s %s\n' "${name%%|*}" "${name#*|}"
  done
  ((EUID == 0)) || die "installing them needs root. Run as root: apt-get install --no-install-recommends ${missing[*]}"
  # Not fatal: one unreachable source of many must not stop the set-up when the packages come from another.
  step 'refreshing the package lists' refresh_lists
  step "installing ${missing[*]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
}

refresh_lists() { apt-get update -q || say 'some package sources could not be read'; }
