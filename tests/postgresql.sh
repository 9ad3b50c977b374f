#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own in TOOLN1_TEST_POSTGRESQL: tests/postgresql.sh dotnet test -c Release
#
# The cluster is new, lies in a temporary folder, listens on a Unix socket in it only (no port, so none can be taken), and
# is gone afterwards. Where PostgreSQL is missing, Debian's is installed if we may; else the command runs without, and the
# tests that need it skip, visibly. Exits as the command does.
set -uo pipefail
[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT…]" >&2; exit 2; }

find_binaries() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
    [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && { echo "$folder"; return; }
  done
  return 1
}

binaries=$(find_binaries) || {
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1
  binaries=$(find_binaries) || { echo "no PostgreSQL: its tests will skip" >&2; exec "$@"; }
}

folder=$(mktemp -d /tmp/tooln1-postgresql-XXXXXX)
# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" -eq 0 ]; then
  user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  chown "$user" "$folder"
  as=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
fi

stop() {
  (cd "$folder" && "${as[@]}" "$binaries/pg_ctl" -D "$folder/data" -m immediate -w stop) >/dev/null 2>&1
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Trust is enough: only this user and root reach the socket. Nothing has to outlive a crash, so nothing is synced.
start() {
  cd "$folder" &&
    "${as[@]}" "$binaries/initdb" -D "$folder/data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync &&
    "${as[@]}" "$binaries/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 \
      -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200" start
}
if ! output=$( (start) 2>&1 ); then
  printf '%s\n' "$output" >&2
  cat "$folder/log" >&2 2>/dev/null
  echo "PostgreSQL does not start" >&2
  exit 1
fi

TOOLN1_TEST_POSTGRESQL="Host=$folder;Username=postgres" "$@"
