# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
# shellcheck shell=bash disable=SC2154 # here, lab, base, cache: the caller's
#
# The hosts of a lab: what is in their files, how they start, how they are wired and
# how they end.

# Starts the namespaces of $1 and waits until they can be entered.
start_host() {
	local dir=$lab/$1
	rm -f "$dir/ready"
	setsid "$here/host" "$lab" "$1" </dev/null >"$dir/host.log" 2>&1 \
		9>&- &
	disown
	for _ in $(seq 500); do
		[ -e "$dir/ready" ] && return 0
		sleep 0.01
	done
	cat "$dir/host.log" >&2
	die "$1 did not start"
}

# Ends all that runs in $1: its process 1 dies with the one recorded.
stop_host() {
	local pid
	pid=$(recorded_pid "$lab/$1/pid") || return 0
	kill -KILL "$pid" 2>/dev/null || return 0
	for _ in $(seq 500); do
		recorded_pid "$lab/$1/pid" >/dev/null || return 0
		sleep 0.01
	done
	die "process $pid ($1) does not end"
}

# What is private to a host starts as the machine's own /etc and an empty /var.
make_files() {
	local host=$1 root=$lab/$1
	mkdir -p "$root/run/samba" "$root/var/lib/samba/private" \
		"$root/var/cache/samba" "$root/var/log/samba" "$root/var/spool"
	mkdir -m 1777 "$root/var/tmp"
	chmod 700 "$root/var/lib/samba/private"
	ln -s /run "$root/var/run"
	ln -s /run/lock "$root/var/lock"
	mkdir -m 1777 "$root/run/lock"
	cp -a /etc "$root/etc"
	rm -rf "$root/etc/samba" "$root/etc/krb5.keytab" "$root/etc/krb5.conf" \
		"$root/etc/krb5.conf.d" "$root/etc/resolv.conf" \
		"$root/etc/autoenroll" "$root/etc/certsrv"
	mkdir "$root/etc/samba"

	echo "$host" >"$root/etc/hostname"
	cat >"$root/etc/hosts" <<-TXT
	127.0.0.1 localhost
	$(address "$host") $host.$(domain_of "$host") $host
	TXT
	cat >"$root/etc/resolv.conf" <<-TXT
	search $(domain_of "$host")
	nameserver $(address dc1)
	options timeout:2 attempts:2
	TXT
	# The second controller is asked when the first is silent, and the other way round.
	[ ! -e "$lab/second" ] || cat >"$root/etc/resolv.conf" <<-TXT
	search $(domain_of "$host")
	nameserver $(address dc1)
	nameserver $(address dc3)
	options timeout:1 attempts:2
	TXT
	cat >"$root/etc/nsswitch.conf" <<-TXT
	passwd: files
	group: files
	shadow: files
	hosts: files dns
	networks: files
	protocols: files
	services: files
	ethers: files
	rpc: files
	TXT
	cat >"$root/etc/krb5.conf" <<-TXT
	[libdefaults]
	default_realm = $(realm_of "$host")
	dns_lookup_realm = false
	dns_lookup_kdc = true
	rdns = false
	default_ccache_name = FILE:/run/krb5cc_%{uid}
	TXT
	# Samba's KDC makes no referrals inside a forest.
	[ ! -e "$lab/child" ] || cat >>"$root/etc/krb5.conf" <<-TXT
	[domain_realm]
	.$LAB_CHILD_DOMAIN = $LAB_CHILD_REALM
	.$LAB_DOMAIN = $LAB_REALM
	TXT
	smb_conf "$host" >"$root/etc/samba/smb.conf"
}

# A DC leaves out what one without Windows 9x clients or printers never needs.
# DNS is dc1's, for every domain of the forest.
smb_conf() {
	local dns="dns" workgroup=$LAB_NETBIOS
	! in_child "$1" || workgroup=$LAB_CHILD_NETBIOS dns=
	echo "[global]"
	echo "workgroup = $workgroup"
	echo "realm = $(realm_of "$1")"
	echo "netbios name = ${1^^}"
	echo "disable netbios = yes"
	echo "smb ports = 445"
	if [[ $1 != dc* ]]; then
		echo "server role = member server"
		echo "security = ads"
		echo "kerberos method = system keytab"
		return
	fi
	cat <<-TXT
	server role = active directory domain controller
	prefork children = 2
	server services = s3fs rpc ldap cldap kdc drepl winbindd $dns
	interfaces = lo $(address "$1")/24
	bind interfaces only = yes
	load printers = no
	printing = bsd
	printcap name = /dev/null
	disable spoolss = yes
	[sysvol]
	path = /var/lib/samba/sysvol
	read only = no
	[netlogon]
	path = /var/lib/samba/sysvol/$(domain_of "$1")/scripts
	read only = no
	TXT
}

# A switch and a cable to each host.
connect() {
	local host switch pid
	switch=$(recorded_pid "$lab/switch/pid")
	on switch ip link add br0 type bridge forward_delay 0
	on switch ip link set br0 up
	for host in $(host_names); do
		pid=$(recorded_pid "$lab/$host/pid")
		# From here, where pid means the process we know.
		nsenter --target "$switch" --net ip link add "$host" type veth \
			peer name eth0 netns "$pid"
		on switch ip link set "$host" master br0 up
		on "$host" ip addr add "$(address "$host")/24" dev eth0
		on "$host" ip link set eth0 up
	done
}

make_hosts() {
	local host
	mkdir -p "$lab/switch"
	for host in $(host_names); do
		mkdir -p "$lab/$host"
		make_files "$host"
	done
	for host in switch $(host_names); do
		start_host "$host"
	done
	connect
}

remove_lab() {
	local record
	for record in "$lab"/*/pid; do
		[ -e "$record" ] || continue
		stop_host "$(basename "$(dirname "$record")")"
	done
	rm -rf "$lab"
}
