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

# variant_tags GROUP: the image of each variant of a group, one a line.
variant_tags() {
    docker buildx bake --file docker/docker-bake.json --progress quiet --print "$1" \
        | sed -n 's/^ *"\(deskgate:.*\)"$/\1/p'
}

# read_commit: what an image's labels say of the checkout in the working directory. The time is the
# commit's, so that the same commit gives the same image. Without git they are empty.
read_commit() {
    REVISION=$(git rev-parse HEAD 2>/dev/null || true)
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || true)
    CREATED=${SOURCE_DATE_EPOCH:+$(date --utc --date "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)}
    VERSION=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' entrypoint/deskgate/__init__.py)
    if [ -n "$REVISION" ] && [ -n "$(git status --porcelain)" ]; then REVISION+=-dirty; fi
    export CREATED REVISION SOURCE_DATE_EPOCH VERSION
}
