# shellcheck shell=bash
# Whether a run of the tests counts as good. Sourced, never run.

# outcome FAILED ROOTLESS SKIPPED GONE BOOTED: 0 when it is good. ROOTLESS is `yes` when lanes were left out for want
# of root; GONE of the SKIPPED are kernels that the archive no longer has; BOOTED kernels were tried.
outcome() {
  local failed=$1 rootless=$2 skipped=$3 gone=$4 booted=$5
  ((failed == 0)) || return 1
  [[ $rootless == no ]] || return 1
  [[ ${CI:-} == true ]] || return 0
  # Old kernels leave the archive one day, which is no fault of this tree as long as others were tried.
  ((skipped == gone)) && ((gone == 0 || booted >= 2))
}
