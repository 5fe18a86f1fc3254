/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Runs a fuzz target over the files of its corpus folder, with any compiler.
 * Fails when the folder is missing or empty, so that a corpus cannot vanish.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static int
replay(const char *path)
{
	uint8_t *buf = NULL;
	struct stat st;
	FILE *f = fopen(path, "re");
	int rc = 1;

	if (f == NULL)
		return 1;
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	buf = malloc((size_t)st.st_size + (st.st_size == 0));
	if (buf == NULL ||
	    fread(buf, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		goto out;
	(void)LLVMFuzzerTestOneInput(buf, (size_t)st.st_size);
	rc = 0;
out:
	free(buf);
	(void)fclose(f);
	return rc;
}

int
main(int argc, char **argv)
{
	char path[PATH_MAX];
	struct dirent *d;
	int n = 0;
	DIR *dir;

	dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (dir == NULL) {
		(void)fprintf(stderr, "usage: replay CORPUS-FOLDER\n");
		return 2;
	}
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], d->d_name);
		if (replay(path) != 0) {
			(void)fprintf(stderr, "cannot replay %s\n", path);
			return 1;
		}
		n++;
	}
	(void)closedir(dir);
	(void)printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
