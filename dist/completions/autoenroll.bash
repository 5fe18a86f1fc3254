# SPDX-License-Identifier: Apache-2.0
# bash completion for autoenroll
_autoenroll() {
	local cur=${COMP_WORDS[COMP_CWORD]} cmd='' i words=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--root) i=$((i + 1)) ;;
		-*) ;;
		*) cmd=${COMP_WORDS[i]} && break ;;
		esac
	done
	case $cmd in
	'') words='diagnose explain pulse enroll request install submit retrieve templates groups store status deploy trust policy task ca key log events --root --help --version' ;;
	explain) words='--lang en fr --json --help' ;;
	pulse) words='--quiet --verbose --user --wait --dry-run --refresh-policy --trigger start logon schedule policy network due --json --help' ;;
	enroll) words='--quiet --verbose --user -T --template --ca --subject --dns --upn --renew --reuse-key --on-behalf-of --agent --key --friendly-name --json --help' ;;
	request) words='new --user -T --template --ca --subject --dns --upn --renew --reuse-key --agent --key --friendly-name --out --json --help' ;;
	install) words='--user --json --help' ;;
	submit) words='--ca -a --attribute --transport dcom icpr --out --json --help' ;;
	retrieve) words='--ca --transport dcom icpr --out --json --help' ;;
	diagnose) words='--machine --user -T --template --ca --live --host --html --from-csv --lang --verbose --json --help' ;;
	templates) words='--user --explain --all --json --help' ;;
	groups) words='--user --json --help' ;;
	store) words='list --archived --all -v --user --json --help' ;;
	status) words='--warn --prometheus --nagios --user --json --help' ;;
	deploy) words='check --user -T --template --dry-run --json --help' ;;
	trust) words='list status install remove --dry-run --json --help' ;;
	policy) words='show set AEPolicy= OfflineExpirationPercent= OfflineExpirationStoreNames= LogLevel= MaxPendingRequestDays= --user -v --json --help' ;;
	task) words='enable disable --user -v --cron --json --help' ;;
	ca) words='list ping info prop templates --ca --stages --index --json --help' ;;
	key) words='providers test --user --provider --alg --self-signed --json --help' ;;
	log) words='level 0 1 2 3 4 5 default --user --json --help' ;;
	events) words='--user --since --until --level --id --provider --max --oldest-first --follow --csv --encoding --json --help' ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _autoenroll autoenroll
