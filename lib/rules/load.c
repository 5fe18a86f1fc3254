/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading a policy file: expat tells of elements and text, the tables of
 * schema.c say what may be where.  No DTD, hence no entities of its own; no
 * namespaces; everything that is not known is an error with its place.
 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"
#include "base/when.h"
#include "base/wr.h"
#include "rules/load_int.h"

#define DEPTH_MAX 12
#define ELEMENTS_MAX 20000
#define ARENA_MAX (8u * 1024u * 1024u)
#define ROOT "CertificateRequestPolicy"
#define XSI "http://www.w3.org/2001/XMLSchema-instance|"
#define SPACE " \t\r\n"

/* An open element. */
struct frame {
	const struct ae_rules_element *el; /* NULL: the root */
	void *owner; /* the object the element is a member of */
	/* in an object: what may stand in it, and it */
	const struct ae_rules_type *type;
	void *object;
	uint64_t seen; /* rows of type->elements that were there */
	bool item;     /* of a list: one of its elements */
};

struct loader {
	struct ae_rules_loading l;
	XML_Parser xml;
	const char *name;
	struct frame stack[DEPTH_MAX];
	size_t depth;
	size_t elements;
	struct ae_wr text;
	int rc;
};

/* Where the parser is now goes before the message. */
static int
stop(struct loader *p, int rc)
{
	if (p->rc != AE_OK)
		return p->rc;
	p->rc = ae_note(p->l.e, rc, "%s:%lu:%lu", p->name,
	    (unsigned long)XML_GetCurrentLineNumber(p->xml),
	    (unsigned long)XML_GetCurrentColumnNumber(p->xml) + 1);
	(void)XML_StopParser(p->xml, XML_FALSE);
	return rc;
}

/* A name of the file, fit for a message. */
struct shown {
	char text[64];
};

static const char *
show(struct shown *s, const char *name)
{
	return ae_str_quote(s->text, sizeof(s->text), name, strlen(name));
}

#define refuse(p, ...) \
	stop(p, ae_fail((p)->l.e, AE_EPROTO, AE_DOM_NONE, 0, __VA_ARGS__))

static struct frame *
top(struct loader *p)
{
	return &p->stack[p->depth - 1];
}

/* ---- lists ---- */

struct list {
	void *v;
	size_t n;
};

/* Room for one more at the end of a list of the arena; NULL: p is stopped. */
static void *
append(struct loader *p, void *list_at, size_t size)
{
	struct list l;
	void *grown;

	memcpy(&l, list_at, sizeof(l));
	if (l.n == AE_RULES_ITEMS_MAX) {
		(void)stop(p,
		    ae_fail(p->l.e, AE_ELIMIT, AE_DOM_NONE, 0,
			"more than %d in one list", AE_RULES_ITEMS_MAX));
		return NULL;
	}
	if ((l.n & (l.n - 1)) == 0) { /* full: 0, 1, 2, 4, … */
		grown = ae_arena_array(p->l.a, l.n == 0 ? 1 : 2 * l.n, size);
		if (grown == NULL) {
			(void)stop(p, ae_fail_mem(p->l.e));
			return NULL;
		}
		if (l.n > 0)
			memcpy(grown, l.v, l.n * size);
		l.v = grown;
	}
	l.n++;
	memcpy(list_at, &l, sizeof(l));
	return (char *)l.v + (l.n - 1) * size;
}

/* ---- values ---- */

static const struct ae_rules_word *
find_word(const struct ae_rules_word *words, const char *text)
{
	for (; words->word != NULL; words++)
		if (strcmp(words->word, text) == 0)
			return words;
	return NULL;
}

/* XML Schema's own spelling of a boolean. */
static bool
parse_bool(bool *out, const char *s)
{
	*out = strcmp(s, "true") == 0 || strcmp(s, "1") == 0;
	return *out || strcmp(s, "false") == 0 || strcmp(s, "0") == 0;
}

static bool
parse_number(int64_t *out, const char *s)
{
	int64_t v = 0;
	size_t i;

	for (i = 0; s[i] >= '0' && s[i] <= '9' && i < 10; i++)
		v = v * 10 + (s[i] - '0');
	if (i == 0 || s[i] != '\0' || v > UINT32_MAX)
		return false;
	*out = v;
	return true;
}

/* Two to four numbers with dots between, as .NET's Version. */
static bool
parse_version(int64_t *out, const char *s)
{
	int64_t part[4] = { 0, 0, -1, -1 };
	size_t n = 0;

	for (;;) {
		if (n == 4 || *s < '0' || *s > '9')
			return false;
		for (part[n] = 0; *s >= '0' && *s <= '9'; s++)
			if ((part[n] = part[n] * 10 + (*s - '0')) >= 1 << 20)
				return false;
		n++;
		if (*s == '\0')
			break;
		if (*s++ != '.')
			return false;
	}
	*out = AE_RULES_FIRMWARE(part[0], part[1], part[2]);
	return n > 1;
}

/*
 * .NET's round-trip form: a fraction of a second that is passed over, and a
 * zone that must be there.
 */
static bool
parse_time(int64_t *out, const char *s)
{
	char whole[32];
	const char *dot = strchr(s, '.');
	size_t head = dot != NULL ? (size_t)(dot - s) : 0;
	const char *rest;

	if (dot != NULL) {
		rest = dot + 1 + strspn(dot + 1, "0123456789");
		if (rest == dot + 1 || head + strlen(rest) >= sizeof(whole))
			return false;
		memcpy(whole, s, head);
		memcpy(whole + head, rest, strlen(rest) + 1);
		s = whole;
	}
	return strlen(s) > 19 && s[10] == 'T' && s[16] == ':' &&
	    ae_when_parse(out, s, 0);
}

/* The text without the white space around it. */
static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, SPACE);
	for (n = strlen(s); n > 0 && strchr(SPACE, s[n - 1]) != NULL; n--)
		;
	s[n] = '\0';
	return s;
}

static int
bad_value(struct loader *p, const char *what, const char *text)
{
	struct shown s;

	return refuse(p, "\"%s\" is not %s", show(&s, text), what);
}

static void
set_value(struct loader *p, const struct frame *f, const char *raw)
{
	void *at = (char *)f->owner + f->el->offset;
	const enum ae_rules_kind kind = f->el->kind;
	char *copy = ae_arena_strdup(p->l.a, raw), *text;
	const struct ae_rules_word *word;
	int64_t number;
	uint32_t bits;
	bool flag;

	if (copy == NULL) {
		(void)stop(p, ae_fail_mem(p->l.e));
		return;
	}
	text = kind == KIND_TEXT ? copy : trim(copy);
	switch (kind) {
	case KIND_TEXT:
	case KIND_WORD:
		memcpy(at, &text, sizeof(text));
		break;
	case KIND_BOOL:
		if (!parse_bool(&flag, text))
			(void)bad_value(p, "true or false", text);
		else
			memcpy(at, &flag, sizeof(flag));
		break;
	case KIND_NUMBER:
		if (!parse_number(&number, text))
			(void)bad_value(p, "a number", text);
		else
			memcpy(at, &number, sizeof(number));
		break;
	case KIND_TIME:
		if (text[0] == '\0')
			break;
		if (!parse_time(&number, text))
			(void)bad_value(p,
			    "a date like 2030-12-31T23:59:59.0000000+01:00",
			    text);
		else
			memcpy(at, &number, sizeof(number));
		break;
	case KIND_VERSION:
		if (!parse_version(&number, text))
			(void)bad_value(p, "a version like 5.7.0", text);
		else
			memcpy(at, &number, sizeof(number));
		break;
	case KIND_ENUM:
	case KIND_FLAGS:
		word = find_word(f->el->words, text);
		if (word == NULL) {
			(void)bad_value(
			    p, "a value this element may have", text);
		} else if (kind == KIND_ENUM) {
			memcpy(at, &word->value, sizeof(word->value));
		} else {
			memcpy(&bits, at, sizeof(bits));
			bits |= UINT32_C(1) << word->value;
			memcpy(at, &bits, sizeof(bits));
		}
		break;
	case KIND_STRINGS:
		at = append(p, at, sizeof(char *));
		if (at != NULL)
			memcpy(at, &text, sizeof(text));
		break;
	case KIND_LIST:
	case KIND_OBJECT:
		break;
	}
}

/* ---- elements ---- */

static bool
holds_items(const struct frame *f)
{
	return f->el != NULL && !f->item &&
	    (f->el->kind == KIND_STRINGS || f->el->kind == KIND_FLAGS ||
		f->el->kind == KIND_LIST);
}

static void
push(struct loader *p, const struct frame *f)
{
	if (p->depth == DEPTH_MAX)
		(void)refuse(p, "nested too deeply");
	else
		p->stack[p->depth++] = *f;
}

static void *
new_object(struct loader *p, const struct ae_rules_type *t, void *at)
{
	if (at == NULL)
		at = ae_arena_alloc(p->l.a, t->size);
	if (at == NULL)
		(void)stop(p, ae_fail_mem(p->l.e));
	else if (t->initial != NULL)
		memcpy(at, t->initial, t->size);
	else
		memset(at, 0, t->size);
	return at;
}

/* One of a list. */
static void
begin_item(struct loader *p, const char *name)
{
	struct frame f = *top(p);
	const char *item = f.el->kind == KIND_LIST ? f.el->item : "string";
	struct shown s;

	if (strcmp(name, item) != 0) {
		(void)refuse(p,
		    "unknown element <%s> in <%s>: only <%s> may "
		    "stand there",
		    show(&s, name), f.el->name, item);
		return;
	}
	f.item = true;
	f.seen = 0;
	if (f.el->kind == KIND_LIST) {
		f.type = f.el->type;
		f.object =
		    append(p, (char *)f.owner + f.el->offset, f.type->size);
		if (f.object == NULL || new_object(p, f.type, f.object) == NULL)
			return;
	}
	push(p, &f);
}

/* A member of an object. */
static void
begin_member(struct loader *p, const char *name)
{
	struct frame *up = top(p);
	const struct ae_rules_element *el = up->type->elements;
	struct frame f = { .owner = up->object };
	const char *in = up->el == NULL ? ROOT
	    : up->item			? up->el->item
					: up->el->name;
	struct shown s;
	uint64_t bit;

	for (; el->name != NULL && strcmp(el->name, name) != 0; el++)
		;
	if (el->name == NULL) {
		(void)refuse(
		    p, "unknown element <%s> in <%s>", show(&s, name), in);
		return;
	}
	bit = UINT64_C(1) << (el - up->type->elements);
	if (up->seen & bit) {
		(void)refuse(p, "<%s> is there twice in <%s>", name, in);
		return;
	}
	if (el->kind != KIND_LIST && el->kind != KIND_STRINGS &&
	    el->kind != KIND_FLAGS)
		up->seen |= bit;
	f.el = el;
	if (el->kind == KIND_OBJECT) {
		f.type = el->type;
		f.object = new_object(p, el->type, NULL);
		if (f.object == NULL)
			return;
		memcpy(
		    (char *)f.owner + el->offset, &f.object, sizeof(f.object));
	}
	push(p, &f);
}

static void
begin_root(struct loader *p, const char *name)
{
	struct frame f = { .type = &ae_rules_type_policy,
		.object = p->l.rules };
	struct shown s;

	if (strcmp(name, ROOT) != 0)
		(void)refuse(p, "unknown element <%s>: a policy file is a <%s>",
		    show(&s, name), ROOT);
	else
		push(p, &f);
}

/* Declarations of namespaces do not come here. */
static bool
attributes_ok(struct loader *p, const char **attrs)
{
	struct shown s;

	for (; attrs[0] != NULL; attrs += 2) {
		if (strcmp(attrs[0], XSI "schemaLocation") == 0 ||
		    strcmp(attrs[0], XSI "noNamespaceSchemaLocation") == 0)
			continue;
		(void)refuse(p, "unknown attribute %s", show(&s, attrs[0]));
		return false;
	}
	return true;
}

static void
on_start(void *arg, const char *name, const char **attrs)
{
	struct loader *p = arg;
	struct shown s;

	if (p->rc != AE_OK || !attributes_ok(p, attrs))
		return;
	if (++p->elements > ELEMENTS_MAX) {
		(void)refuse(p, "more than %d elements", ELEMENTS_MAX);
		return;
	}
	ae_wr_reset(&p->text);
	if (p->depth == 0)
		begin_root(p, name);
	else if (holds_items(top(p)))
		begin_item(p, name);
	else if (top(p)->type != NULL)
		begin_member(p, name);
	else
		(void)refuse(p, "unknown element <%s> in <%s>", show(&s, name),
		    top(p)->el->name);
}

static void
on_end(void *arg, const char *name)
{
	struct loader *p = arg;
	struct frame f;
	const char *text;
	int rc;

	(void)name;
	if (p->rc != AE_OK)
		return;
	f = *top(p);
	p->depth--;
	if (f.type != NULL) {
		rc = f.type->finish == NULL ? AE_OK
					    : f.type->finish(&p->l, f.object);
		if (rc != AE_OK)
			(void)stop(p, rc);
		return;
	}
	if (holds_items(&f))
		return;
	text = ae_wr_cstr(&p->text);
	if (text == NULL)
		(void)stop(p, ae_fail_mem(p->l.e));
	else
		set_value(p, &f, text);
	ae_wr_reset(&p->text);
}

static void
on_text(void *arg, const char *s, int len)
{
	struct loader *p = arg;
	int i;

	if (p->rc != AE_OK || p->depth == 0)
		return;
	if (top(p)->type == NULL && !holds_items(top(p))) {
		if (memchr(s, 0, (size_t)len) != NULL)
			(void)refuse(p, "a NUL in the text");
		else if (p->text.len + (size_t)len > AE_RULES_TEXT_MAX)
			(void)refuse(
			    p, "more than %d bytes of text", AE_RULES_TEXT_MAX);
		else
			ae_wr_bytes(&p->text, s, (size_t)len);
		return;
	}
	for (i = 0; i < len; i++)
		if (strchr(SPACE, s[i]) == NULL) {
			(void)refuse(p,
			    "text in <%s>, where only elements "
			    "may stand",
			    top(p)->el == NULL ? ROOT
				: top(p)->item ? top(p)->el->item
					       : top(p)->el->name);
			return;
		}
}

static void
on_doctype(void *arg, const char *name, const char *sysid, const char *pubid,
    int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	(void)refuse((struct loader *)arg,
	    "a document type declaration is "
	    "not allowed");
}

static int
parse(struct loader *p, const void *xml, size_t len)
{
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	if (XML_Parse(p->xml, xml, (int)len, XML_TRUE) != XML_STATUS_OK &&
	    p->rc == AE_OK)
		(void)stop(p,
		    XML_GetErrorCode(p->xml) == XML_ERROR_NO_MEMORY
			? ae_fail_mem(p->l.e)
			: ae_fail(p->l.e, AE_EPROTO, AE_DOM_NONE, 0, "%s",
			      XML_ErrorString(XML_GetErrorCode(p->xml))));
	return p->rc;
}

int
ae_rules_load(struct ae_rules **out, const char *name, const void *xml,
    size_t len, struct ae_err *e)
{
	struct ae_rules *r;
	struct loader p = { .l = { .e = e }, .name = name };
	struct ae_err own = AE_ERR_INIT;
	int rc;

	if (e == NULL)
		p.l.e = &own;
	if (len > AE_RULES_FILE_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: more than %u bytes", name, AE_RULES_FILE_MAX);
	ae_wr_init(&p.text, AE_RULES_TEXT_MAX + 8);
	r = calloc(1, sizeof(*r));
	if (r != NULL) {
		memcpy(r, ae_rules_type_policy.initial, sizeof(*r));
		r->arena = ae_arena_new(ARENA_MAX);
	}
	p.xml = XML_ParserCreateNS(NULL, '|');
	if (r == NULL || r->arena == NULL || p.xml == NULL) {
		rc = ae_fail_mem(e);
	} else {
		p.l.rules = r;
		p.l.a = r->arena;
		rc = parse(&p, xml, len);
	}
	if (p.xml != NULL)
		XML_ParserFree(p.xml);
	ae_wr_done(&p.text);
	if (rc != AE_OK)
		ae_rules_free(r);
	else
		*out = r;
	return rc;
}

void
ae_rules_free(struct ae_rules *r)
{
	if (r == NULL)
		return;
	ae_regex_free(r->regexes);
	ae_arena_free(r->arena);
	free(r);
}
