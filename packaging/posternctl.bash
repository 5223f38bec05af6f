# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of posternctl for bash: commands, options, and what the running agent knows of: lists,
# limits and interfaces. Without an agent those are simply not offered. Sourced by bash-completion
# as /usr/share/bash-completion/completions/posternctl; needs nothing of that package.

# What the agent answers to a command, one field of it a line: _posternctl_ask FIELD COMMAND...
# --json prints one field a line, so no parser of JSON is needed. The socket is that of the line.
_posternctl_ask() {
	local field=$1
	shift
	posternctl "$@" --json ${_posternctl_socket:+--socket "$_posternctl_socket"} 2>/dev/null |
		sed -n "s/^ *\"$field\": \"\\([^\"]*\\)\",\\{0,1\\}\$/\\1/p"
}

# The names of the lists of one kind, or of both. An object's "list" stands before its "kind".
_posternctl_lists() {
	posternctl status --json ${_posternctl_socket:+--socket "$_posternctl_socket"} 2>/dev/null |
		awk -v wanted="$1" -F '"' '
			$2 == "list" { list = $4 }
			$2 == "kind" && (wanted == "" || $4 == wanted) { print list }'
}

_posternctl_interfaces() {
	ip -oneline link show 2>/dev/null | awk -F ': ' '{ sub(/@.*/, "", $2); print $2 }'
}

# The options that a command takes.
_posternctl_options() {
	local always="--json --socket --help"
	case $1 in
	"block add") echo "--list --ttl --reason --action $always" ;;
	"allow add") echo "--list --ttl --reason $always" ;;
	"block load") echo "--format --action --reason --skip-bad $always" ;;
	"allow load") echo "--format --skip-bad $always" ;;
	"block del" | "allow del" | "block show" | "allow show" | monitor*) echo "--list $always" ;;
	attach*) echo "--mode $always" ;;
	top*) echo "--interval --count $always" ;;
	"check ip") echo "--helo $always" ;;
	"check spf") echo "--ip --helo --from --dns $always" ;;
	"check mx") echo "--dns $always" ;;
	" ") echo "--version $always" ;;
	*) echo "$always" ;;
	esac
}

# The words that may stand at an option's value: _posternctl_value OPTION KIND
_posternctl_value() {
	case $1 in
	--action) echo "drop reset refuse tarpit" ;;
	--format) echo "auto plain ipset drop rbldnsd" ;;
	--mode) echo "native generic" ;;
	--list) _posternctl_lists "$2" ;;
	--ttl) echo "1h 1d 7d 30d" ;;
	--interval) echo "1s 5s 10s 60s" ;;
	esac
}

# The words that may follow the words of a command: _posternctl_words WORD...
_posternctl_words() {
	case $# in
	0) echo "status stats top why attach detach block allow limits monitor check reload config help" ;;
	*)
		case "$1 $#" in
		"block 1" | "allow 1") echo "add del test show load clear" ;;
		"limits 1") echo "show set" ;;
		"check 1") echo "ip spf mx" ;;
		"config 1") echo "check" ;;
		"monitor 1") echo "on off" ;;
		"attach 1") _posternctl_interfaces ;;
		"detach 1") _posternctl_ask iface status ;;
		"help "*) _posternctl_help "${@:2}" ;;
		"block 2" | "allow 2") [[ $2 == clear || $2 == load ]] && _posternctl_lists "$1" ;;
		"limits 2") [[ $2 == set ]] && _posternctl_ask key limits show ;;
		"limits 3") [[ $2 == set ]] && echo "default" ;;
		esac
		;;
	esac
}

# Behind `help` stand the words of a command.
_posternctl_help() {
	case "$# ${1-}" in
	"0 " | "1 block" | "1 allow" | "1 limits" | "1 check" | "1 config") _posternctl_words "$@" ;;
	esac
}

# Whether a word takes the place of a file's name.
_posternctl_takes_file() {
	case "$# ${1-} ${2-}" in
	"3 block load" | "3 allow load" | "2 config check") return 0 ;;
	esac
	return 1
}

# Offers those of the words that begin with what has been typed. A name that a shell would take for
# more than a name is left out, and for the same reason `compgen -W`, which expands, is not used.
_posternctl_offer() {
	local current=$1 word
	while read -r word; do
		[[ $word == "$current"* && $word =~ ^[A-Za-z0-9._:-]+$ ]] && COMPREPLY+=("$word")
	done < <(tr -s ' ' '\n')
}

_posternctl_offer_files() {
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
	compopt -o filenames 2>/dev/null
}

_posternctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local _posternctl_socket="" words=() i kind=""
	COMPREPLY=()

	# Bash parts "--list=x" into three words.
	[[ $current == "=" ]] && current=""
	[[ $previous == "=" ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}

	# The words of the command so far, without options and their values.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | --list | --ttl | --reason | --action | --format | --mode | --interval | --count | --ip | \
			--helo | --from | --dns)
			[[ ${COMP_WORDS[i + 1]} == "=" ]] && ((++i))
			((++i))
			[[ ${COMP_WORDS[i - 1]} == --socket ]] && _posternctl_socket=${COMP_WORDS[i]}
			;;
		-?*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	case ${words[0]-} in
	block | allow) kind=${words[0]} ;;
	monitor) kind=block ;;
	esac

	case $previous in
	--reason | --count | --ip | --helo | --from | --dns) ;;
	--socket) _posternctl_offer_files "$current" ;;
	--list | --ttl | --action | --format | --mode | --interval)
		_posternctl_offer "$current" < <(_posternctl_value "$previous" "$kind")
		;;
	*)
		if [[ $current == -* ]]; then
			_posternctl_offer "$current" < <(_posternctl_options "${words[0]-} ${words[1]-}")
		elif _posternctl_takes_file "${words[@]}"; then
			_posternctl_offer_files "$current"
		else
			_posternctl_offer "$current" < <(_posternctl_words "${words[@]}")
		fi
		;;
	esac
}

complete -F _posternctl posternctl
