/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv: the command line of the certification authority.
 */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "base/utf16.h"
#include "cli.h"
#include "sys/files.h"
#include "wcce/hresult.h"

/* clang-format off */
const struct cli_command cli_commands[] = {
	{ "setup", cmd_setup, "make this host the Enterprise CA of the domain",
	  "usage: certsrv setup [--name NAME] [--key KEY] [--key-type TYPE] [--years N]\n"
	  "                     [--subordinate] [--cdp URL]... [--passphrase-file FILE]\n"
	  "                     [--pkcs11-module FILE] [--pkcs11-pin-file FILE]\n"
	  "                     [--pkcs11-path PATH]... [--tpm TCTI] [--no-templates]\n"
	  "                     [--no-gpo] [--machine-logon] [--new-database]\n"
	  "                     [--database URI] [--database-password-file FILE]\n"
	  "                     [--dry-run] [--json]\n"
	  "\n"
	  "Makes the CA's key, database, certificate and configuration, and in the directory what\n"
	  "clients look for: NTAuthCertificates, Certification Authorities, AIA, CDP, the\n"
	  "enrollment service, OIDs, a set of templates with permissions, and a group\n"
	  "policy object that switches auto-enrollment on. What is there already stays;\n"
	  "a second run changes nothing. Needs root and an Enterprise Admin's ticket.\n"
	  "\n"
	  "  --name           of the CA; DOMAIN-HOST-CA unless told\n"
	  "  --key            rsa2048, rsa3072 (unless told), rsa4096, p256, p384: a file;\n"
	  "                   tpm: or pkcs11:token=TOKEN: made there; a pkcs11: URI with\n"
	  "                   id or object: that key\n"
	  "  --key-type       of a key made in a device: rsa3072 in a token, p256 in a TPM\n"
	  "                   unless told\n"
	  "  --years          of the CA certificate, 10 unless told\n"
	  "  --subordinate    write a request for an issuer above (ca.req) and wait for\n"
	  "                   certsrv ca install-certificate\n"
	  "  --passphrase-file  encrypt the key's file with this; 0600\n"
	  "  --pkcs11-module  the token's library; its PIN is in --pkcs11-pin-file, 0600,\n"
	  "                   and --pkcs11-path is what the library may write\n"
	  "  --tpm            how the TPM is reached; /dev/tpmrm0 unless told\n"
	  "  --database       postgresql://HOST/NAME?user=USER of an empty database that\n"
	  "                   was made for the CA; SQLite unless told\n"
	  "  --database-password-file  its password, 0600; else the credential\n"
	  "                   database-password, or what the server knows us by\n"
	  "  --cdp            a URL where the CRL will be found, put into certificates; the\n"
	  "                   directory's CDP container unless told\n"
	  "  --no-templates   make and offer no templates\n"
	  "  --no-gpo         leave group policy alone\n"
	  "  --machine-logon  computers enroll by themselves for Kerberos logon (PKINIT);\n"
	  "                   every computer account needs a userPrincipalName then\n"
	  "  --new-database   the CA has lost its database and there is no backup: begin a\n"
	  "                   new one; what was issued and revoked before is forgotten\n"
	  "  --dry-run        say what would be made and make nothing\n"
	  "\n"
	  "examples:\n"
	  "  kinit Administrator && certsrv setup --dry-run\n"
	  "  certsrv setup --name 'Example Issuing CA' --key p256\n"
	  "  certsrv setup --subordinate --key 'pkcs11:token=ca' \\\n"
	  "    --pkcs11-module /usr/lib/hsm.so --pkcs11-pin-file /etc/certsrv/pin\n" },
	{ "ca", cmd_ca, "the CA's own certificates: list, renew, take over an answer",
	  "usage: certsrv ca list [--json]\n"
	  "       certsrv ca show [INDEX] [--json]\n"
	  "       certsrv ca renew [--new-key] [--key KEY] [--key-type TYPE] [--years N]\n"
	  "                        [--no-cross] [--no-directory] [--json]\n"
	  "       certsrv ca install-certificate FILE [--chain FILE] [--no-directory]\n"
	  "                        [--no-templates] [--no-gpo] [--json]\n"
	  "\n"
	  "renew makes the next certificate of a root, with the same key or a new one, and\n"
	  "cross certificates between both; of a subordinate CA it writes a request for the\n"
	  "issuer above. install-certificate takes over the answer to that request, PEM,\n"
	  "DER or PKCS#7, after looking at its key, name, dates, path lengths and chain.\n"
	  "Both put what is new into the directory, which needs an Enterprise Admin's\n"
	  "ticket, and make the running CA read it.\n"
	  "\n"
	  "  --key            of the new key, as for setup; like the old one unless told\n"
	  "  --years          of a root's certificate; as long as the last unless told\n"
	  "  --no-cross       no cross certificates\n"
	  "  --chain          the issuers above, when the answer is alone\n"
	  "  --no-directory   leave the directory alone; certsrv setup does it later\n"
	  "\n"
	  "examples:\n"
	  "  certsrv ca renew --new-key --key p384\n"
	  "  certsrv ca install-certificate answer.p7b\n" },
	{ "key", cmd_key, "try the CA's keys where they are",
	  "usage: certsrv key test [--json]\n"
	  "\n"
	  "Signs something with each key of certsrv.conf, as the user of the process that\n"
	  "signs, and verifies it. A PIN is tried once. Exit code 1: a key does not work.\n" },
	{ "root", cmd_root, "an offline root CA in a directory, for subordinate CAs",
	  "usage: certsrv root init --dir DIR --name NAME [--key TYPE] [--years N]\n"
	  "                         [--path-length N] [--passphrase-file FILE]\n"
	  "       certsrv root sign --dir DIR REQUEST [--out FILE] [--years N]\n"
	  "                         [--path-length N] [--cdp URL]... [--aia URL]...\n"
	  "                         [--passphrase-file FILE]\n"
	  "       certsrv root revoke --dir DIR SERIAL [--passphrase-file FILE]\n"
	  "       certsrv root crl --dir DIR [--out FILE] [--days N]\n"
	  "                         [--passphrase-file FILE]\n"
	  "\n"
	  "No network, no directory service, no daemon: a machine without a cable, or a\n"
	  "medium that is put away. DIR holds the root's key and certificate, what was\n"
	  "issued, what was revoked, and its newest CRL.\n"
	  "\n"
	  "  --name          common name, or a distinguished name such as CN=Root,O=Example\n"
	  "  --key           rsa4096 unless told\n"
	  "  --years         20 for the root and 10 for what it signs, unless told\n"
	  "  --path-length   CAs that may follow below; one less than the root's unless told\n"
	  "  --cdp, --aia    where the root's CRL and certificate will be found\n"
	  "  --days          that a CRL is good for, 180 unless told\n"
	  "\n"
	  "examples:\n"
	  "  certsrv root init --dir /media/root --name 'Example Root' --path-length 1\n"
	  "  certsrv root sign --dir /media/root ca.req --out answer.pem\n"
	  "  certsrv root crl --dir /media/root --days 365\n" },
	{ "request", cmd_request, "the requests the CA has had; approve and deny",
	  "usage: certsrv request list [--state STATE] [--template NAME] [--sid SID]\n"
	  "                            [--limit N] [--after ID] [--oldest] [--json]\n"
	  "       certsrv request show ID [--pem] [--json]\n"
	  "       certsrv request approve ID [--json]\n"
	  "       certsrv request deny ID [--json]\n"
	  "\n"
	  "A pending request that is approved is decided once more, with today's template\n"
	  "and the groups its requester had; when that says no, it goes on waiting. Who\n"
	  "approves and denies must be root; requesters fetch what became of it by its id.\n"
	  "\n"
	  "  --state   active, pending, issued, revoked, void, failed or denied\n"
	  "  --limit   rows of one page, 50 unless told, at most 1000\n"
	  "  --after   continue behind the row with this id\n"
	  "  --oldest  oldest first; otherwise newest first\n"
	  "  --pem     the certificate, too\n"
	  "\n"
	  "examples:\n"
	  "  certsrv request list --state denied\n"
	  "  certsrv request list --json | jq '.requests[].hresult_symbol'\n"
	  "  certsrv request show 17 --pem\n"
	  "  certsrv request list --state pending && certsrv request approve 18\n"
	  "  certsrv --ca 'ca1.example.com\\Example CA' request list --state pending\n",
	  true,
	  .role = "list, show: local-administrator, local-manager or local-auditor;\n      approve, deny: local-manager" },
	{ "revoke", cmd_revoke, "revoke a certificate, put it on hold, release it",
	  "usage: certsrv revoke ID|SERIAL [--reason REASON | --hold | --release] [--json]\n"
	  "\n"
	  "  ID         of the request, as \"request list\" shows it\n"
	  "  SERIAL     of the certificate, in hex (16 digits or more)\n"
	  "  --reason   unspecified (unless told), key-compromise, ca-compromise,\n"
	  "             affiliation-changed, superseded or cessation-of-operation\n"
	  "  --hold     for now: it can be released, or revoked for good\n"
	  "  --release  no longer on hold\n"
	  "\n"
	  "A new CRL is published at once.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv revoke 17 --reason key-compromise\n"
	  "  certsrv revoke 1f0a6c0b6e2f4e8d9b1c3a5d7e9f00112233 --hold\n",
	  true,
	  .role = "local-manager" },
	{ "recover-key", cmd_recover, "fetch an archived private key for its recovery agents",
	  "usage: certsrv recover-key ID [--out FILE] [--json]\n"
	  "\n"
	  "Writes the message (CMS EnvelopedData) that holds the private key of a request\n"
	  "into FILE, ID.p7m unless told. Only a key recovery agent can open it, and who\n"
	  "fetched it stands in the audit chain.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv recover-key 17 --out key.p7m\n"
	  "  openssl cms -decrypt -inform DER -in key.p7m -recip kra.pem -inkey kra.key |\n"
	  "      openssl rsa -inform MSBLOB -out recovered.key\n",
	  true,
	  .role = "local-manager" },
	{ "template", cmd_template, "certificate templates: show, make, change, offer",
	  "usage: certsrv template list [--json]\n"
	  "       certsrv template show NAME [--acl] [--json]\n"
	  "       certsrv template diff NAME NAME|FILE.ldif [--json]\n"
	  "       certsrv template new NAME --from TEMPLATE [SETTING=VALUE...] [--json]\n"
	  "       certsrv template set NAME SETTING=VALUE... [--reenroll] [--json]\n"
	  "       certsrv template grant NAME WHO RIGHT...\n"
	  "       certsrv template revoke NAME WHO [RIGHT...]\n"
	  "       certsrv template export NAME... [--out FILE]\n"
	  "       certsrv template import FILE\n"
	  "       certsrv template delete NAME\n"
	  "       certsrv template publish|unpublish NAME...\n"
	  "       certsrv template pin [NAME...]\n"
	  "       certsrv template unpin NAME...\n"
	  "       certsrv template pins [--json]\n"
	  "       certsrv template settings [--json]\n"
	  "\n"
	  "Changes are made in the directory with your Kerberos ticket; the CA follows\n"
	  "them by itself within a minute.\n"
	  "\n"
	  "  new         a duplicate with an OID of its own and the permissions of TEMPLATE\n"
	  "  set         one word or several with commas; NAME+=VALUE and NAME-=VALUE add\n"
	  "              to lists and take from them; \"settings\" tells the names\n"
	  "  --reenroll  the next major version: clients enroll again\n"
	  "  grant       WHO is a SID or an account of the domain; RIGHT is read, write,\n"
	  "              enroll, autoenroll or full-control\n"
	  "  export      LDIF without permissions; import makes the templates, with OIDs\n"
	  "              of this forest and the permissions that its schema gives\n"
	  "  publish     this CA offers it\n"
	  "  pin         it counts as it is now, permissions included, whatever becomes of\n"
	  "              it in the directory; without a name, all that this CA offers\n"
	  "  pins        what is pinned, and what the directory has otherwise (exit code 1)\n"
	  "\n"
	  "examples:\n"
	  "  certsrv template new Web90 --from WebServer validity=90d renewal=30d\n"
	  "  certsrv template set Web90 key-algorithm=ECDSA_P256 min-key-size=256\n"
	  "  certsrv template grant Web90 'Web Servers' read enroll autoenroll\n"
	  "  certsrv template publish Web90\n"
	  "  certsrv template show Web90 --acl\n"
	  "  certsrv template pin Web90\n",
	  .role = "anybody: what your Kerberos ticket lets you do in Active Directory; pin, unpin, pins: root" },
	{ "permission", cmd_permission, "who may do what at the CA",
	  "usage: certsrv permission show [--json]\n"
	  "       certsrv permission grant  WHO RIGHT...\n"
	  "       certsrv permission revoke WHO [RIGHT...]\n"
	  "\n"
	  "  WHO    a SID, or the name of a user, computer or group of the domain\n"
	  "  RIGHT  enroll, read, manage-certificates, manage-ca, audit, backup\n"
	  "\n"
	  "Each right but enroll is a role over the network, where [admin] network is on.\n"
	  "\n"
	  "The CA's own descriptor and its copy in the directory (pKIEnrollmentService),\n"
	  "which clients look at, are changed together or not at all.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv permission show\n"
	  "  certsrv permission grant 'Domain Computers' enroll\n"
	  "  certsrv permission revoke S-1-5-11\n",
	  true,
	  .role = "show: anybody; grant, revoke: root" },
	{ "agent", cmd_agent, "whom enrollment agents may enroll",
	  "usage: certsrv agent show [--json]\n"
	  "       certsrv agent allow  AGENT --for WHO... [--template NAME]...\n"
	  "       certsrv agent deny   AGENT --for WHO... [--template NAME]...\n"
	  "       certsrv agent remove AGENT [--template NAME]...\n"
	  "       certsrv agent unrestrict\n"
	  "\n"
	  "Whoever has an enrollment agent's certificate may enroll anybody, for every\n"
	  "template that an agent's signature opens, until there is a list: from then on\n"
	  "only what it allows. An entry that denies comes before those that allow.\n"
	  "\n"
	  "  AGENT, WHO  a SID, or the name of a user, computer or group of the domain\n"
	  "  --template  a template; every one unless told\n"
	  "  remove      the agent's entries; an empty list lets nobody enroll others\n"
	  "  unrestrict  no list any more\n"
	  "\n"
	  "examples:\n"
	  "  certsrv agent allow helpdesk --for 'Domain Users' --template SmartcardLogon\n"
	  "  certsrv agent deny helpdesk --for 'Domain Admins'\n"
	  "  certsrv agent show\n",
	  .role = "show: anybody; the others: root" },
	{ "officer", cmd_officer, "whose requests officers may decide",
	  "usage: certsrv officer show [--json]\n"
	  "       certsrv officer allow  OFFICER --for WHO... [--template NAME]...\n"
	  "       certsrv officer deny   OFFICER --for WHO... [--template NAME]...\n"
	  "       certsrv officer remove OFFICER [--template NAME]...\n"
	  "       certsrv officer unrestrict\n"
	  "\n"
	  "Whoever has the right manage-certificates decides about every request but his\n"
	  "own, until there is a list: from then on only about what it allows him. It is\n"
	  "about approving, denying, revoking and archived keys over the network; root on\n"
	  "the CA host is not restricted.\n"
	  "\n"
	  "  OFFICER, WHO  a SID, or the name of a user, computer or group of the domain\n"
	  "  --template    a template; every one unless told\n"
	  "  remove        the officer's entries; an empty list lets nobody decide\n"
	  "  unrestrict    no list any more\n"
	  "\n"
	  "examples:\n"
	  "  certsrv officer allow branch-admins --for 'Branch Computers'\n"
	  "  certsrv officer deny branch-admins --for 'Domain Controllers'\n"
	  "  certsrv officer show\n",
	  .role = "show: anybody; the others: root" },
	{ "attestation", cmd_attestation, "whose TPMs count when a key is attested",
	  "usage: certsrv attestation show [--json]\n"
	  "       certsrv attestation add-root FILE\n"
	  "       certsrv attestation add-intermediate FILE\n"
	  "       certsrv attestation add-key HASH|FILE [COMMENT]\n"
	  "       certsrv attestation remove HASH\n"
	  "\n"
	  "A template may want its keys attested by a TPM (msPKI-Private-Key-Flag). Whose\n"
	  "TPM it is, its endorsement key tells, which a template has checked by the\n"
	  "manufacturer's certificate (roots and intermediates), by a list of keys, or not\n"
	  "at all. The files are in [attestation] directory, without which nothing is\n"
	  "attested; certsrvd reads them by itself within seconds.\n"
	  "\n"
	  "  FILE  certificates in PEM; of add-key one, an endorsement key's own\n"
	  "  HASH  SHA-256 in hex: of a key that of its RSAPublicKey, as Windows'\n"
	  "        Get-TpmEndorsementKeyInfo shows it, or of its SubjectPublicKeyInfo\n"
	  "\n"
	  "examples:\n"
	  "  certsrv attestation add-root infineon-root.pem\n"
	  "  certsrv attestation add-key $(tpm2_readpublic -Q -c 0x81010001 -f der \\\n"
	  "    -o /dev/stdout | sha256sum | cut -c1-64) pc1\n"
	  "  certsrv attestation show\n",
	  .role = "show: anybody; the others: root" },
	{ "explain", cmd_explain, "what would be decided about a request, and why",
	  "usage: certsrv explain FILE|- --as ACCOUNT [--template NAME] [--attrib NAME:VALUE]...\n"
	  "                       [--renew-on-behalf] [--policy FILE] [--json]\n"
	  "       certsrv explain --request ID [--as ACCOUNT] [--json]\n"
	  "\n"
	  "Has the running certsrvd decide as it would for that account, and prints every\n"
	  "rule of the order of processing: passed, decided or not reached, with what was\n"
	  "compared. It leaves no row, no serial number and no certificate. Groups are\n"
	  "those of the directory; a real request has those of its ticket.\n"
	  "\n"
	  "  FILE       PKCS#10, CMC or CMS, in DER, PEM or base64; - is standard input\n"
	  "  --as       an account's name (DOMAIN\\name, name, name@domain) or its SID\n"
	  "  --template as the request attribute CertificateTemplate\n"
	  "  --attrib   another request attribute\n"
	  "  --renew-on-behalf\n"
	  "             as a renewal that somebody else brings\n"
	  "  --policy   as if this were the template's policy file\n"
	  "  --request  a request of the database, as it was sent; by the account that\n"
	  "             sent it, unless --as says another\n"
	  "\n"
	  "exits with 0 when a certificate would be issued, 8 when not, 9 when the request\n"
	  "would wait, 3 when there is no such account or request, 5 without a directory.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv explain pc1.csr --as 'PC1$' --template Workstation\n"
	  "  certsrv explain --request 17 --json | jq '.checks[] | select(.outcome==\"decided\")'\n",
	  .role = "local-administrator, local-manager or local-auditor" },
	{ "policy", cmd_policy, "policy files: rules of a template beyond the directory's",
	  "usage: certsrv policy check FILE... [--json]\n"
	  "       certsrv policy try FILE REQUEST [--as ACCOUNT [--template NAME]] [--json]\n"
	  "       certsrv policy reload\n"
	  "\n"
	  "check reads policy files (certsrv-policy(5)) as the CA does and says what is wrong\n"
	  "with them, with line and column; it exits 1 when one of them is.\n"
	  "try says what a file would make of a request. Without --as the file alone is\n"
	  "asked about what the request says; with it the running certsrvd decides as it\n"
	  "would for that account with this file in force, as certsrv explain tells.\n"
	  "reload has certsrvd read the files at once; it looks every few seconds anyhow.\n"
	  "\n"
	  "  FILE        NAME.xml, for the template NAME\n"
	  "  REQUEST     PKCS#10, CMC or CMS, in DER, PEM or base64\n"
	  "  --as        an account's name (DOMAIN\\name, name, name@domain) or its SID\n"
	  "  --template  another template than the file's name says\n"
	  "\n"
	  "exits with 0 when a certificate would be issued, 8 when not, 9 when it would wait.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv policy check /etc/certsrv/policy/*.xml\n"
	  "  certsrv policy try WebServer.xml www.csr --as 'WEB1$'\n",
	  .role = "check, try without --as: anybody; try --as: any local role; reload: root" },
	{ "audit", cmd_audit, "known weaknesses of this PKI; whether the records are whole",
	  "usage: certsrv audit [templates | acl | mappings] [--trust WHO]... [--json]\n"
	  "       certsrv audit verify [--json]\n"
	  "\n"
	  "  templates  what somebody without power may ask for (ESC1-3, 9, 13, 15, 17)\n"
	  "  acl        who may change templates, the PKI's objects and this CA\n"
	  "             (ESC4, 5, 7), and web enrollment (ESC8)\n"
	  "  mappings   accounts whose certificates are told apart by names (ESC14)\n"
	  "  verify     walk the chain of the CA's audit log, hold the rows against it, and\n"
	  "             see whether the signers signed what no request has\n"
	  "  --trust    a SID or account that may have such power; may be repeated\n"
	  "\n"
	  "Without a word all but verify. Each finding says what to do. Administrators'\n"
	  "groups, domain controllers, Cert Publishers and the hosts of CAs hold power\n"
	  "anyway. Exit status 1: there are findings.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv audit\n"
	  "  certsrv audit acl --trust 'PKI Admins' --json\n"
	  "  certsrv audit verify\n",
	  .role = "anybody with a Kerberos ticket; verify: root" },
	{ "db", cmd_db, "is the database whole; move it from SQLite to PostgreSQL",
	  "usage: certsrv db check [--json]\n"
	  "       certsrv db copy [--password-file FILE] [--json] URI\n"
	  "\n"
	  "check looks at every page of the database and every link of the audit chain;\n"
	  "certsrvd, which looks at all of a small one at each start, may go on running.\n"
	  "Exit code 1: it is damaged.\n"
	  "\n"
	  "copy takes all rows of the CA's database into an empty one of a server,\n"
	  "postgresql://HOST/NAME?user=USER, in one transaction; counts them and walks the\n"
	  "audit chain on both sides. certsrvd must not run. What is here stays.\n"
	  "\n"
	  "  --password-file  of the server, 0600; else the credential database-password,\n"
	  "                   or what the server knows us by\n"
	  "\n"
	  "examples:\n"
	  "  certsrv db check\n"
	  "  systemctl stop certsrvd\n"
	  "  certsrv db copy 'postgresql:///certsrv?host=/run/postgresql'\n" },
	{ "backup", cmd_backup, "the CA in one directory or file, while it goes on working",
	  "usage: certsrv backup DIR|FILE.tar [--with-key | --without-key] [--json]\n"
	  "       certsrv backup verify BACKUP [--sha256 HEX] [--json]\n"
	  "\n"
	  "The database as it is at one moment, configuration, certificates, permissions\n"
	  "and policy files, with a manifest. It may be made while certsrvd runs. The rows\n"
	  "of a PostgreSQL server are in it as a file of SQLite; one node's backup is enough\n"
	  "for them, keys and configuration are those of that node. PINs, passphrases and\n"
	  "passwords are never in it. Exchange and OCSP keys are not, either: they are in\n"
	  "memory alone and made anew.\n"
	  "\n"
	  "  DIR            a directory: a new one below it, NAME-TIME; or one that does\n"
	  "                 not exist yet\n"
	  "  FILE.tar       the same in one file, which tar reads\n"
	  "  --with-key     the CA's key files, encrypted or not; without a word those that\n"
	  "                 need a passphrase or a TPM besides\n"
	  "  --without-key  no key at all\n"
	  "  verify         every file against the manifest, the database and its audit\n"
	  "                 chain. Exit status 10: it is damaged, or was changed\n"
	  "  --sha256       of the manifest, as it was printed when the backup was made:\n"
	  "                 whoever changes a backup can change its manifest, too\n"
	  "\n"
	  "examples:\n"
	  "  certsrv backup /srv/backup\n"
	  "  certsrv backup /srv/ca.tar\n"
	  "  certsrv backup verify /srv/backup/Example-CA-2026-11-28T070000Z\n" },
	{ "restore", cmd_restore, "the CA of a backup on this host; go on with an older database",
	  "usage: certsrv restore BACKUP [--replace] [--server URI] [--sha256 HEX]\n"
	  "                       [--dry-run] [--json]\n"
	  "       certsrv restore acknowledge [--next-id N] [--crl FILE]... [--offline]\n"
	  "                                   [--json]\n"
	  "\n"
	  "certsrvd must not run. A backup that is damaged, or of another CA than the one\n"
	  "that is set up here, is refused. The directory of the database is exchanged as\n"
	  "a whole; rows of a PostgreSQL server go into it in one transaction, while no node\n"
	  "is connected. What was issued after the backup is unknown to it, so afterwards the CA\n"
	  "issues nothing and makes no CRL until acknowledge.\n"
	  "\n"
	  "  --replace    in the place of the database that is here; what is replaced is\n"
	  "               kept below /var/lib/certsrv/replaced-TIME, a server's tables in\n"
	  "               a schema replaced_TIME\n"
	  "  --server     the rows into this server, postgresql://HOST/NAME?user=USER,\n"
	  "               instead of the backup's\n"
	  "  --dry-run    look, and change nothing\n"
	  "  acknowledge  go on with a database that is older than what was given out: also\n"
	  "               one that was copied back or whose machine was rolled back. Request\n"
	  "               ids and CRL numbers go on behind all that may have been given;\n"
	  "               what published CRLs list is revoked again. Exit status 0 with\n"
	  "               nothing done when the database is as new as anything that is known.\n"
	  "               Of several nodes: on each, before the first is started\n"
	  "  --next-id    the next request id, when more is known than here\n"
	  "  --crl        one more CRL of this CA, beside those of the CRL directory and of\n"
	  "               Active Directory\n"
	  "  --offline    do not ask Active Directory\n"
	  "\n"
	  "examples:\n"
	  "  systemctl stop certsrvd\n"
	  "  certsrv restore /srv/backup/Example-CA-2026-11-28T070000Z --replace\n"
	  "  certsrv restore acknowledge && systemctl start certsrvd\n" },
	{ "crl", cmd_crl, "show the CRL; make the CA publish a new one",
	  "usage: certsrv crl publish [--wait SECONDS] [--json]\n"
	  "       certsrv crl show [--json]\n"
	  "\n"
	  "publish asks the running certsrvd for a new base CRL and waits for it (20 s\n"
	  "unless told); it goes into the CRL directory and, after certsrv setup, into the\n"
	  "directory's CDP container. show prints the newest one with its entries.\n",
	  true,
	  .role = "publish: local-administrator; show: anybody" },
	{ "diagnose", cmd_diagnose, "why does the CA not start, not serve, or deny: name the cause",
	  "usage: certsrv diagnose [--request ID | --requester ACCOUNT] [--template NAME]\n"
	  "                        [--lang en|fr] [-v] [--json]\n"
	  "\n"
	  "Looks at the CA on this host: configuration, certificate, keys, database,\n"
	  "keytab, ports, disk, clock and directory; names the one cause, what was seen,\n"
	  "the fix and who can make it. Changes nothing. As root, or the keys stay\n"
	  "unknown. Exit code 1: there is a cause.\n"
	  "\n"
	  "  --request    why was this one denied?\n"
	  "  --requester  the same for the newest requests of DOMAIN\\name, a name or a SID\n"
	  "  --template   why is this one not served?\n"
	  "  --lang       language of the sentences; otherwise the locale's\n"
	  "  -v           every check; with --json all facts\n"
	  "\n"
	  "examples:\n"
	  "  certsrv diagnose\n"
	  "  certsrv diagnose --requester 'EXAMPLE\\PC1$'\n" },
	{ "status", cmd_status, "what the running CA knows to be wrong",
	  "usage: certsrv status [--json]\n"
	  "\n"
	  "Each alarm that is not over: the database behind, no domain controller, no\n"
	  "signer, a late CRL, NTAuth, a pinned template that the directory has otherwise.\n"
	  "Exit code 1 when there is one; 6 when the CA does not run.\n"
	  "\n"
	  "example:\n"
	  "  certsrv status\n",
	  .role = "any local role" },
	{ "ping", cmd_ping, "does the CA answer, and who is one there",
	  "usage: certsrv [--ca HOST\\NAME] ping [--json]\n"
	  "\n"
	  "Without --ca: whether certsrvd runs on this host. With it: whether that CA\n"
	  "answers on ICertAdminD2, and which roles your ticket gives you there.\n"
	  "\n"
	  "examples:\n"
	  "  certsrv ping\n"
	  "  kinit officer && certsrv --ca 'ca1.example.com\\Example CA' ping\n",
	  true,
	  .role = "anybody" },
	{ 0 },
};

static const struct option options[] = {
	{ "root", required_argument, NULL, 'r' },
	{ "config", required_argument, NULL, 'c' },
	{ "ca", required_argument, NULL, 'C' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

/* What a failure of this kind is to a script. */
static const struct {
	enum ae_rc rc;
	int code;
} codes[] = {
	{ AE_ENOTFOUND, EXIT_NOT_FOUND }, { AE_EINVAL, EXIT_USAGE },
	{ AE_EDENIED, EXIT_DENIED }, { AE_EAUTH, EXIT_AUTH },
	{ AE_ETRUST, EXIT_TRUST }, { AE_EUNAVAIL, EXIT_NETWORK },
	{ AE_ETIMEDOUT, EXIT_NETWORK }, { AE_EREMOTE, EXIT_NETWORK },
};
/* clang-format on */

static void
usage(FILE *f)
{
	const struct cli_command *cmd;

	(void)fprintf(f,
	    "usage: certsrv [--root DIR] [--config FILE] [--ca HOST\\NAME] "
	    "COMMAND [options]\n"
	    "\n"
	    "The certification authority's own command line. With --ca the "
	    "commands marked *\n"
	    "ask a CA on another host, over DCOM, with your Kerberos "
	    "ticket.\n"
	    "\n");
	for (cmd = cli_commands; cmd->name != NULL; cmd++)
		(void)fprintf(f, "%c %-11s %s\n", cmd->remote ? '*' : ' ',
		    cmd->name, cmd->summary);
	(void)fprintf(f,
	    "\n"
	    "'certsrv COMMAND --help' tells more.\n"
	    "\n"
	    "exit codes: 0 ok, 1 finding, 2 usage, 3 not found, 4 local, 5 "
	    "AD,\n"
	    "6 network, 7 authentication, 8 denied, 9 pending, 10 trust\n");
}

int
cli_conf(struct cli *cli, struct ae_err *e)
{
	int rc;

	if (cli->have_conf)
		return AE_OK;
	rc = conf_read(&cli->conf, cli->root, cli->config, e);
	cli->have_conf = rc == AE_OK;
	return rc == AE_OK ? rc : ae_note(e, rc, "reading the configuration");
}

static int
exit_code(const struct ae_err *e)
{
	size_t i;

	if (e->dom == AE_DOM_LDAP)
		return e->rc == AE_EDENIED ? EXIT_DENIED : EXIT_DIRECTORY;
	/* certsrvd says that the directory, not the CA, is away */
	if (e->dom == AE_DOM_HRESULT &&
	    (uint32_t)e->code == AE_HR_DS_UNAVAILABLE)
		return EXIT_DIRECTORY;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].rc == e->rc)
			return codes[i].code;
	return EXIT_LOCAL;
}

int
cli_fail(const struct cli *cli, const struct ae_err *e)
{
	const int code = exit_code(e);

	if (cli->json)
		cli_print_json(json_pack("{s:o, s:s, s:s, s:I, s:i}", "error",
		    cli_json_text(e->text), "kind", ae_rc_name(e->rc), "domain",
		    ae_dom_name(e->dom), "code", (json_int_t)e->code, "exit",
		    code));
	(void)fprintf(stderr, "certsrv: %s\n", cli_safe(e->text));
	return code;
}

int
cli_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "certsrv %s: ", command);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nTry 'certsrv %s --help'.\n", command);
	return EXIT_USAGE;
}

void
cli_print_json(json_t *j)
{
	if (j != NULL &&
	    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0)
		(void)putchar('\n');
	json_decref(j);
}

const char *
cli_safe(const char *s)
{
	static char buf[4][1024];
	static unsigned next;
	size_t n = 0, len, left = s == NULL ? 0 : strlen(s);

	if (s == NULL)
		return "-";
	next = (next + 1) % 4;
	for (; left > 0 && n + 4 < sizeof(buf[0]); s += len, left -= len) {
		len = ae_utf8_shown(s, left);
		memcpy(buf[next] + n, s, len);
		n += len;
		if (len == 0) {
			buf[next][n++] = '?';
			len = 1;
		}
	}
	buf[next][n] = '\0';
	return buf[next];
}

json_t *
cli_json_text(const char *s)
{
	json_t *j;

	if (s == NULL)
		return json_null();
	j = json_string(s);
	return j != NULL ? j : json_string("(not UTF-8)");
}

json_t *
cli_json_time(int64_t t)
{
	char out[AE_TIME_STR_MAX];

	return t == 0 ? json_null() : json_string(ae_time_print(out, t));
}

int
cli_daemon(const struct cli *cli)
{
	char *path = conf_path(&cli->conf, RUN_DIR "/certsrvd.pid");
	uint8_t *text = NULL;
	size_t len;
	long pid = 0;
	int fd;

	/* the daemon holds a lock on it; when we get the lock none runs */
	if (path != NULL &&
	    ae_file_read(&text, &len, path, 32, NULL) == AE_OK) {
		if (ae_file_lock(&fd, path, false, NULL) == AE_OK)
			(void)close(fd);
		else
			pid = strtol((const char *)text, NULL, 10);
	}
	free(text);
	free(path);
	return pid > 1 && kill((pid_t)pid, 0) == 0 ? (int)pid : 0;
}

bool
cli_signal(const struct cli *cli, int signo)
{
	const int pid = cli_daemon(cli);

	return pid != 0 && kill((pid_t)pid, signo) == 0;
}

static const struct cli_command *
find(const char *name)
{
	const struct cli_command *cmd;

	for (cmd = cli_commands; cmd->name != NULL; cmd++)
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	return NULL;
}

/* Take "--json" and "--help" out of a command's own arguments. */
static bool
common_options(
    struct cli *cli, const struct cli_command *cmd, int *argc, char **argv)
{
	int i, n = 0;

	for (i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			cli->json = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(cmd->help, stdout);
			(void)printf("\nrole, on the CA's host: %s\n",
			    cmd->role != NULL ? cmd->role : "root");
			return false;
		} else {
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	*argc = n;
	return true;
}

int
main(int argc, char **argv)
{
	const struct cli_command *cmd;
	struct cli cli = { 0 };
	int c, code;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			cli.root = optarg;
			break;
		case 'c':
			cli.config = optarg;
			break;
		case 'C':
			cli.ca = optarg;
			break;
		case 'V':
			(void)puts("certsrv " AE_VERSION);
			return EXIT_OK;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind >= argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	cmd = find(argv[optind]);
	if (cmd == NULL) {
		(void)fprintf(stderr, "certsrv: there is no command \"%s\"\n",
		    cli_safe(argv[optind]));
		usage(stderr);
		return EXIT_USAGE;
	}
	if (cli.ca != NULL && !cmd->remote)
		return cli_usage(cmd->name,
		    "it is for the CA host itself: there is no --ca");
	argc -= optind;
	argv += optind;
	if (!common_options(&cli, cmd, &argc, argv))
		return EXIT_OK;
	optind = 0; /* the command's own options */
	code = cmd->run(&cli, argc, argv);
	if (cli.have_conf)
		conf_done(&cli.conf);
	if (fflush(stdout) != 0 || ferror(stdout))
		return code == EXIT_OK ? EXIT_LOCAL : code;
	return code;
}
