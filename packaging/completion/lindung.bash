# SPDX-License-Identifier: BSD-2-Clause
# bash completion for lindung(1).  Commands and options are asked of the program itself, so that
# they are never stale.

_lindung() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}

	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--help --version $("$program" --help 2>/dev/null |
			sed -n 's/^  \([a-z][a-z-]*\)  *.*/\1/p')" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null |
			grep -oE -- '(^|[ ,[])--[a-z-]+' | tr -d ' ,[')" -- "$word")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -F _lindung lindung
