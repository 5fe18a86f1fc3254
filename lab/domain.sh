# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
# shellcheck shell=bash disable=SC2154 # here, lab, base, cache: the caller's
#
# The domain: its controller's programs, how it is made, and the copy that is kept so
# that it is made only once.

# Waits until HOST answers on TCP PORT, as seen from pc1.
wait_port() {
	local i
	for i in $(seq 300); do
		# shellcheck disable=SC2016
		if on pc1 bash -c ': <>"/dev/tcp/$0/$1"' "$(address "$1")" "$2" 2>/dev/null; then
			return 0
		fi
		sleep 0.1
	done
	die "$1 does not answer on port $2 after $((i / 10)) s"
}

start_dc() {
	local port
	on dc1 samba -D
	for port in 53 88 135 389 445; do
		wait_port dc1 "$port"
	done
	[ ! -e "$lab/child" ] || start_child_dc
	[ ! -e "$lab/second" ] || start_second_dc
}

# Asks Samba on HOST to end and waits: a copy is taken next.
stop_samba() {
	local host=$1 pid
	pid=$(cat "$lab/$host/run/samba/samba.pid")
	on "$host" kill "$pid"
	for _ in $(seq 300); do
		on "$host" kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	die "samba on $host does not end"
}

stop_dc() {
	[ ! -e "$lab/child" ] || stop_samba dc2
	[ ! -e "$lab/second" ] || stop_samba dc3
	stop_samba dc1
}

provision() {
	on dc1 samba-tool domain provision \
		--realm="$LAB_REALM" --domain="$LAB_NETBIOS" --server-role=dc \
		--dns-backend=SAMBA_INTERNAL --host-name=dc1 \
		--host-ip="$(address dc1)" --adminpass="$LAB_ADMIN_PASSWORD"
	# The copy must still work in a year.
	on dc1 samba-tool domain passwordsettings set \
		--max-pwd-age=0 --min-pwd-age=0
	# The DC is a domain member too, with a keytab where members keep theirs.
	on dc1 cp /var/lib/samba/private/secrets.keytab /etc/krb5.keytab
}

people() {
	local user
	for user in $LAB_USERS; do
		on dc1 samba-tool user create "$user" "$LAB_USER_PASSWORD"
	done
}

# adcli makes the computer account as it does on any Linux machine.  The user
# principal lets the member log in with a certificate that carries it.
join() {
	local host=$1 dc=$2 domain realm
	domain=$(domain_of "$host")
	realm=$(realm_of "$host")
	printf %s "$LAB_ADMIN_PASSWORD" | on "$host" adcli join \
		--domain="$domain" --domain-controller="$dc.$domain" \
		--login-user="$LAB_ADMIN" --stdin-password \
		--host-fqdn="$host.$domain" --computer-name="${host^^}" \
		--user-principal="${host^^}\$@$realm" \
		--service-name=RPCSS --service-name=rpc --service-name=cifs
}

# Samba does this some minutes after its start; here it is done at once.
dc_names() {
	on dc1 samba_spnupdate
	on dc1 samba_dnsupdate --use-samba-tool
}

# What a member would register for itself.  nsupdate is not used: it finds fault
# with the signature on Samba 4.17's replies.
dns_add() {
	on dc1 samba-tool dns add "dc1.$LAB_DOMAIN" "$@" \
		-U"$LAB_ADMIN%$LAB_ADMIN_PASSWORD"
}

dns_records() {
	local pair host
	on dc1 samba-tool dns zonecreate "dc1.$LAB_DOMAIN" "$LAB_REVERSE_ZONE" \
		-U"$LAB_ADMIN%$LAB_ADMIN_PASSWORD"
	for pair in $LAB_HOSTS; do
		host=${pair%%=*}
		[ "$host" = dc1 ] || dns_add "$LAB_DOMAIN" "$host" A "${pair#*=}"
		dns_add "$LAB_REVERSE_ZONE" "${pair##*.}" PTR "$host.$LAB_DOMAIN"
	done
}

# The cache is good for these scripts and these programs, and for nothing else.
cache_key() {
	{
		cat "$here/host" "$here/common.sh" "$here/hosts.sh" "$here/domain.sh" \
			"$here/lab.conf"
		[ "${1:-}" != child ] || cat "$here/child.sh" "$here/subdomain"
		[ "${1:-}" != second ] || cat "$here/second.sh"
		dpkg-query --show samba samba-ad-provision adcli 2>/dev/null
	} | sha256sum | cut -c 1-16
}

# What of a host makes it what it is in the domain.
identity="etc/krb5.keytab var/lib/samba"

make_root() {
	make_hosts
	provision
	people
	start_dc
	dc_names
	dns_records	# before any join: adcli asks for the DC's name by its address
	join ca1 dc1
	join pc1 dc1
}

# Provisions a domain in a lab of its own and keeps its files.  The directory gets
# its final name only when complete.  A process of its own, so that any failing step
# ends it.
lab_provision() {
	local forest=${1:-root} key host item
	key=$(cache_key "$forest")
	[ ! -d "$cache/$key" ] || return 0
	rm -rf "$cache"/*.new
	# Domains that nobody started for a week.
	find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} +
	lab=$base/.provision
	trap remove_lab EXIT
	remove_lab
	"make_$forest"
	stop_dc
	for host in $(host_names); do
		for item in $identity; do
			[ -e "$lab/$host/$item" ] || continue
			mkdir -p "$cache/$key.new/$host/$(dirname "$item")"
			cp -a "$lab/$host/$item" "$cache/$key.new/$host/$item"
		done
	done
	sync -f "$cache"
	mv "$cache/$key.new" "$cache/$key"
}

# fill_cache root|child: what is not there yet.
fill_cache() {
	[ ! -d "$cache/$(cache_key "$1")" ] || return 0
	mkdir -p "$cache"
	echo "lab: provisioning the $1 domain (kept for the next time)" >&2
	flock --close --wait 300 "$cache/lock" "$here/lab" provision "$1" \
		>"$cache/log" 2>&1 9>&- || {
		tail -n 40 "$cache/log" >&2
		die "the domain could not be provisioned, see $cache/log"
	}
}

# copy_domain root|child
copy_domain() {
	local host key
	key=$(cache_key "$1")
	touch "$cache/$key"
	for host in $(host_names); do
		[ -d "$cache/$key/$host" ] || continue
		rm -rf "$lab/$host/var/lib/samba"
		cp -a "$cache/$key/$host/." "$lab/$host/"
	done
}
