/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The stages of the walk, in order.
 */
#include "diag/checks.h"

const struct ae_diag_stage ae_diag_stages[] = {
	{ "host", ae_diag_host },
	{ "session", ae_diag_session },
	{ "policy", ae_diag_policy },
	{ "trigger", ae_diag_trigger },
	{ "existing", ae_diag_existing },
	{ "existing", ae_diag_stores },
	{ "directory", ae_diag_directory },
	{ "directory", ae_diag_copies },
	{ "replica", ae_diag_replica },
	{ "template", ae_diag_template },
	{ "ca", ae_diag_ca },
	{ "ca", ae_diag_choice },
	{ "trust", ae_diag_published },
	{ "trust", ae_diag_trust },
	{ "keys", ae_diag_keys },
	{ "request", ae_diag_request },
	{ "way", ae_diag_way },
	{ "auth", ae_diag_auth },
	{ "said", ae_diag_said },
	{ "web", ae_diag_web },
	{ "foretold", ae_diag_foretold },
	{ "deny", ae_diag_deny },
	{ "after", ae_diag_after },
	{ "install", ae_diag_install },
	{ "install", ae_diag_use },
	{ "foreign", ae_diag_foreign },
	{ NULL, NULL },
};
