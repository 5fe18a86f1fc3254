/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Exported events: read from every encoding, torn at every byte, and judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf16.h"
#include "diag/csv_judge.h"
#include "diag/csv_report.h"
#include "mutate.h"
#include "torture.h"

#define OUT_MAX 65536

/* ---- rows ---- */

struct rows {
	char text[OUT_MAX];
	size_t n, lines[64];
	bool cut;
};

static int
on_row(void *arg, const struct ae_diag_csv_row *row, struct ae_err *e)
{
	struct rows *r = arg;
	size_t i;

	(void)e;
	for (i = 0; i < row->n; i++) {
		(void)strncat(r->text, row->field[i],
		    sizeof(r->text) - strlen(r->text) - 1);
		(void)strncat(r->text, i + 1 == row->n ? "\n" : "|",
		    sizeof(r->text) - strlen(r->text) - 1);
	}
	if (r->n < 64)
		r->lines[r->n] = row->line;
	r->n++;
	r->cut |= row->cut;
	return AE_OK;
}

/* In pieces of that many bytes. */
static int
read_rows(
    struct rows *r, const void *p, size_t len, size_t piece, struct ae_err *e)
{
	struct ae_diag_csv *c = ae_diag_csv_new(on_row, r);
	const char *b = p;
	size_t at, n;
	int rc = AE_OK;

	assert_non_null(c);
	memset(r, 0, sizeof(*r));
	for (at = 0; at < len && rc == AE_OK; at += n) {
		n = len - at < piece ? len - at : piece;
		rc = ae_diag_csv_feed(c, b + at, n, e);
	}
	if (rc == AE_OK)
		rc = ae_diag_csv_end(c, e);
	ae_diag_csv_free(c);
	return rc;
}

static void
expect(const void *p, size_t len, const char *want)
{
	static struct rows r;
	struct ae_err e = AE_ERR_INIT;
	size_t piece;

	for (piece = 1; piece <= len + 1; piece += piece < 8 ? 1 : 997) {
		assert_int_equal(read_rows(&r, p, len, piece, &e), AE_OK);
		assert_string_equal(r.text, want);
	}
}

#define S(s) (s), sizeof(s) - 1

static void
test_shapes(void **state)
{
	(void)state;
	expect(S("a,b\r\nc,d\r\n"), "a|b\nc|d\n");
	expect(S("a,b\nc,d"), "a|b\nc|d\n");
	expect(S("\"a\";\"b,c\"\r\n\"d\"\"e\";\"f\r\ng\"\r\n"),
	    "a|b,c\nd\"e|f\r\ng\n");
	expect(S("a\tb\r\rc\td\r"), "a|b\nc|d\n");
	expect(S("\xef\xbb\xbf\xc3\xa9,b"), "\xc3\xa9|b\n");
	expect(S("\xe9t\xe9,b"), "\xc3\xa9t\xc3\xa9|b\n");
	expect(S("\xff\xfe"
		 "a\0,\0\xe9\0\r\0\n\0\x3d\xd8\x00\xde"),
	    "a|\xc3\xa9\n\xf0\x9f\x98\x80\n");
	expect(S("\xfe\xff\0a\0,\0b"), "a|b\n");
	expect(S("a\0,\0b\0"), "a|b\n");
	expect(S("\xff\xfe\x00\xd8"
		 "a\0,\0b\0\x00\xdc"),
	    "a|b\xef\xbf\xbd\n");
	expect(S(""), "");
	expect(S("\xff\xfe"), "");
	expect(S(",,\n\"\",x"), "||\n|x\n");
	expect(S("a\"b,\"c\"d\n"), "a\"b|cd\n");
}

static void
test_lines(void **state)
{
	static struct rows r;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(
	    read_rows(&r, S("h,i\r\n\"x\r\ny\",2\r\n\r\nz,3"), 3, &e), AE_OK);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.lines[0], 1);
	assert_int_equal(r.lines[1], 2);
	assert_int_equal(r.lines[2], 5);
}

/* A quote that is never closed is named by its line; memory stays. */
static void
test_unclosed(void **state)
{
	static struct rows r;
	struct ae_err e = AE_ERR_INIT;
	size_t size = 3u << 20;
	char *big = malloc(size);

	(void)state;
	assert_non_null(big);
	assert_int_equal(
	    read_rows(&r, S("a,b\n1,2\n3,\"x\ny\n"), 4096, &e), AE_EPROTO);
	assert_non_null(strstr(e.text, "line 3"));
	assert_int_equal(r.n, 2);
	memset(big, 'x', size);
	memcpy(big, "a,b\n1,\"", 7);
	assert_int_equal(read_rows(&r, big, size, 4096, &e), AE_EPROTO);
	assert_non_null(strstr(e.text, "line 2"));
	memcpy(big, "a,b\n1,x", 7);
	assert_int_equal(read_rows(&r, big, size, 4096, &e), AE_EPROTO);
	assert_non_null(strstr(e.text, "line 2"));
	memcpy(big + 100000, "\n3,4\n", 5);
	assert_int_equal(read_rows(&r, big, 100005, 4096, &e), AE_OK);
	assert_true(r.cut);
	assert_int_equal(r.n, 3);
	free(big);
}

/* ---- events ---- */

static void
test_times(void **state)
{
	(void)state;
	assert_int_equal(ae_diag_csv_time_cmp(
			     "2026-11-28T08:00:00Z", "2026-11-28T08:00:01Z"),
	    -1);
	assert_int_equal(ae_diag_csv_time_cmp(
			     "11/28/2026 12:10:00 AM", "11/28/2026 1:10:00 AM"),
	    -1);
	assert_int_equal(ae_diag_csv_time_cmp(
			     "11/28/2026 1:10:00 PM", "11/28/2026 11:10:00 AM"),
	    1);
	assert_int_equal(
	    ae_diag_csv_time_cmp("28.11.2026 08:00:00", "29.11.2026 07:00:00"),
	    -1);
	/* 3 April or 4 March? 4 April or 5 March: later either way. */
	assert_int_equal(
	    ae_diag_csv_time_cmp("03/04/2026 08:00", "04/05/2026 08:00"), -1);
	assert_int_equal(
	    ae_diag_csv_time_cmp("03/04/2026 08:00", "04/03/2026 08:00"), 0);
	assert_int_equal(ae_diag_csv_time_cmp("yesterday", "today"), 0);
	assert_int_equal(ae_diag_csv_time_cmp("", ""), 0);
}

static struct ae_diag_judge *
judge(const char *csv)
{
	struct ae_diag_judge *j = ae_diag_judge_new();
	struct ae_diag_csv *c = ae_diag_csv_new(ae_diag_judge_row, j);
	struct ae_err e = AE_ERR_INIT;

	assert_non_null(j);
	assert_non_null(c);
	assert_int_equal(ae_diag_csv_feed(c, csv, strlen(csv), &e), AE_OK);
	assert_int_equal(ae_diag_csv_end(c, &e), AE_OK);
	ae_diag_csv_free(c);
	return j;
}

#define HEAD "TimeCreated,Id,LevelDisplayName,Message\r\n"
#define AT(h) "2026-11-28T" h ":00Z,"
#define FOR "Certificate enrollment for Local system "
#define START                                                              \
	AT("08:00")                                                        \
	"2,Information,Automatic certificate enrollment for Local system " \
	"started.\r\n"
#define ENGINE                                                             \
	AT("08:01")                                                        \
	"4,Information,Automatic certificate enrollment for Local system " \
	"calls.\r\n"
#define POLICY AT("08:02") "64,Information," FOR "loaded policy\r\n"
#define BACK                                                               \
	AT("08:08")                                                        \
	"5,Information,Automatic certificate enrollment for Local system " \
	"returned.\r\n"
#define END                                                                \
	AT("08:09")                                                        \
	"3,Information,Automatic certificate enrollment for Local system " \
	"ended.\r\n"
#define DENIED                                                                 \
	AT("08:03")                                                            \
	"13,Error," FOR "failed to enroll for a Web certificate with request " \
	"ID 7 (0x80094801)\r\n"
#define GOT                                                                 \
	AT("08:04")                                                         \
	"19,Information," FOR "received a Web certificate with request ID " \
	"8\r\n"
#define GOT_OTHER             \
	AT("08:04")           \
	"19,Information," FOR \
	"received a Mail certificate with request ID 8\r\n"

/* Which root a file has, and its category. */
static void
root(const char *csv, char category, const char *key)
{
	struct ae_diag_judge *j = judge(csv);
	const struct ae_diag_verdict *v = ae_diag_judge_end(j);

	if (v->category != category || strcmp(v->key, key) != 0)
		print_message("%s\n%c %s\n", csv, v->category, v->key);
	assert_int_equal(v->category, category);
	assert_string_equal(v->key, key);
	ae_diag_judge_free(j);
}

static void
test_verdicts(void **state)
{
	(void)state;
	root(HEAD START ENGINE POLICY BACK END, 'N', "nothing-happens");
	root(HEAD END BACK POLICY ENGINE START, 'N', "nothing-happens");
	root(HEAD START END, 'N', "policy-off");
	root(HEAD START ENGINE POLICY DENIED BACK END, 'D',
	    "deny.no-template-info");
	/* What worked later is past; another template's success is not. */
	root(HEAD START ENGINE POLICY DENIED GOT BACK END, 'O', "");
	root(HEAD START ENGINE POLICY DENIED GOT_OTHER BACK END, 'D',
	    "deny.no-template-info");
	/* Newest first: the success is the older one. */
	root(HEAD AT("09:00") "13,Error," FOR
			      "failed to enroll for a Web certificate with "
			      "request ID 7 (0x80094801)\r\n" GOT,
	    'D', "deny.no-template-info");
	root(HEAD, '?', "");
	root(HEAD AT("08:00") "1,Information,Certificate Services Client\r\n",
	    '?', "");
}

/* The walk's order: no directory comes before a denial, unless it is over. */
static void
test_order(void **state)
{
#define NO_DC(h)                                                        \
	AT(h)                                                           \
	"15,Warning,Automatic certificate enrollment for Local system " \
	"failed to contact the active directory (0x8007054b)\r\n"
	(void)state;
	root(HEAD NO_DC("07:00") DENIED, 'D', "deny.no-template-info");
	root(HEAD DENIED NO_DC("09:00"), 'N', "0x8007054b");
	root(HEAD NO_DC("07:00") START ENGINE POLICY BACK END, 'N',
	    "nothing-happens");
}

/* A code with several causes accuses none of them alone. */
static void
test_several(void **state)
{
	struct ae_diag_judge *j = judge(
	    HEAD AT("08:00") "82,Warning," FOR "failed for a Web certificate "
			     "(0x800706ba)\r\n");
	const struct ae_diag_verdict *v = ae_diag_judge_end(j);

	(void)state;
	assert_string_equal(v->key, "0x800706ba");
	assert_int_equal(v->category, 'T');
	assert_true(v->root->nchecks > 3);
	ae_diag_judge_free(j);
	root(HEAD AT("08:00") "13,Error," FOR
			      "failed to enroll for a Web certificate "
			      "(0x8009480f)\r\n",
	    'D', "0x8009480f");
	root(HEAD AT("08:00") "50,Warning," FOR
			      "could not install for a Web certificate "
			      "(0x800b0109)\r\n",
	    'I', "install.chain-untrusted");
	root(HEAD AT("08:00") "13,Error," FOR "failed (0x8badf00d)\r\n", '?',
	    "0x8badf00d");
}

/* A provider that does not start is noise once a request was made. */
static void
test_noise(void **state)
{
#define PROVIDER    \
	AT("08:02") \
	"57,Warning,The provider was not loaded for Local system\r\n"
	(void)state;
	root(HEAD PROVIDER GOT, 'O', "");
	root(HEAD PROVIDER DENIED, 'D', "deny.no-template-info");
	root(HEAD PROVIDER, 'N', "CE 57");
	root(HEAD START ENGINE POLICY AT(
		 "08:03") "42,Warning," FOR
			  "skipped the User template\r\n" BACK END,
	    'N', "nothing-happens");
}

/*
 * What says that a run was given up is about the directory, whatever the code
 * would mean at a CA; that a certificate expires has several causes.
 */
static void
test_given_up(void **state)
{
	struct ae_diag_judge *j;
	const struct ae_diag_verdict *v;
	size_t i;

	(void)state;
	j = judge(HEAD AT("08:00") "6,Error,Automatic certificate enrollment "
				   "for Local system failed (0x800706ba)\r\n");
	v = ae_diag_judge_end(j);
	assert_string_equal(v->key, "AE 6");
	for (i = 0; i < v->root->nchecks; i++)
		assert_null(strstr(v->root->checks[i]->id, "net."));
	ae_diag_judge_free(j);
	root(HEAD AT("08:00") "64,Warning,Certificate for Local system with "
			      "thumbprint 00 is about to expire\r\n",
	    'R', "AE 64");
	/* The lifecycle sources have numbers of their own. */
	root(HEAD AT("08:00") "1002,Error,A certificate has expired\r\n", '?',
	    "");
}

/* The last error does not hide the first. */
static void
test_echo(void **state)
{
#define SILENT          \
	AT("08:05")     \
	"13,Error," FOR \
	"failed to enroll for a Web certificate (0x80090022)\r\n"
	(void)state;
	root(HEAD SILENT, 'N', "key.silent-context");
	root(HEAD AT("08:04") "82,Warning," FOR "failed for a Web certificate "
			      "(0x800706ba)\r\n" SILENT,
	    'T', "0x800706ba");
	root(HEAD AT("08:04") "47,Warning," FOR
			      "no authority for a Web certificate\r\n" AT(
				  "08:05") "5,Information," FOR
					   "no template\r\n",
	    'N', "CE 47");
}

/* Our own export says it in our words. */
static void
test_own(void **state)
{
	(void)state;
	root(HEAD AT("08:00") "13,Error,EXAMPLE\\pc1$: enrollment for "
			      "template Web failed; request id 7 at "
			      "ca1.example.com\\CA (0x80094801).\r\n",
	    'D', "deny.no-template-info");
	root(HEAD AT("08:00") "5,Information,EXAMPLE\\pc1$: no template that "
			      "can be used was found.\r\n",
	    'N', "template.none-eligible");
}

static void
test_templates(void **state)
{
	static const char *const rows[] = {
		"failed to enroll for a Web certificate with",
		"failed to enroll for a \xe2\x80\x9cWeb\xe2\x80\x9d "
		"certificate",
		"failed. Failed to enroll for template: Web",
		"s'inscrire pour un certificat Web avec",
		"s'inscrire pour un certificat "
		"\xc2\xab\xc2\xa0Web\xc2\xa0\xc2\xbb",
		"inscription impossible pour le mod\xc3\xa8le\xc2\xa0: Web",
		"konnte kein Zertifikat \"\"Web\"\" mit",
		"f\xc3\xbcr ein Zertifikat \xe2\x80\x9eWeb\xe2\x80\x9c mit",
		"Fehler bei Vorlage: Web",
		"enrollment for template Web failed",
	};
	char csv[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_diag_judge *j;
		const struct ae_diag_verdict *v;

		(void)snprintf(csv, sizeof(csv),
		    "Id,LevelDisplayName,Message\r\n13,Error,\"%s "
		    "(0x80094801)\"\r\n",
		    rows[i]);
		j = judge(csv);
		v = ae_diag_judge_end(j);
		assert_non_null(v->root);
		if (strcmp(v->root->ev.template, "Web") != 0)
			print_message(
			    "%s: %s\n", rows[i], v->root->ev.template);
		assert_string_equal(v->root->ev.template, "Web");
		ae_diag_judge_free(j);
	}
}

/* As the Event Viewer saves it, and Get-EventLog. */
static void
test_others(void **state)
{
	(void)state;
	root("Level,Date and Time,Source,Event ID,Task Category\r\n"
	     "Error,11/28/2026 8:00:00 AM,"
	     "Microsoft-Windows-CertificateServicesClient-CertEnroll,13,None,"
	     "\"failed to enroll for a Web certificate (0x80094801)\"\r\n",
	    'D', "deny.no-template-info");
	root("Niveau;Date et heure;Source;ID de l\xe2\x80\x99\xc3\xa9v\xc3\xa9"
	     "nement;Cat\xc3\xa9gorie\r\nErreur;28/11/2026 08:00:00;"
	     "Microsoft-Windows-CertificateServicesClient-CertEnroll;13;;"
	     "\"pour un certificat Web (0x80094801)\"\r\n",
	    'D', "deny.no-template-info");
	root("\"EventID\",\"MachineName\",\"EntryType\",\"Message\","
	     "\"Source\",\"TimeGenerated\"\r\n\"15\",\"PC7\",\"Warning\","
	     "\"no contact (0x8007054b)\","
	     "\"Microsoft-Windows-CertificateServicesClient-AutoEnrollment\","
	     "\"28.11.2026 08:00:00\"\r\n",
	    'N', "0x8007054b");
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "a,b,c\r\n1,2,3\r\n", "{}\r\n",
		"Id;Level\r\n" };
	struct ae_err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ae_diag_judge *j = ae_diag_judge_new();
		struct ae_diag_csv *c = ae_diag_csv_new(ae_diag_judge_row, j);

		e = (struct ae_err)AE_ERR_INIT;
		assert_int_equal(
		    ae_diag_csv_feed(c, bad[i], strlen(bad[i]), &e), AE_EPROTO);
		assert_non_null(strstr(e.text, "line 1"));
		ae_diag_csv_free(c);
		ae_diag_judge_free(j);
	}
}

/* More kinds of happenings than are kept: they are counted. */
static void
test_bounds(void **state)
{
	struct ae_diag_judge *j = ae_diag_judge_new();
	struct ae_diag_csv *c = ae_diag_csv_new(ae_diag_judge_row, j);
	struct ae_err e = AE_ERR_INIT;
	const struct ae_diag_verdict *v;
	struct ae_wr w;
	char row[256];
	json_t *report;
	int i;

	(void)state;
	assert_int_equal(ae_diag_csv_feed(c, HEAD, strlen(HEAD), &e), AE_OK);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(row, sizeof(row),
		    AT("08:00") "13,Error," FOR
				"failed to enroll for a T%d certificate "
				"(0x80094801)\r\n",
		    i);
		assert_int_equal(
		    ae_diag_csv_feed(c, row, strlen(row), &e), AE_OK);
	}
	assert_int_equal(ae_diag_csv_end(c, &e), AE_OK);
	v = ae_diag_judge_end(j);
	assert_int_equal(v->rows, 1000);
	assert_int_equal(v->dropped, 1000 - AE_DIAG_FOUND_MAX);
	assert_int_equal(v->nfound, AE_DIAG_FOUND_MAX);
	ae_wr_init(&w, 1u << 20);
	ae_diag_csv_text(
	    &w, v, "f.csv", "PC1", "line 7: damaged", AE_DIAG_FR, true);
	assert_non_null(ae_wr_cstr(&w));
	assert_non_null(strstr(ae_wr_cstr(&w), "line 7"));
	report = ae_diag_csv_report(v, "f.csv", "PC1", NULL, AE_DIAG_EN);
	assert_non_null(report);
	json_decref(report);
	ae_wr_done(&w);
	ae_diag_csv_free(c);
	ae_diag_judge_free(j);
}

/* Any bytes: an error or a verdict, never more. */
static void
try_bytes(const uint8_t *p, size_t len, void *arg)
{
	struct ae_diag_judge *j = ae_diag_judge_new();
	struct ae_diag_csv *c = ae_diag_csv_new(ae_diag_judge_row, j);
	const struct ae_diag_verdict *v;
	struct ae_wr w;

	(void)arg;
	if (ae_diag_csv_feed(c, p, len, NULL) == AE_OK)
		(void)!ae_diag_csv_end(c, NULL);
	v = ae_diag_judge_end(j);
	ae_wr_init(&w, 1u << 20);
	ae_diag_csv_text(&w, v, "f", "h", NULL, AE_DIAG_EN, true);
	assert_true(!ae_wr_ok(&w) || ae_utf8_valid(ae_wr_cstr(&w)));
	ae_wr_done(&w);
	ae_diag_csv_free(c);
	ae_diag_judge_free(j);
}

#define NOW "28.11.2026 08:00;"

static void
test_mutated(void **state)
{
	static const char csv[] =
	    "TimeCreated;Id;Message\r\n" NOW "13;\"for a Web certificate, "
	    "\xc3\xa9 (0x80094801)\"\r\n" NOW "2;x\r\n" NOW "3;y";

	(void)state;
	assert_true(ae_mutate((const uint8_t *)csv, sizeof(csv) - 1, try_bytes,
			NULL) > 1000);
}

/* Out of memory anywhere: no verdict, or text that is said to be cut. */
static bool
work(void *arg)
{
	static const char csv[] = HEAD DENIED GOT_OTHER;
	struct ae_diag_judge *j = ae_diag_judge_new();
	struct ae_diag_csv *c =
	    j == NULL ? NULL : ae_diag_csv_new(ae_diag_judge_row, j);
	const struct ae_diag_verdict *v;
	bool ok = c != NULL;
	struct ae_wr w;

	(void)arg;
	ae_wr_init(&w, OUT_MAX);
	if (ok) {
		ok = ae_diag_csv_feed(c, csv, sizeof(csv) - 1, NULL) == AE_OK &&
		    ae_diag_csv_end(c, NULL) == AE_OK;
		v = ae_diag_judge_end(j);
		ae_diag_csv_text(&w, v, "f", "h", NULL, AE_DIAG_EN, true);
		ok = ok && ae_wr_ok(&w) && v->root != NULL;
	}
	ae_wr_done(&w);
	ae_diag_csv_free(c);
	ae_diag_judge_free(j);
	return ok;
}

static void
test_no_memory(void **state)
{
	(void)state;
	assert_true(ae_torture(work, NULL, 200, false) > 5);
}

static void
test_fleet(void **state)
{
	struct ae_diag_fleet *f = ae_diag_fleet_new();
	struct ae_diag_judge *a = judge(HEAD DENIED), *b = judge(HEAD GOT);
	const struct ae_diag_verdict *va = ae_diag_judge_end(a);
	const struct ae_diag_verdict *vb = ae_diag_judge_end(b);
	json_t *report, *causes;
	struct ae_wr w;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		ae_diag_fleet_add(f, va, "PC");
	ae_diag_fleet_add(f, vb, "GOOD");
	ae_diag_fleet_add(f, NULL, "BROKEN");
	report = ae_diag_fleet_report(f, AE_DIAG_EN);
	causes = json_object_get(report, "causes");
	assert_int_equal(
	    json_integer_value(json_object_get(report, "hosts")), 22);
	assert_int_equal(
	    json_integer_value(json_object_get(report, "healthy")), 1);
	assert_int_equal(
	    json_integer_value(json_object_get(report, "unread")), 1);
	assert_int_equal(json_array_size(causes), 1);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(causes, 0), "hosts")),
	    20);
	ae_wr_init(&w, OUT_MAX);
	ae_diag_fleet_text(&w, f, AE_DIAG_EN);
	assert_non_null(strstr(ae_wr_cstr(&w), "deny.no-template-info"));
	assert_non_null(strstr(ae_wr_cstr(&w), "12 more"));
	ae_wr_done(&w);
	json_decref(report);
	ae_diag_judge_free(a);
	ae_diag_judge_free(b);
	ae_diag_fleet_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_unclosed),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
