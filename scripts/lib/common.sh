# shellcheck shell=bash
# What every script shares: the root of the tree, messages, logged steps, content stamps. Sourced, never run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*"; }

die() {
  printf 'kerngate: %s\n' "$*" >&2
  exit 1
}

# One sum over the contents and names of files and folders (relative to the root). Git is not asked:
# a clone without its metadata must come to the same answer.
fingerprint() {
  (cd "$root" && find "$@" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 -r sha256sum) |
    sha256sum | cut -d' ' -f1
}

# stamped FILE SUM: whether the step that wrote FILE saw the same input.
stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }

stamp() { printf '%s\n' "$2" >"$1"; }

# step SENTENCE COMMAND...: says what and why, keeps the output in a log, shows its end when the command fails.
step() {
  local sentence=$1 log rc=0
  shift
  say "set-up: $sentence"
  log=$(mktemp "${TMPDIR:-/tmp}/kerngate-setup.XXXXXX.log")
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  if ((rc != 0)); then
    printf 'kerngate: this step failed (exit code %d): %s\nThe end of its log, %s:\n' "$rc" "$sentence" "$log" >&2
    tail -n 30 "$log" | sed 's/^/  /' >&2
    exit 1
  fi
  rm -f "$log"
}
