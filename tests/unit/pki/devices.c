/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Devices for tests; see devices.h.
 */
#include "devices.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64] = "/tmp/ae-dev-XXXXXX";
static char tcti[128];
static pid_t tpm = -1;

/* Runs it to its end with its output in a file; true: exit status 0. */
static bool
run(char *const argv[])
{
	char log[96];
	int status, fd;
	pid_t pid;

	(void)snprintf(log, sizeof(log), "%s/log", dir);
	pid = fork();
	if (pid == 0) {
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid &&
	    WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
token_init(void)
{
	char conf[96], tokens[96], text[256];
	char *argv[] = { (char[]){ "softhsm2-util" },
		(char[]){ "--init-token" }, (char[]){ "--free" },
		(char[]){ "--label" }, (char[]){ "ae-test" },
		(char[]){ "--so-pin" }, (char[]){ "87654321" },
		(char[]){ "--pin" }, (char[]){ DEV_PIN }, NULL };
	FILE *f;

	(void)snprintf(tokens, sizeof(tokens), "%s/tokens", dir);
	(void)snprintf(conf, sizeof(conf), "%s/softhsm2.conf", dir);
	(void)snprintf(text, sizeof(text),
	    "directories.tokendir = %s\nlog.level = ERROR\n", tokens);
	f = fopen(conf, "we");
	if (f == NULL)
		return false;
	(void)fputs(text, f);
	(void)fclose(f);
	return mkdir(tokens, 0700) == 0 &&
	    setenv("SOFTHSM2_CONF", conf, 1) == 0 && run(argv);
}

bool
dev_tpm_clear(void)
{
	char *argv[] = { (char[]){ "swtpm_setup" }, (char[]){ "--tpm2" },
		(char[]){ "--tpmstate" }, dir, (char[]){ "--overwrite" },
		NULL };

	return run(argv);
}

bool
dev_init(void)
{
	if (mkdtemp(dir) == NULL)
		return false;
	(void)snprintf(tcti, sizeof(tcti), "swtpm:path=%s/tpm", dir);
	(void)setenv("TSS2_LOG", "all+NONE", 0);
	return access(dev_module(), R_OK) == 0 && token_init() &&
	    dev_tpm_clear();
}

const char *
dev_tcti(void)
{
	return tcti;
}

const char *
dev_module(void)
{
	return "/usr/lib/softhsm/libsofthsm2.so";
}

static bool
answers(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ok = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
	(void)close(fd);
	return ok;
}

bool
dev_tpm_start(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	char state[96], server[128], ctrl[128], path[96];
	char *argv[] = { (char[]){ "swtpm" }, (char[]){ "socket" },
		(char[]){ "--tpm2" }, (char[]){ "--tpmstate" }, state,
		(char[]){ "--server" }, server, (char[]){ "--ctrl" }, ctrl,
		(char[]){ "--flags" },
		(char[]){ "not-need-init,startup-clear" }, NULL };
	int i, fd;

	(void)snprintf(state, sizeof(state), "dir=%s", dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s/tpm", dir);
	(void)snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s/tpm.ctrl", dir);
	(void)snprintf(path, sizeof(path), "%s/tpm.ctrl", dir);
	tpm = fork();
	if (tpm == 0) {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	for (i = 0; tpm > 0 && i < 1500; i++) {
		if (answers(path))
			return true;
		if (waitpid(tpm, NULL, WNOHANG) == tpm) {
			tpm = -1;
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

void
dev_tpm_stop(void)
{
	if (tpm <= 0)
		return;
	(void)kill(tpm, SIGKILL);
	(void)waitpid(tpm, NULL, 0);
	tpm = -1;
}

static void
move_tokens(const char *from, const char *to)
{
	char a[96], b[96];

	(void)snprintf(a, sizeof(a), "%s/%s", dir, from);
	(void)snprintf(b, sizeof(b), "%s/%s", dir, to);
	if (rename(a, b) != 0)
		abort();
}

/* An empty slot is a directory without tokens. */
void
dev_token_out(void)
{
	char path[96];

	move_tokens("tokens", "drawer");
	(void)snprintf(path, sizeof(path), "%s/tokens", dir);
	(void)mkdir(path, 0700);
}

void
dev_token_in(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/tokens", dir);
	if (rmdir(path) != 0) {
		char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, path,
			NULL };

		(void)run(argv);
	}
	move_tokens("drawer", "tokens");
}

void
dev_done(void)
{
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, dir, NULL };

	dev_tpm_stop();
	if (strchr(dir, 'X') == NULL || access(dir, F_OK) == 0)
		(void)run(argv);
}
