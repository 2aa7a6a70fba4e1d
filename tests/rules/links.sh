#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# links.sh <program>: what it asks the loader for itself is on the list, and every library is found.
# More libraries in the broker are more foreign code beside everyone's messages; librelais is ours: the
# broker reads keys, members and flows with it.
set -eu
allowed='librelais|libc|libm|libpthread|libdl|librt|ld-linux-x86-64|ld-linux-aarch64|libzmq|liblmdb|libprotobuf-c|libsodium|libcyaml|libyaml-0|libxxhash|libsystemd'
runtime='libasan|libubsan|libtsan|libgcc_s|libgcov' # of sanitizer and coverage builds
needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
[ -n "$needed" ] || { echo "$1 needs nothing: nothing was checked"; exit 1; }
bad=$(echo "$needed" | grep -vE "^($allowed|$runtime)\.so(\.[0-9]+)*\$" || true)
lost=$(ldd "$1" | grep 'not found' || true)
[ -z "$bad$lost" ] || { printf '%s\n%s\n' "$bad" "$lost" | sed '/^$/d; s/^/links: /'; exit 1; }
