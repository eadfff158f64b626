#!/usr/bin/env bash
# Makes a fresh Debian machine ready for the README's commands, and shows that they work. Run as root, again if you like.
set -euo pipefail
tree=${1:-/opt/kerngate}
export DEBIAN_FRONTEND=noninteractive

if ! command -v npm >/dev/null; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends nodejs npm
fi

cd "$tree"
npm run setup
bin/kerngate doctor || echo 'doctor found something missing: see above; the machine is up all the same.'
npm run demo

cat <<'TEXT'
kerngate is built in /opt/kerngate. As root there:
  npm start                        the agent, in audit
  npm start -- --mode enforce      the agent, refusing
  npm test                         every test this machine can run
TEXT
