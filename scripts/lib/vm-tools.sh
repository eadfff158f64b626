# shellcheck shell=bash disable=SC2154  # root: lib/common.sh
# What a VM needs on this machine, beside a kernel. Sourced, never run.

# package|program|what for. virtiofsd came with QEMU until Debian 12.
vm_packages=(
  'qemu-system-x86|qemu-system-x86_64|the machine itself'
  'busybox-static|busybox|first program of the guest'
  'kmod|depmod|index of the kernel modules'
  'cpio|cpio|packs the initial file system'
  'xz-utils|xz|unpacks kernel modules'
)

virtiofsd() {
  local path
  for path in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd "$(command -v virtiofsd)"; do
    [[ ! -x $path ]] || { echo "$path" && return; }
  done
  return 1
}

missing_vm_packages() {
  local row package program
  for row in "${vm_packages[@]}"; do
    IFS='|' read -r package program _ <<<"$row"
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || echo "$package"
  done
  virtiofsd >/dev/null || ! apt-cache show virtiofsd >/dev/null 2>&1 || echo virtiofsd
}

# Says what is missing and why, then installs it. Needs root only when something is missing.
install_vm_packages() {
  local missing=() row
  mapfile -t missing < <(missing_vm_packages)
  ((${#missing[@]} > 0)) || return 0
  say 'virtual machines: these Debian packages are missing:'
  for row in "${vm_packages[@]}"; do
    [[ " ${missing[*]} " != *" ${row%%|*} "* ]] || printf '  %-16s %s\n' "${row%%|*}" "${row##*|}"
  done
  ((EUID == 0)) || die "installing them needs root. Run as root: apt-get install --no-install-recommends ${missing[*]}"
  step 'refreshing the package lists' apt-get update -q
  step "installing ${missing[*]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
  virtiofsd >/dev/null || die 'QEMU is there, virtiofsd is not. Install the package virtiofsd.'
}
