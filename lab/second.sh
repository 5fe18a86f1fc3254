# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
# shellcheck shell=bash disable=SC2154 # here, lab, base, cache: the caller's
#
# A second domain controller of the root domain, dc3, which replicates with dc1.
# Made once and kept, as the domain itself is.

start_second_dc() {
	local port
	on dc3 samba -D
	for port in 53 88 135 389 445; do
		wait_port dc3 "$port"
	done
}

# Starts from the root domain as it is kept.  SYSVOL is not replicated by Samba: a copy.
make_second() {
	local login="-U$LAB_ADMIN%$LAB_ADMIN_PASSWORD" port
	mkdir -p "$lab"
	: >"$lab/second"
	make_hosts
	copy_domain root
	on dc1 samba -D
	for port in 53 88 135 389 445; do
		wait_port dc1 "$port"
	done
	rm -rf "$lab/dc3/var/lib/samba" "$lab/dc3/etc/samba/smb.conf"
	mkdir -p "$lab/dc3/var/lib/samba/private"
	on dc3 samba-tool domain join "$LAB_DOMAIN" DC "$login" --server="dc1.$LAB_DOMAIN" \
		--realm="$LAB_REALM" --dns-backend=SAMBA_INTERNAL --option="netbios name = DC3"
	smb_conf dc3 >"$lab/dc3/etc/samba/smb.conf"
	rm -rf "$lab/dc3/var/lib/samba/sysvol"
	cp -a "$lab/dc1/var/lib/samba/sysvol" "$lab/dc3/var/lib/samba/sysvol"
	on dc3 cp /var/lib/samba/private/secrets.keytab /etc/krb5.keytab
	start_second_dc
	dns_add "$LAB_DOMAIN" dc3 A "$(address dc3)" || :	# the join may have added it
	on dc3 samba_spnupdate
	on dc3 samba_dnsupdate --use-samba-tool
	dns_add "$LAB_REVERSE_ZONE" "$(address dc3 | sed 's/.*\.//')" PTR "dc3.$LAB_DOMAIN"
	replicate
}

# Both ways, now: what one knows, the other knows.
replicate() {
	local nc base
	base=DC=${LAB_DOMAIN//./,DC=}
	for nc in "$base" "CN=Configuration,$base" "DC=DomainDnsZones,$base" "DC=ForestDnsZones,$base"; do
		on dc3 samba-tool drs replicate dc3 dc1 "$nc" -P
		on dc1 samba-tool drs replicate dc1 dc3 "$nc" -P
	done
}
