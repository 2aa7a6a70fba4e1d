#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# format.sh <root>: clang-format 14 changes nothing. Other versions lay out differently: skipped.
set -eu
root=$1
here=$(cd "$(dirname "$0")" && pwd)
program=$(command -v clang-format-14 || command -v clang-format || true)
[ -n "$program" ] || { echo "clang-format is not installed"; exit 77; }
"$program" --version | grep -q ' 14\.' || { echo "clang-format 14 is not installed"; exit 77; }
cd "$root"
"$here/sources.sh" . c h | xargs -r -n 40 -P 2 "$program" --dry-run -Werror --style=file
