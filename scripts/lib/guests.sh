# shellcheck shell=bash disable=SC2154,SC2034  # root, here: the caller; kernel_series, kernels: lib/kernels.sh
# Runs the kernel tests in guests, two at a time, and keeps what each of them said. Sourced, never run.
# The caller sets guest_reports, a folder.

# A guest without KVM is some ten times slower than its host; the tests' limits and windows stretch with it.
guest_slow=${KERNGATE_TEST_SLOW:-10}
guest_main=$root/build/guest/main.js
guests_at_a_time=${KERNGATE_GUESTS:-2}

# The levels to test on a kernel, strongest first. The one place that says so.
kernel_levels() { echo lsm fmod_ret cgroup; }

# Where LSM programs never run, the levels below are what there is.
level_boot() { if [[ $1 == lsm ]]; then echo lsm; else echo bare; fi; }

# boot_arguments SERIES lsm|bare: without `bpf` in this list an LSM program attaches, and never runs.
boot_arguments() {
  case $2,$1 in
    lsm,5.10) echo lsm=lockdown,yama,apparmor,bpf ;;
    lsm,*) ;;
    bare,*) echo lsm=lockdown,yama,apparmor ;;
  esac
}

# In a guest the program is loaded as a few bundled files: Node opens each module one by one, which there takes
# longer than all else the program does. Two folders deep like dist/*/, so that what it looks for is found.
bundle_for_guests() {
  rm -rf "$root/build/guest"
  "$root/node_modules/.bin/rolldown" "$root/dist/main.js" --platform node --format esm -d "$root/build/guest" >/dev/null
}

# guest NAME SERIES BOOT LEVEL SECONDS FILE...: one guest, its report in $guest_reports/NAME. A guest that died is
# tried once more: what failed then was QEMU, not a test.
guest() {
  local name=$1 series=$2 boot=$3 level=$4 limit=$5 folder=$guest_reports/$1 try rc=0
  shift 5
  rm -rf "$folder"
  mkdir -p "$folder"
  for try in 1 2; do
    rc=0
    KERNGATE_TEST_LEVEL=$level KERNGATE_TEST_SLOW=$guest_slow KERNGATE_TEST_MAIN=$guest_main \
      "$root/scripts/vm" -t "$limit" -o "$folder" -k "$(boot_arguments "$series" "$boot")" "$series" -- \
      "$root/scripts/lib/guest-lane" "$root/node_modules/.bin/vitest" run --project kernel --no-color --no-isolate \
      --reporter=default --reporter=json --outputFile.json="$folder/report.json" "$@" \
      >>"$folder/log" 2>&1 || rc=$?
    ((rc == 125)) || break
    printf '%s: the guest died%s\n' "$name" "$( ((try == 2)) || echo '; once more')" | tee -a "$folder/log"
  done
  echo "$rc" >"$folder/code"
}

# For the caller to replace: a guest is done, and its report whole. Arguments as of `guest`.
guest_done() { :; }

# guests: reads lines of arguments of `guest` and runs them; prints each one's log when it is done, whole.
# Call it in a subshell.
guests() {
  local row
  # A process group each, so that none outlives a ^C.
  set -m
  trap 'for row in $(jobs -p); do kill -- "-$row" 2>/dev/null || true; done; exit 130' INT TERM
  while read -ra row; do
    while (($(jobs -rp | wc -l) >= guests_at_a_time)); do wait -n || true; done
    {
      guest "${row[@]}"
      flock 7
      printf -- '-- %s\n' "${row[0]}"
      cat "$guest_reports/${row[0]}/log"
      guest_done "${row[@]}"
    } 7>"$guest_reports/.printing" &
  done
  wait
}

# The short form of the kernel tests: what `npm test` runs in guests.
short_guests() {
  printf '%s\n' "vm-$1 $1 lsm auto 600 test/kernel/in-short.test.ts" \
    "vm-$1-bare $1 bare auto 600 test/kernel/in-short.test.ts"
}
