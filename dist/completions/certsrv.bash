# SPDX-License-Identifier: Apache-2.0
# bash completion for certsrv
_certsrv() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local cmd='' i words=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--root | --config | --ca) i=$((i + 1)) ;;
		-*) ;;
		*) cmd=${COMP_WORDS[i]} && break ;;
		esac
	done
	case $cmd in
	'') words='setup ca key root audit request revoke recover-key template permission agent officer attestation explain policy backup restore crl db ping status diagnose --root --config --ca --help --version' ;;
	audit) words='templates acl mappings verify --trust --json --help' ;;
	setup) words='--name --key --key-type --subordinate --passphrase-file --pkcs11-module --pkcs11-pin-file --pkcs11-path --tpm --years --cdp --no-templates --no-gpo --machine-logon --uid-base --new-database --database --database-password-file --dry-run --json --help' ;;
	ca) words='list show renew install-certificate --new-key --key --key-type --years --no-cross --chain --no-directory --no-templates --no-gpo --json --help' ;;
	key) words='test --json --help' ;;
	root) words='init sign revoke crl --dir --name --key --years --path-length --cdp --aia --out --days --passphrase-file --help' ;;
	request) words='list show approve deny --state --template --sid --limit --after --oldest --pem --json --help' ;;
	revoke) words='--reason --hold --release --json --help' ;;
	recover-key) words='--out --json --help' ;;
	template) words='list show diff new set grant revoke export import delete publish unpublish pin unpin pins settings --acl --from --reenroll --out --json --help' ;;
	permission) words='show grant revoke enroll read manage-certificates manage-ca audit backup --json --help' ;;
	attestation) words='show add-root add-intermediate add-key remove --json --help' ;;
	agent | officer) words='show allow deny remove unrestrict --for --template --json --help' ;;
	diagnose) words='--request --requester --template --lang --verbose --json --help' ;;
	explain) words='--as --template --attrib --renew-on-behalf --policy --request --json --help' ;;
	policy) words='check try reload --as --template --json --help' ;;
	backup) words='verify --with-key --without-key --sha256 --json --help' ;;
	restore) words='acknowledge --replace --server --dry-run --sha256 --next-id --crl --offline --json --help' ;;
	ping | status) words='--json --help' ;;
	db) words='check copy --password-file --json --help' ;;
	crl) words='publish show --wait --json --help' ;;
	esac
	case $prev in
	--key) words='rsa2048 rsa3072 rsa4096 p256 p384 tpm: pkcs11:' ;;
	--key-type) words='rsa2048 rsa3072 rsa4096 p256 p384' ;;
	--reason) words='unspecified key-compromise ca-compromise affiliation-changed superseded cessation-of-operation' ;;
	--state) words='active pending issued revoked void failed denied' ;;
	esac
	case $cmd in
	explain | backup | restore) mapfile -t COMPREPLY < <(compgen -f -W "$words" -- "$cur") && return ;;
	esac
	case $prev in
	--root | --config) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
	esac
}
complete -F _certsrv certsrv
