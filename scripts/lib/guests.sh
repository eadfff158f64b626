# shellcheck shell=bash disable=SC2154,SC2034  # root, here: the caller; kernel_series, kernels: lib/kernels.sh
# Runs the kernel tests in guests, two at a time, and keeps what each of them said. Sourced, never run.
# The caller sets guest_reports, a folder.

# A guest without KVM is some eight times slower than its host; the tests' limits and windows stretch with it.
export KERNGATE_TEST_SLOW=${KERNGATE_TEST_SLOW:-8}
guests_at_a_time=${KERNGATE_GUESTS:-2}

# boot_arguments SERIES lsm|stock: an LSM program attaches without `bpf` in this list, and never runs.
boot_arguments() {
  case $2,$1 in
    lsm,5.10) echo lsm=lockdown,yama,apparmor,bpf ;;
    lsm,*) ;;
    bare,*) echo lsm=lockdown,yama,apparmor ;;
  esac
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
    KERNGATE_TEST_LEVEL=$level "$root/scripts/vm" -t "$limit" -o "$folder" -k "$(boot_arguments "$series" "$boot")" "$series" -- \
      "$root/scripts/lib/kernel-lane" "$root/node_modules/.bin/vitest" run --project kernel --no-color \
      --reporter=default --reporter=json --outputFile.json="$folder/report.json" "$@" \
      >"$folder/log" 2>&1 || rc=$?
    ((rc == 125)) || break
    printf '%s: the guest died%s\n' "$name" "$( ((try == 2)) || echo '; once more')" | tee -a "$folder/log"
  done
  echo "$rc" >"$folder/code"
}

# guests: reads lines of arguments of `guest` and runs them; prints each one's log when it is done, whole.
guests() {
  local row
  while read -ra row; do
    while (($(jobs -rp | wc -l) >= guests_at_a_time)); do wait -n || true; done
    {
      guest "${row[@]}"
      flock 7
      printf -- '-- %s\n' "${row[0]}"
      cat "$guest_reports/${row[0]}/log"
    } 7>"$guest_reports/.printing" &
  done
  wait
}

# The short form of the kernel tests: what `npm test` runs in guests.
short_guests() {
  printf '%s\n' "vm-$1 $1 lsm auto 400 test/kernel/main-job.test.ts" \
    "vm-$1-bare $1 bare auto 300 test/kernel/main-job.test.ts"
}
