#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# layering.sh <root>: who may include whom. The first folder of layering.table that a file lies in
# counts; own ("...") and system (<...>) headers have a list each, everything else is refused.
set -eu
root=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$root"
# shellcheck disable=SC2016 # the program is for awk
"$here/sources.sh" . c h in | grep -v '^tests/' | grep -E '\.(c|h|h\.in)$' | xargs -r awk '
    FNR == NR { read_row(); next }
    FNR == 1 { room = room_of(FILENAME) }
    /^[ \t]*#[ \t]*include/ { check() }
    END { exit bad }

    function read_row(   i) {
        if ($0 ~ /^#/ || NF == 0) { return }
        if ($1 == "set") {
            for (i = 3; i <= NF; i++) { member[$2, $i] = 1 }
            return
        }
        if ($1 == "room") { rooms[++count] = $2; return }
        for (i = 2; i <= NF; i++) { allowed[count, $1, $i] = 1 }
    }
    function room_of(path,   i) {
        for (i = 1; i <= count; i++) {
            if (index(path, rooms[i] "/") == 1) { return i }
        }
        return 0
    }
    function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
    function check(   kind, header, folder) {
        if (room == 0) { complain("this folder has no row in layering.table"); return }
        if ($0 ~ /"/) { kind = "own"; split($0, parts, "\"") } else { kind = "system"; split($0, parts, /[<>]/) }
        header = parts[2]
        folder = header
        sub(/[^\/]*$/, "", folder)
        if (header ~ /\.\./) { complain("relative include of " header); return }
        if ((room, kind, header) in allowed) { return }
        if (folder != "" && (room, kind, folder) in allowed) { return }
        for (set in member) {
            split(set, pair, SUBSEP)
            if (pair[2] == header && (room, kind, "@" pair[1]) in allowed) { return }
        }
        complain(rooms[room] " may not include " header " (" kind ")")
    }
' "$here/layering.table"
