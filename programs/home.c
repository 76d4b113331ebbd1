/* SPDX-License-Identifier: BSD-2-Clause */
#include "home.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "log/statement.h"
#include "passphrase.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static const char *
path_format(struct ld_arena *arena, const char *folder, const char *format, va_list arguments)
{
	va_list again;
	char *path;
	size_t folder_len = strlen(folder);
	int len;

	va_copy(again, arguments);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	path = ld_arena_alloc(arena, folder_len + 1 + (size_t)len + 1);
	if (path == NULL)
		return NULL;
	memcpy(path, folder, folder_len);
	path[folder_len] = '/';
	vsnprintf(path + folder_len + 1, (size_t)len + 1, format, arguments);
	return path;
}

static const char *
path_join(struct ld_arena *arena, const char *folder, const char *format, ...)
{
	const char *path;
	va_list arguments;

	va_start(arguments, format);
	path = path_format(arena, folder, format, arguments);
	va_end(arguments);
	return path;
}

const char *
ld_home_path(struct ld_home *home, const char *format, ...)
{
	const char *path;
	va_list arguments;

	va_start(arguments, format);
	path = path_format(&home->arena, home->path, format, arguments);
	va_end(arguments);
	return path;
}

/* Without slashes at its end, so that one can stand beside it. */
static const char *
path_trim(struct ld_arena *arena, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return (const char *)ld_arena_copy(arena, ld_span(path, len)).data;
}

static const char *
set_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

int
ld_home_find(struct ld_home *ret, const char *option, struct ld_report *report)
{
	const char *own = option != NULL ? option : set_variable("LINDUNG_HOME");
	const char *settings = set_variable("XDG_CONFIG_HOME"), *user = set_variable("HOME");
	struct ld_home home = {.path = own};

	ld_arena_init(&home.arena, ARENA_BYTES);
	if (own == NULL && settings == NULL && user == NULL)
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "where are your keys? Name their directory with --home DIR");
	if (own == NULL)
		home.path = settings != NULL ? path_join(&home.arena, settings, "lindung")
					     : path_join(&home.arena, user, ".config/lindung");
	else
		home.path = path_trim(&home.arena, own);
	if (home.path == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	*ret = home;
	return LINDUNG_OK;
}

bool
ld_home_enter(struct ld_home *home, const char *where)
{
	const char *path = ld_home_is_url(where) ? NULL : path_trim(&home->arena, where);
	struct ld_span text = path != NULL ? ld_span_str(path) : LD_SPAN("");

	if (path != NULL && !ld_home_holds_log(path) &&
	    (ld_span_ends(text, LD_SPAN("/log")) || ld_span_equal(text, LD_SPAN("log")))) {
		text.len -= strlen("log");
		text = ld_arena_copy(&home->arena, text.len != 0 ? text : LD_SPAN("."));
		path = text.data != NULL ? path_trim(&home->arena, (const char *)text.data) : NULL;
	}
	if (path == NULL || !ld_home_holds_log(path))
		return false;
	home->path = path;
	return true;
}

int
ld_home_find_for(struct ld_home *ret, const char *option, const char *where,
		 struct ld_report *report)
{
	struct ld_home home;
	int err;

	if (option != NULL || where == NULL)
		return ld_home_find(ret, option, report);
	err = ld_home_find(&home, ".", report);
	if (err == LINDUNG_OK && ld_home_enter(&home, where)) {
		*ret = home;
		return LINDUNG_OK;
	}
	ld_home_free(&home);
	return ld_home_find(ret, NULL, report);
}

void
ld_home_free(struct ld_home *home)
{
	ld_arena_clear(&home->arena);
}

static int
folder_make(const char *path, struct ld_report *report)
{
	if (path == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return ld_fail(report, LINDUNG_EIO, "%s: cannot be made: %s", path,
			       strerror(errno));
	return LINDUNG_OK;
}

int
ld_home_make(struct ld_home *home, struct ld_report *report)
{
	const char *slash = strrchr(home->path, '/');
	int err = LINDUNG_OK;

	/* ~/.config may be missing on a new account. */
	if (slash != NULL && slash != home->path && access(home->path, F_OK) != 0) {
		struct ld_span above = ld_arena_copy(
			&home->arena, ld_span(home->path, (size_t)(slash - home->path)));

		err = folder_make((const char *)above.data, report);
	}
	if (err == LINDUNG_OK)
		err = folder_make(home->path, report);
	return err == LINDUNG_OK ? folder_make(ld_home_path(home, "keys"), report) : err;
}

static int
entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
ld_home_discard(const char *path)
{
	if (path != NULL)
		nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- Keys ----------------------------------------------------------------------------------- */

/* The files in keys/ with this ending: the first by name, their names in `list`, and how many. */
static unsigned
keys_count(struct ld_home *home, const char *ending, const char **ret_path, struct ld_report *list)
{
	const char *folder = ld_home_path(home, "keys");
	struct dirent **files = NULL;
	int count = folder != NULL ? scandir(folder, &files, NULL, alphasort) : 0;
	unsigned found = 0;
	size_t at = 0;

	for (int i = 0; i < count; i++) {
		if (ld_span_ends(ld_span_str(files[i]->d_name), ld_span_str(ending))) {
			if (found++ == 0)
				*ret_path = path_join(&home->arena, folder, "%s", files[i]->d_name);
			if (at < sizeof list->text)
				at += (size_t)snprintf(list->text + at, sizeof list->text - at,
						       " %s", files[i]->d_name);
		}
		free(files[i]);
	}
	free(files);
	return found;
}

static int
key_only(const char **ret, struct ld_home *home, const char *ending, struct ld_report *report)
{
	struct ld_report list = {{0}};
	const char *path = NULL;
	unsigned found = keys_count(home, ending, &path, &list);

	if (found == 0)
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "%s/keys: there is no key: \"lindung key --help\" says how to make "
			       "one, --home DIR where others are",
			       home->path);
	if (found > 1)
		return ld_fail(report, LINDUNG_EINVAL,
			       "%s/keys: which key? Name it with --key; there are:%.300s",
			       home->path, list.text);
	*ret = path;
	return path != NULL ? LINDUNG_OK : ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
}

int
ld_home_key(const char **ret, struct ld_home *home, const char *name, const char *ending,
	    struct ld_report *report)
{
	const char *path = name;

	if (name == NULL)
		return key_only(ret, home, ending, report);
	if (strchr(name, '/') == NULL && !ld_span_ends(ld_span_str(name), ld_span_str(ending)))
		path = ld_home_path(home, "keys/%s%s", name, ending);
	else if (strchr(name, '/') == NULL && access(name, F_OK) != 0)
		path = ld_home_path(home, "keys/%s", name);
	if (path == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (access(path, R_OK) != 0)
		return ld_fail(report, LINDUNG_ENOTFOUND, "%s: %s", path, strerror(errno));
	*ret = path;
	return LINDUNG_OK;
}

int
ld_home_signer(struct ld_signer **ret, const char *path, int passphrase_fd,
	       struct ld_report *report)
{
	struct ld_passphrase *passphrase = NULL;
	struct ld_report prompt;
	bool encrypted = false;
	int err = ld_signer_is_encrypted(&encrypted, path, report);

	snprintf(prompt.text, sizeof prompt.text, "Passphrase of %s", path);
	if (err == LINDUNG_OK && encrypted)
		err = ld_passphrase_ask(&passphrase, passphrase_fd, prompt.text, report);
	if (err == LINDUNG_OK)
		err = ld_signer_open(ret, path, ld_passphrase_text(passphrase), report);
	ld_passphrase_free(passphrase);
	return err;
}

/* ---- Log and policy ------------------------------------------------------------------------- */

bool
ld_home_is_url(const char *where)
{
	return strncasecmp(where, "http://", 7) == 0 || strncasecmp(where, "https://", 8) == 0;
}

bool
ld_home_holds_log(const char *path)
{
	char checkpoint[PATH_MAX];
	int len = snprintf(checkpoint, sizeof checkpoint, "%s/log/checkpoint", path);

	return len > 0 && (size_t)len < sizeof checkpoint && access(checkpoint, F_OK) == 0;
}

static int
url_read(const char **ret, struct ld_home *home, const char *path, struct ld_report *report)
{
	struct ld_span text;
	uint8_t *data;
	size_t len;
	int err = ld_read_file(path, LD_HOME_URL_MAX, &data, &len, report);

	if (err != LINDUNG_OK)
		return err;
	text = ld_span(data, len);
	text = ld_span_trim(ld_span_first(text, ld_span_find(text, '\n')));
	text = ld_arena_copy(&home->arena, text);
	free(data);
	if (text.data == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (text.len == 0)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "%s: expected the URL of the log in the first line", path);
	*ret = (const char *)text.data;
	return LINDUNG_OK;
}

int
ld_home_log(const char **ret, struct ld_home *home, const char *option, struct ld_report *report)
{
	const char *url = ld_home_path(home, "log.url"), *log = option;

	if (log == NULL && ld_home_holds_log(home->path))
		log = home->path;
	if (log == NULL && access(url, F_OK) == 0) {
		int err = url_read(&log, home, url, report);

		if (err != LINDUNG_OK)
			return err;
	}
	if (log == NULL)
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "which log? Name its directory or URL, or write it into %s", url);
	/* An operator's directory stands for the log in it. */
	if (!ld_home_is_url(log) && ld_home_holds_log(log))
		log = path_join(&home->arena, log, "log");
	if (log == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	*ret = log;
	return LINDUNG_OK;
}

int
ld_home_policy(const char **ret, struct ld_home *home, const char *option, struct ld_report *report)
{
	const char *path = option != NULL ? option : ld_home_path(home, "policy");

	if (path == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (access(path, R_OK) != 0)
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "%s: %s: whoever runs the log hands out its policy; name it with "
			       "--policy FILE",
			       path, strerror(errno));
	*ret = path;
	return LINDUNG_OK;
}

/* ---- Time, and questions -------------------------------------------------------------------- */

int
ld_home_time(int64_t *ret, const char *option, struct ld_report *report)
{
	struct ld_span text = ld_span_str(option);

	if (option == NULL) {
		*ret = time(NULL);
		return LINDUNG_OK;
	}
	if (ld_statement_time_parse(ret, text, false) == LINDUNG_OK ||
	    ld_statement_time_parse(ret, text, true) == LINDUNG_OK)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_EINVAL,
		       "--at: expected a time (UTC) as 2026-11-22T07:00:00Z or 2026-11-22, not %s",
		       option);
}

bool
ld_home_confirm(const char *question)
{
	FILE *terminal = fopen("/dev/tty", "r+e");
	char answer[16] = "";
	bool yes;

	if (terminal == NULL)
		return false;
	fprintf(terminal, "%s [y/N] ", question);
	fflush(terminal);
	yes = fgets(answer, sizeof answer, terminal) != NULL &&
	      (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0);
	fclose(terminal);
	return yes;
}
