/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The block as fields at their offsets.
 */
#include "base/tar.h"

#include <stdio.h>
#include <string.h>

/* Fields: where they begin and how long they are. */
#define NAME 0, 100
#define MODE 100, 8
#define UID 108, 8
#define GID 116, 8
#define SIZE 124, 12
#define TIME 136, 12
#define SUM 148, 8
#define PREFIX 345, 155
enum {
	NAME_LEN = 100,
	SUM_AT = 148,
	TYPE_AT = 156, /* and where the sum ends */
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	PREFIX_LEN = 155,
};

#define OCTAL_MAX 077777777777 /* in eleven digits: 8 GiB less one */
#define BINARY 0x80u

static const char magic[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };
static const char gnu_magic[8] = { 'u', 's', 't', 'a', 'r', ' ', ' ', '\0' };

/* ---- writing ---- */

/* n digits and a NUL in n + 1 bytes. */
static void
put_octal(uint8_t *b, size_t at, size_t len, uint64_t v)
{
	size_t i;

	for (i = len - 1; i-- > 0; v >>= 3)
		b[at + i] = (uint8_t)('0' + (v & 7));
	b[at + len - 1] = '\0';
}

static void
put_binary(uint8_t *b, size_t at, size_t len, uint64_t v)
{
	size_t i;

	memset(b + at, 0, len);
	for (i = len; i-- > len - 8; v >>= 8)
		b[at + i] = (uint8_t)v;
	b[at] = BINARY;
}

/* In name as it is, or cut at a '/' into prefix and name. */
static bool
put_name(uint8_t *b, const char *name)
{
	const size_t len = strlen(name);
	const char *cut;

	if (len == 0)
		return false;
	if (len <= NAME_LEN) {
		memcpy(b, name, len);
		return true;
	}
	for (cut = strchr(name, '/'); cut != NULL; cut = strchr(cut + 1, '/'))
		if (cut > name && cut - name <= PREFIX_LEN &&
		    strlen(cut + 1) <= NAME_LEN && cut[1] != '\0') {
			memcpy(b + PREFIX_AT, name, (size_t)(cut - name));
			memcpy(b, cut + 1, strlen(cut + 1));
			return true;
		}
	return false;
}

/* The sum of all bytes with blanks where it stands. */
static unsigned
sum_of(const uint8_t *b)
{
	unsigned sum = 8 * ' ';
	size_t i;

	for (i = 0; i < AE_TAR_BLOCK; i++)
		if (i < SUM_AT || i >= TYPE_AT)
			sum += b[i];
	return sum;
}

int
ae_tar_put(
    uint8_t b[AE_TAR_BLOCK], const struct ae_tar_entry *t, struct ae_err *e)
{
	memset(b, 0, AE_TAR_BLOCK);
	if (!put_name(b, t->name))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a tar archive has no room for the name %s", t->name);
	if (t->time < 0 || t->time > OCTAL_MAX || t->size > INT64_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a tar archive has no room for the time or size of %s",
		    t->name);
	put_octal(b, MODE, t->mode & 0777);
	put_octal(b, UID, 0);
	put_octal(b, GID, 0);
	if (t->size <= OCTAL_MAX)
		put_octal(b, SIZE, t->size);
	else
		put_binary(b, SIZE, t->size);
	put_octal(b, TIME, (uint64_t)t->time);
	b[TYPE_AT] = '0';
	memcpy(b + MAGIC_AT, magic, sizeof(magic));
	put_octal(b, SUM_AT, 7, sum_of(b));
	b[TYPE_AT - 1] = ' ';
	return AE_OK;
}

/* ---- reading ---- */

/* Octal with blanks around it, or binary; false: no number. */
static bool
get_number(uint64_t *out, const uint8_t *b, size_t at, size_t len)
{
	uint64_t v = 0;
	size_t i = 0, digits = 0;

	if (b[at] == BINARY) {
		for (i = 1; i < len; i++) {
			if (v > INT64_MAX >> 8)
				return false;
			v = v << 8 | b[at + i];
		}
		*out = v;
		return true;
	}
	while (i < len && b[at + i] == ' ')
		i++;
	for (; i < len && b[at + i] >= '0' && b[at + i] <= '7'; i++, digits++)
		v = v << 3 | (uint64_t)(b[at + i] - '0');
	for (; i < len; i++)
		if (b[at + i] != ' ' && b[at + i] != '\0')
			return false;
	*out = v;
	return digits > 0;
}

static bool
all_zero(const uint8_t *b)
{
	size_t i;

	for (i = 0; i < AE_TAR_BLOCK; i++)
		if (b[i] != 0)
			return false;
	return true;
}

static size_t
text_len(const uint8_t *b, size_t at, size_t len)
{
	return strnlen((const char *)b + at, len);
}

static bool
get_name(char out[AE_TAR_NAME_MAX], const uint8_t *b, bool posix)
{
	const size_t prefix = posix ? text_len(b, PREFIX) : 0;
	const size_t name = text_len(b, NAME);

	(void)snprintf(out, AE_TAR_NAME_MAX, "%.*s%s%.*s", (int)prefix,
	    (const char *)b + PREFIX_AT, prefix > 0 ? "/" : "", (int)name,
	    (const char *)b);
	return name > 0;
}

int
ae_tar_get(struct ae_tar_entry *t, bool *end, const uint8_t b[AE_TAR_BLOCK],
    struct ae_err *e)
{
	const bool posix = memcmp(b + MAGIC_AT, magic, sizeof(magic)) == 0;
	uint64_t sum, mode, time;

	*end = all_zero(b);
	if (*end)
		return AE_OK;
	if ((!posix &&
		memcmp(b + MAGIC_AT, gnu_magic, sizeof(gnu_magic)) != 0) ||
	    !get_number(&sum, b, SUM) || sum != sum_of(b))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "it is no tar archive");
	if (!get_name(t->name, b, posix) || !get_number(&mode, b, MODE) ||
	    !get_number(&t->size, b, SIZE) || !get_number(&time, b, TIME) ||
	    time > OCTAL_MAX)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a header of the tar archive is damaged");
	if (b[TYPE_AT] != '0' && b[TYPE_AT] != '\0')
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s in the tar archive is no regular file", t->name);
	t->mode = (unsigned)mode & 0777;
	t->time = (int64_t)time;
	return AE_OK;
}
