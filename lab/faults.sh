# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
# shellcheck shell=bash disable=SC2154 # here, lab, base, cache: the caller's
#
# Making a host misbehave, from outside of its programs.

# Rules in the host's own firewall: what comes in by the cable, so dc1 still hears
# itself.
fault_rule() {
	local host=$1 port=$2 tcp=$3 udp=$4
	[[ $port =~ ^[0-9]+$ ]] || die "not a port: $port"
	on "$host" nft -f - <<-TXT
	table inet fault {
		chain input {
			type filter hook input priority 0;
			iifname "eth0" tcp dport $port $tcp
			iifname "eth0" udp dport $port $udp
		}
	}
	TXT
}

# Those who entered the host from outside (lab exec) stop when what they wait for is
# stopped, and do not start again by themselves.
resume() {
	local host=$1 pid namespace process parent
	pid=$(recorded_pid "$lab/$host/pid") || return 0
	on "$host" bash -c 'kill -CONT -1' || :
	namespace=$(readlink "/proc/$pid/ns/pid_for_children")
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$namespace" ] || continue
		parent=$(awk '/^PPid:/ { print $2 }' "$process/status" 2>/dev/null) || continue
		[ "${parent:-0}" != 0 ] || continue
		if [ "$(readlink "/proc/$parent/ns/pid" 2>/dev/null)" != "$namespace" ]; then
			kill -CONT "$parent" 2>/dev/null || :
		fi
	done
}

lab_fault() {
	[ $# -ge 2 ] || die "fault HOST drop|refuse|unplug|pause|clear [PORT]"
	address "$1" >/dev/null || die "no host $1"
	case $2 in
	drop) fault_rule "$1" "${3:-}" drop drop ;;
	refuse) fault_rule "$1" "${3:-}" "reject with tcp reset" reject ;;
	unplug) on switch ip link set "$1" down ;;
	pause) on "$1" bash -c 'kill -STOP -1' ;;
	clear)
		resume "$1"
		on switch ip link set "$1" up
		on "$1" nft flush ruleset
		;;
	*) die "no fault '$2'" ;;
	esac
}
