#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# selftest.sh <cc>: each rule passes a clean little project and catches a violation planted in it. A
# rule that cannot fail would be worth nothing.
set -eu
cc=${1:-cc}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

clean() { # a project that keeps every rule
    rm -rf "$work/p"
    mkdir -p "$work/p/broker/core" "$work/p/wire"
    cp "$here/../../.clang-format" "$work/p/"
    printf '/* SPDX-License-Identifier: EUPL-1.2 */\n#include <string.h>\n\n#include "wire/name.h"\n' \
        >"$work/p/broker/core/lease.c"
    printf '/* SPDX-License-Identifier: EUPL-1.2 */\n#include <stddef.h>\n' >"$work/p/wire/name.h"
}

passes() { # <rule> <argument>...
    rule=$1
    shift
    if ! "$here/$rule.sh" "$@" >"$work/out" 2>&1; then
        echo "$rule refuses what is clean:"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}

catches() { # <rule> <expected words> <argument>...
    rule=$1
    expected=$2
    shift 2
    if "$here/$rule.sh" "$@" >"$work/out" 2>&1; then
        echo "$rule does not see: $expected"
        failures=$((failures + 1))
    elif ! grep -q -e "$expected" "$work/out"; then
        echo "$rule fails for another reason than: $expected"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}

plant() { # <file> <line>: a clean project and one line more
    clean
    mkdir -p "$(dirname "$work/p/$1")"
    [ -e "$work/p/$1" ] || echo '/* SPDX-License-Identifier: EUPL-1.2 */' >"$work/p/$1"
    printf '%s\n' "$2" >>"$work/p/$1"
}

layering() {
    clean
    passes layering "$work/p"
    plant broker/core/lease.c '#include <time.h>'
    catches layering 'broker/core may not include time.h' "$work/p"
    plant broker/core/lease.c '#include <zmq.h>'
    catches layering 'broker/core may not include zmq.h' "$work/p"
    plant broker/core/lease.c '#  include "store/store.h"'
    catches layering 'broker/core may not include store/store.h' "$work/p"
    plant broker/store/lmdb.c '#include "net/net.h"'
    catches layering 'broker/store may not include net/net.h' "$work/p"
    plant broker/store/lmdb.c '#include "core/core.h"'
    catches layering 'broker/store may not include core/core.h' "$work/p"
    plant cli/main.c '#include "client/sender.h"'
    catches layering 'cli may not include client/sender.h' "$work/p"
    plant adapters/files/main.c '#include "wire/scan.h"'
    catches layering 'adapters/files may not include wire/scan.h' "$work/p"
    plant wire/name.h '#include "core/core.h"'
    catches layering 'wire may not include core/core.h' "$work/p"
    plant client/send.c '#include "../broker/core/core.h"'
    catches layering 'relative include' "$work/p"
    plant client/send.c '#include "tests/support/broker.h"'
    catches layering 'client may not include tests/' "$work/p"
    plant attic/old.c '#include <string.h>'
    catches layering 'no row in layering.table' "$work/p"
}

texts() {
    clean
    for rule in banned sizes spdx format words; do
        passes "$rule" "$work/p"
    done
    plant wire/name.c '/* strcpy(a, b) */ const char *text = "sprintf(c)"; // atoi(x)'
    passes banned "$work/p"
    plant wire/name.c 'void f(char *a, char *b) { strcpy (a, b); }'
    catches banned 'wire/name.c:2: strcpy is banned' "$work/p"
    plant tests/unit/check.c 'int f(char *a) { return "x" == 0 || atoi(a); }'
    catches banned 'atoi is banned' "$work/p"
    plant wire/name.c 'int x;'
    sed -i 1d "$work/p/wire/name.c"
    catches spdx 'wire/name.c: no SPDX line' "$work/p"
    plant wire/name.c 'int   x ;'
    catches format 'clang-format-violations' "$work/p"
    plant wire/name.c "/* see /$(printf work)/main */"
    catches words 'wire/name.c:2' "$work/p"
    plant README.md "Written with Chat$(printf GPT)."
    catches words 'README.md:2' "$work/p"
}

sizes() {
    clean
    { echo 'int f(int x)'; echo '{'; yes '    x++;' | head -n 70; echo '    return x;'; echo '}'; } \
        >>"$work/p/wire/name.c"
    catches sizes 'f has 7[0-9] lines' "$work/p"
    echo 'wire/name.c f a table reads best in one piece' >"$work/exceptions"
    RELAIS_SIZES_EXCEPTIONS="$work/exceptions" passes sizes "$work/p"
    clean
    { echo 'int f(int x)'; echo '{'; yes '    if (x) { x++; }' | head -n 15; echo '    return x;'; echo '}'; } \
        >>"$work/p/wire/name.c"
    catches sizes 'f has complexity 16' "$work/p"
    clean
    yes '' | head -n 250 >>"$work/p/wire/name.h"
    catches sizes 'wire/name.h: 25[0-9] lines, 250 allowed' "$work/p"
    clean
    yes '' | head -n 601 >>"$work/p/wire/name.c"
    catches sizes 'wire/name.c: 601 lines' "$work/p"
    plant wire/util.c 'int x;'
    catches sizes 'wire/util.c: not a noun' "$work/p"
}

archive() { # <name> <code>: an archive, a shared library and a program of one function
    echo "$2" >"$work/$1.c"
    "$cc" -c -fPIC "$work/$1.c" -o "$work/$1.o"
    rm -f "$work/$1.a"
    ar rc "$work/$1.a" "$work/$1.o"
}

binaries() {
    archive pure '#include <string.h>
unsigned long core_step(const char *a) { return strlen(a); }'
    passes core_is_pure "$work/pure.a"
    archive impure '#include <time.h>
long core_step(void) { return (long)time(0); }'
    catches core_is_pure 'impure: time' "$work/impure.a"
    archive loud '#include <stdio.h>
void core_step(const char *a) { puts(a); }'
    catches core_is_pure 'impure: puts' "$work/pure.a" "$work/loud.a"

    "$cc" -shared -fPIC -x c - -o "$work/good.so" <<'C'
int relais_open(void) { return 0; }
C
    passes exports "$work/good.so"
    "$cc" -shared -fPIC -x c - -o "$work/bad.so" <<'C'
int relais_open(void) { return 0; }
int wire_scan(void) { return 0; }
int relais__v1__envelope__init(void) { return 0; }
C
    catches exports 'exported: wire_scan' "$work/bad.so"
    catches exports 'exported: relais__v1__envelope__init' "$work/bad.so"

    echo 'int main(void) { return 0; }' | "$cc" -x c - -o "$work/good"
    passes links "$work/good"
    "$cc" -shared -fPIC -Wl,-soname,libsurprise.so.1 -x c - -o "$work/libsurprise.so.1" <<'C'
int surprise(void) { return 0; }
C
    echo 'int surprise(void); int main(void) { return surprise(); }' |
        "$cc" -x c - -x none "$work/libsurprise.so.1" -o "$work/bad"
    catches links 'links: libsurprise.so.1' "$work/bad"
}

layering
texts
sizes
binaries
[ "$failures" -eq 0 ] || { echo "$failures rules do not hold"; exit 1; }
