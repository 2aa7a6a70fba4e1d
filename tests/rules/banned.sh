#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# banned.sh <root>: functions that cannot be used safely, or that hide a shell, a limit or an error.
# Comments and string literals do not count. rand: who needs random bytes asks getrandom or libsodium.
set -eu
root=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$root"
# shellcheck disable=SC2016 # the program is for awk
"$here/sources.sh" . c h | xargs -r awk '
    BEGIN {
        split("strcpy strncpy stpcpy strcat strncat sprintf vsprintf strtok atoi atol atoll atof sscanf " \
              "fscanf scanf gets alloca strdupa system popen tmpnam tempnam mktemp rand random " \
              "setjmp longjmp vfork", list, " ")
        for (i in list) { banned[list[i]] = 1 }
    }
    FNR == 1 { inside = 0 }
    {
        line = code_of($0)
        while (match(line, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
            name = substr(line, RSTART, RLENGTH)
            sub(/[ \t]*\($/, "", name)
            if (name in banned) { printf "%s:%d: %s is banned\n", FILENAME, FNR, name; bad = 1 }
            line = substr(line, RSTART + RLENGTH)
        }
    }
    END { exit bad }

    # The line without comments and literals; "inside" remembers an open comment.
    function code_of(text,   out, c, two, i, quote) {
        out = ""
        quote = ""
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            two = substr(text, i, 2)
            if (inside) {
                if (two == "*/") { inside = 0; i++ }
            } else if (quote != "") {
                if (c == "\\") { i++ } else if (c == quote) { quote = "" }
            } else if (two == "/*") { inside = 1; i++
            } else if (two == "//") { break
            } else if (c == "\"" || c == "\047") { quote = c; out = out " "
            } else { out = out c }
        }
        return out
    }
'
