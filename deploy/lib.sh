# SPDX-License-Identifier: EUPL-1.2
# shellcheck shell=bash
# What deploy/demo and deploy/test share: progress, failure with a remedy, packages, build.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n== %s\n' "$*"; }

# fail WHAT REMEDY
fail() {
    printf '\nFAILED: %s\n  What to do: %s\n' "$1" "$2" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@" || fail "sudo refused: $*" "run it once as root, or allow sudo without a password"
    else
        fail "not root and no sudo: $*" "run it as root"
    fi
}

# missing_packages PART: "build", "test" for everything that deploy/test needs, or "bench" for what
# deploy/bench needs beside "build"
missing_packages() {
    local name list=$root/deploy/packages
    [ "$1" != bench ] || list=$list.bench
    sed "/^# test/$([ "$1" = build ] && echo ',$'){s/.*//}; s/#.*//" "$list" | while read -r name _; do
        [ -n "$name" ] || continue
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || echo "$name"
    done
}

# install_packages PART
install_packages() {
    command -v dpkg-query >/dev/null ||
        fail "this is not a Debian system" "use Debian 12, or install what deploy/packages lists and build with cmake"
    local missing
    missing=$(missing_packages "$1")
    if [ -z "$missing" ]; then
        say "packages: all there"
        return
    fi
    say "packages: installing" "${missing//$'\n'/ }"
    export DEBIAN_FRONTEND=noninteractive
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update ||
        fail "apt-get update" "check the network and /etc/apt/sources.list, then run this again"
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing \
        >/tmp/relais-apt.$$ 2>&1 || {
        tail -n 15 /tmp/relais-apt.$$ >&2
        fail "apt-get install" "read the lines above; 'apt-get -f install' often helps, then run this again"
    }
    rm -f /tmp/relais-apt.$$
}

# build PRESET
build() {
    local log="$root/build/$1.log"
    mkdir -p "$root/build"
    say "build: $1"
    (cd "$root" && cmake --preset "$1" >"$log" 2>&1) || {
        tail -n 20 "$log" >&2
        fail "cmake --preset $1" "a package may be missing: compare with deploy/packages; whole output: build/$1.log"
    }
    (cd "$root" && cmake --build --preset "$1" >>"$log" 2>&1) || {
        grep -E 'error|FAILED' "$log" | head -n 20 >&2
        fail "cmake --build --preset $1" "whole output: build/$1.log; 'rm -rf build' and again after an upgrade"
    }
    tail -n 1 "$log"
}
