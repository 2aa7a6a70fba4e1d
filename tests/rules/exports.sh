#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# exports.sh <librelais.so>: the library shows its users relais_* and nothing else.
set -eu
names=$(nm -D --defined-only "$1" | awk 'NF >= 2 { print $NF }' | sed 's/@.*//' | sort -u)
[ -n "$names" ] || { echo "$1 exports nothing: nothing was checked"; exit 1; }
# Sanitizers and coverage add names of their own to their builds.
bad=$(echo "$names" | grep -vE '^relais_[a-z0-9_]+$|^__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm|odr_asan|start___sancov|stop___sancov)|^_(init|fini|edata|end)$|^__bss_start$' || true)
bad=$(printf '%s\n%s\n' "$bad" "$(echo "$names" | grep '^relais__' || true)" | sed '/^$/d')
[ -z "$bad" ] || { echo "$bad" | sed 's/^/exported: /'; exit 1; }
