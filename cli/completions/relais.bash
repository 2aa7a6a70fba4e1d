# SPDX-License-Identifier: EUPL-1.2
# bash completion for relais(1): asks the program itself.
_relais() {
    local cur="${COMP_WORDS[COMP_CWORD]}" words=("${COMP_WORDS[@]:1:COMP_CWORD}") reply
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cword
        _get_comp_words_by_ref -n : -c cur -w words -i cword
        words=("${words[@]:1:cword}")
    fi
    reply=$("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null) || return
    local IFS=$'\n'
    case $reply in
        :file)
            compopt -o filenames
            COMPREPLY=($(compgen -f -- "$cur"))
            ;;
        :folder)
            compopt -o filenames
            COMPREPLY=($(compgen -d -- "$cur"))
            ;;
        *)
            set -f
            COMPREPLY=($reply)
            set +f
            ;;
    esac
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}
complete -F _relais relais
