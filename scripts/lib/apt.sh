# shellcheck shell=bash disable=SC2034  # debian_keys: for the caller
# apt with sources and state of its own, from the archives this machine already uses. Sourced, never run.
# The caller sets apt_room, a folder that holds nothing else; the machine's own sources and lists stay as they are.
apt_room=${apt_room:-}
debian_keys=/usr/share/keyrings/debian-archive-keyring.gpg

# The archives of this machine, in the order of its own lists, each once.
apt_mirrors() {
  local etc=${KERNGATE_APT_ETC:-/etc/apt}
  {
    cat "$etc"/sources.list.d/*.sources 2>/dev/null | awk '
      /^[^ \t#]/ { in_uris = tolower($1) == "uris:"; if (in_uris) $1 = "" }
      /^#/ { next }
      in_uris { for (i = 1; i <= NF; i++) print $i }'
    cat "$etc"/sources.list "$etc"/sources.list.d/*.list 2>/dev/null |
      awk '$1 ~ /^deb(-src)?$/ { sub(/\[[^]]*\]/, ""); print $2 }'
  } | grep -v '^cdrom:' | awk '!seen[$0]++'
}

# apt_fresh LINE...: an empty room whose sources are these lines.
apt_fresh() {
  rm -rf "$apt_room"
  mkdir -p "$apt_room/lists/partial" "$apt_room/cache/archives/partial"
  printf '%s\n' "$@" >"$apt_room/sources.list"
}

# apt_private TOOL ARGUMENT...: what is not signed is refused, whatever the machine's own configuration says.
apt_private() {
  local tool=$1
  shift
  "$tool" -qq -o Dir::Etc::sourcelist="$apt_room/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::Lists="$apt_room/lists" -o Dir::Cache="$apt_room/cache" \
    -o Acquire::AllowInsecureRepositories=false -o APT::Get::AllowUnauthenticated=false \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}
