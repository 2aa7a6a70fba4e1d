#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# spdx.sh <root>: every source file says its licence within its first three lines.
set -eu
root=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$root"
{ "$here/sources.sh" . c h h.in proto cmake sh py awk; "$here/sources.sh" . txt | grep -E '(^|/)CMakeLists\.txt$' || true; } |
    while read -r path; do
        head -n 3 "$path" | grep -q 'SPDX-License-Identifier: EUPL-1\.2' || echo "$path: no SPDX line"
    done | awk '{ print } END { exit NR > 0 }'
