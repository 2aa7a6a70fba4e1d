#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# sources.sh <root> <extension>...: the files of ours with one of these extensions, one a line, relative
# to <root>. Reads the folders, not git, so that a file is held to the rules before it is committed.
set -eu
root=$1
shift
cd "$root"
for extension in "$@"; do
    find . \( -name build -o -name .git -o -name .cache \) -prune -o -type f -name "*.$extension" -print
done | sed 's|^\./||' | sort -u
