# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
# shellcheck shell=bash disable=SC2154 # here, lab: the caller's
#
# A child domain of the forest, with a controller (dc2) and a member (pc2).  dc1 is
# the DNS server of both: dc2 answers none, so nothing is to be delegated.

start_child_dc() {
	local port
	on dc2 samba -D
	for port in 88 135 389 445; do
		wait_port dc2 "$port"
	done
}

child_srv() {
	local name=$1 port=$2
	dns_add "$LAB_CHILD_DOMAIN" "$name" SRV \
		"dc2.$LAB_CHILD_DOMAIN $port 0 100"
}

# What a DC registers for itself.
child_dns() {
	local pair host site=Default-First-Site-Name._sites
	on dc1 samba-tool dns zonecreate "dc1.$LAB_DOMAIN" "$LAB_CHILD_DOMAIN" \
		-U"$LAB_ADMIN%$LAB_ADMIN_PASSWORD"
	for pair in $LAB_CHILD_HOSTS; do
		host=${pair%%=*}
		dns_add "$LAB_CHILD_DOMAIN" "$host" A "${pair#*=}"
		dns_add "$LAB_REVERSE_ZONE" "${pair##*.}" PTR \
			"$host.$LAB_CHILD_DOMAIN"
	done
	child_srv _ldap._tcp 389
	child_srv _ldap._tcp.dc._msdcs 389
	child_srv "_ldap._tcp.$site.dc._msdcs" 389
	child_srv _ldap._tcp.pdc._msdcs 389
	child_srv _kerberos._tcp 88
	child_srv _kerberos._udp 88
	child_srv _kerberos._tcp.dc._msdcs 88
}

# Starts from the root domain as it is kept.
make_child() {
	local port what
	mkdir -p "$lab"
	: >"$lab/child"
	make_hosts
	copy_domain root
	on dc1 samba -D
	for port in 53 88 135 389 445; do
		wait_port dc1 "$port"
	done
	child_dns
	what=(--host=dc2 --domain="$LAB_CHILD_DOMAIN" --netbios="$LAB_CHILD_NETBIOS"
		--parent="$LAB_DOMAIN" --server="dc1.$LAB_DOMAIN"
		--sid="S-1-5-21-$((RANDOM * RANDOM))-$((RANDOM * RANDOM))-$RANDOM"
		--guid="$(cat /proc/sys/kernel/random/uuid)"
		--invocation="$(cat /proc/sys/kernel/random/uuid)"
		--user="$LAB_ADMIN" --password="$LAB_ADMIN_PASSWORD")
	on dc1 /usr/bin/python3 "$here/subdomain" announce "${what[@]}"
	on dc2 /usr/bin/python3 "$here/subdomain" join "${what[@]}"
	on dc2 /usr/bin/python3 "$here/subdomain" settle "${what[@]}"
	on dc2 samba-tool domain passwordsettings set \
		--max-pwd-age=0 --min-pwd-age=0
	on dc2 cp /var/lib/samba/private/secrets.keytab /etc/krb5.keytab
	start_child_dc
	on dc2 samba_spnupdate
	join pc2 dc2
}
