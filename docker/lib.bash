# Sourced by the scripts here: how they speak, and how a long step shows that it is alive.
# shellcheck shell=bash
set -euo pipefail

readonly BEAT_SECONDS=${BEAT_SECONDS:-10}
exec {terminal}>&2 # what follows speaks there even while a step's output goes to a file

say() { printf '%s: %s (%d s)\n' "${0##*/}" "$1" "$SECONDS" >&"$terminal"; }

# die TEXT [STATUS]: status 69 of sysexits.h unless told.
die() { printf '%s: cannot %s\n' "${0##*/}" "$1" >&"$terminal"; exit "${2:-69}"; }

# busy WHAT COMMAND…: runs the command, and says every few seconds that it goes on.
busy() {
    local what=$1 beat never status=0
    shift
    # `read` waits without a child: a left-over `sleep` would keep the caller's pipes open.
    {
        exec {never}<> <(:)
        while ! read -rt "$BEAT_SECONDS" -u "$never"; do say "still $what"; done
    } >/dev/null 2>&1 &
    beat=$!
    "$@" || status=$?
    kill "$beat" 2>/dev/null || true
    wait "$beat" 2>/dev/null || true
    return "$status"
}

# apt_install LOG PACKAGE…: the packages alone, without what they recommend.
apt_install() {
    local log=$1
    shift
    # shellcheck disable=SC2016  # expanded by the inner shell
    DEBIAN_FRONTEND=noninteractive busy "installing $1 and others" sh -c \
        'apt-get update && exec apt-get install --yes --no-install-recommends "$@"' sh "$@" \
        >"$log" 2>&1
}
