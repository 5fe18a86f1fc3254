# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
# shellcheck shell=bash
#
# What lab, host and domain share: names, process records, entering a host.
# The caller has set $here (this folder) and $lab (the lab's directory).

# shellcheck disable=SC2154 # here, lab: the caller's
# shellcheck source=lab/lab.conf
. "$here/lab.conf"

die() {
	echo "lab: $*" >&2
	exit 1
}

# The lab's hosts, with their addresses.
all_hosts() {
	local hosts=$LAB_HOSTS
	[ ! -e "$lab/child" ] || hosts="$hosts $LAB_CHILD_HOSTS"
	[ ! -e "$lab/second" ] || hosts="$hosts $LAB_SECOND_HOSTS"
	echo "$hosts"
}

host_names() {
	local pair
	for pair in $(all_hosts); do
		echo "${pair%%=*}"
	done
}

# in_child HOST: it belongs to the child domain, not to the root.
in_child() {
	[[ " $LAB_CHILD_HOSTS" = *" $1="* ]]
}

domain_of() {
	if in_child "$1"; then echo "$LAB_CHILD_DOMAIN"; else echo "$LAB_DOMAIN"; fi
}

realm_of() {
	if in_child "$1"; then echo "$LAB_CHILD_REALM"; else echo "$LAB_REALM"; fi
}

# Prints the address of host $1; fails if there is no such host.
address() {
	local pair
	for pair in $(all_hosts); do
		[ "${pair%%=*}" = "$1" ] && echo "${pair#*=}" && return 0
	done
	return 1
}

# A process is named by pid, start time and boot: a pid alone may by now belong
# to somebody else.
process_id() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086
	set -- "$1" $stat
	echo "$1 ${21} $(cat /proc/sys/kernel/random/boot_id)"
}

# Prints the pid a record names if that very process still runs (a zombie does not).
recorded_pid() {
	local record pid
	record=$(cat "$1" 2>/dev/null) || return 1
	pid=${record%% *}
	[ -n "$pid" ] && [ "$(process_id "$pid")" = "$record" ] || return 1
	case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in
	Z* | X* | '') return 1 ;;
	esac
	echo "$pid"
}

# enter HOST CMD...: replaces this process by CMD inside HOST.  CMD gets SIGTERM
# when the one who waits for it goes away, and never the lab's lock (9).
enter() {
	local host=$1 pid
	shift
	pid=$(recorded_pid "$lab/$host/pid") || die "$host is not up"
	exec nsenter --target "$pid" --net --mount --uts --ipc \
		--pid="/proc/$pid/ns/pid_for_children" --root --wdns=/ -- \
		env -u KRB5_CONFIG -u KRB5CCNAME -u KRB5_KTNAME -u HOSTNAME \
		PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" \
		setpriv --pdeathsig TERM -- "$@" 9>&-
}

# The same, as a child.
on() {
	(enter "$@")
}
