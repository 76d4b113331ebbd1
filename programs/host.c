/* lindung host: serves a log, takes what is submitted to it, is a witness for others.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "data.h"
#include "home.h"
#include "name/psl.h"
#include "passphrase.h"
#include "process/host.h"

int host_main(int argc, char **argv);

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	MEMORY_BYTES = 256 * 1024 * 1024,
	PORT = 8080,
	DNS_PORT = 53
};

enum row {
	ROW_LISTEN,
	ROW_NOTIFY,
	ROW_STORE,
	ROW_POLICY,
	ROW_KEY,
	ROW_PASSPHRASE_FD,
	ROW_WITNESS,
	ROW_WITNESS_STATE,
	ROW_WITNESSED,
	ROW_USER,
	ROW_CA_FILE,
};

static const struct ld_argument_row rows[] = {
	[ROW_LISTEN] = {"listen", "ADDRESS@PORT", "where to listen; else 127.0.0.1@8080", 'l', true,
			false},
	[ROW_NOTIFY] = {"notify", "ADDRESS@PORT", "a follower to tell of news by DNS NOTIFY", 'n',
			true, false},
	[ROW_STORE] = {"store", "WHERE",
		       "the queue: a file, or postgresql://...; else "
		       "DIR/store.sqlite",
		       '\0', false, false},
	[ROW_POLICY] = {"policy", "FILE", "else DIR/policy", '\0', false, false},
	[ROW_KEY] = {"key", "KEY", "the log's key; else DIR/keys/log.key", 'k', false, false},
	[ROW_PASSPHRASE_FD] = {"passphrase-fd", "N", "read passphrases, a line each, from there",
			       '\0', false, false},
	[ROW_WITNESS] = {"witness", "KEY", "be a witness with this key, too", '\0', false, false},
	[ROW_WITNESS_STATE] = {"witness-state", "DIR", "what it has signed; else DIR/witness", '\0',
			       false, false},
	[ROW_WITNESSED] = {"witnessed", "VKEY", "a log that it signs for, by its key", '\0', true,
			   false},
	[ROW_USER] = {"user", "NAME", "whom to become, if started as root", 'u', false, false},
	[ROW_CA_FILE] = {"ca-file", "FILE", "authorities for witnesses by HTTPS; else the system's",
			 '\0', false, false},
};

static const char head[] =
	"usage: lindung host [OPTION ...] DIR\n"
	"\n"
	"Serves the log of DIR (made by lindung init) by HTTP, takes what parties submit, tells\n"
	"followers of news, and writes the effective list for other programs.  With --witness it\n"
	"is a witness for other logs; without a log in DIR, that alone.\n"
	"\n";
static const char tail[] = "\nStops at SIGTERM or SIGINT.  See lindung-host(1).\n";

/* What was asked for, and what is made for it. */
struct request {
	struct ld_arguments arguments;
	struct ld_home home;
	struct ld_arena arena;
	struct ld_psl *suffixes;
	struct ld_signer *signer, *witness;
	struct ld_address listen[LD_HOST_LISTEN_MAX], notify[LD_HOST_NOTIFY_MAX];
	struct ld_verifier witnessed[LD_HOST_WITNESSED_MAX];
	struct ld_host_config config;
	int passphrase_fd;
	struct ld_report report;
};

static void
tell(const char *line)
{
	fprintf(stderr, "lindung host: %s\n", line);
}

static int
addresses_read(struct ld_address *ret, unsigned *ret_count, unsigned max,
	       const struct ld_arguments *arguments, enum row row, uint16_t port,
	       struct ld_report *report)
{
	if (arguments->counts[row] > max)
		return ld_fail(report, LINDUNG_ELIMIT, "--%s: at most %u", rows[row].name, max);
	for (unsigned i = 0; i < arguments->counts[row]; i++) {
		int err = ld_address_from_text(&ret[i], ld_span_str(arguments->values[row][i]),
					       port, report);

		if (err != LINDUNG_OK)
			return err;
	}
	*ret_count = arguments->counts[row];
	return LINDUNG_OK;
}

static int
network_read(struct request *r)
{
	int err = addresses_read(r->listen, &r->config.listen_count, LD_HOST_LISTEN_MAX,
				 &r->arguments, ROW_LISTEN, PORT, &r->report);

	if (err == LINDUNG_OK && r->config.listen_count == 0) {
		err = ld_address_from_text(&r->listen[0], LD_SPAN("127.0.0.1"), PORT, &r->report);
		r->config.listen_count = 1;
	}
	if (err == LINDUNG_OK)
		err = addresses_read(r->notify, &r->config.notify_count, LD_HOST_NOTIFY_MAX,
				     &r->arguments, ROW_NOTIFY, DNS_PORT, &r->report);
	r->config.listen = r->listen;
	r->config.notify = r->notify;
	return err;
}

/* The log of the home, if it has one. */
static int
log_read(struct request *r)
{
	const char *path = ld_home_path(&r->home, "log/checkpoint"), *key = NULL, *store;
	bool has_log = path != NULL && access(path, F_OK) == 0;
	int err;

	if (!has_log && ld_argument(&r->arguments, ROW_WITNESS) == NULL)
		return ld_fail(&r->report, LINDUNG_ENOTFOUND,
			       "%s has no log: make one with lindung init, or be a witness alone "
			       "with --witness KEY",
			       r->home.path);
	if (!has_log)
		return LINDUNG_OK;
	store = ld_argument(&r->arguments, ROW_STORE);
	r->config.log = ld_home_path(&r->home, "log");
	r->config.store = store != NULL ? store : ld_home_path(&r->home, "store.sqlite");
	r->config.work = ld_home_path(&r->home, "work");
	r->config.popular = ld_data_path("popular.txt", &r->arena);
	if (r->config.log == NULL || r->config.store == NULL || r->config.work == NULL)
		return ld_fail(&r->report, LINDUNG_ENOMEM, "not enough memory");
	err = ld_home_policy(&r->config.policy, &r->home, ld_argument(&r->arguments, ROW_POLICY),
			     &r->report);
	key = ld_argument(&r->arguments, ROW_KEY);
	if (err == LINDUNG_OK)
		err = ld_home_key(&key, &r->home, key != NULL ? key : "log", ".key", &r->report);
	if (err == LINDUNG_OK)
		err = ld_home_signer(&r->signer, key, r->passphrase_fd, &r->report);
	r->config.signer = r->signer;
	return err;
}

static int
witness_read(struct request *r)
{
	const char *key = ld_argument(&r->arguments, ROW_WITNESS);
	unsigned count = r->arguments.counts[ROW_WITNESSED];
	int err;

	if (key == NULL)
		return count == 0 ? LINDUNG_OK
				  : ld_fail(&r->report, LINDUNG_EINVAL,
					    "--witnessed is for a witness: give --witness KEY");
	if (count == 0 || count > LD_HOST_WITNESSED_MAX)
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "--witness: for which logs? Give 1 to %d of --witnessed VKEY",
			       LD_HOST_WITNESSED_MAX);
	err = ld_home_key(&key, &r->home, key, ".key", &r->report);
	if (err == LINDUNG_OK)
		err = ld_home_signer(&r->witness, key, r->passphrase_fd, &r->report);
	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++)
		err = ld_verifier_parse(&r->witnessed[i],
					ld_span_str(r->arguments.values[ROW_WITNESSED][i]),
					&r->report);
	r->config.witness = r->witness;
	r->config.witnessed = r->witnessed;
	r->config.witnessed_count = count;
	r->config.witness_state = ld_argument(&r->arguments, ROW_WITNESS_STATE);
	if (r->config.witness_state == NULL)
		r->config.witness_state = ld_home_path(&r->home, "witness");
	return err;
}

/* What exports are made with: as lindung compile has it. */
static int
data_read(struct request *r)
{
	struct ld_compile_options *options = &r->config.compile;
	const char *path = ld_data_path("protected.yaml", &r->arena), *categories;
	int err;

	options->memory_bytes = MEMORY_BYTES;
	options->threads = 1;
	if (r->config.log == NULL)
		return LINDUNG_OK;
	if (path == NULL)
		return ld_fail(&r->report, LINDUNG_EIO,
			       "protected.yaml, the names that nothing may close, is not found: "
			       "set LINDUNG_DATA to its folder");
	err = ld_data_protected(&options->protects, &options->protect_count, path, &r->arena,
				&r->report);
	categories = ld_data_path("categories.yaml", &r->arena);
	if (err == LINDUNG_OK && categories != NULL)
		err = ld_data_categories(&r->config.categories, &r->config.category_count,
					 categories, &r->arena, &r->report);
	if (err == LINDUNG_OK && categories != NULL)
		err = ld_data_locked(&options->locked, &options->locked_count, categories,
				     &r->arena, &r->report);
	if (err == LINDUNG_OK)
		err = ld_psl_open(&r->suffixes, NULL, &r->report);
	options->suffixes = r->suffixes;
	return err;
}

static int
request_run(struct request *r)
{
	const char *fd = ld_argument(&r->arguments, ROW_PASSPHRASE_FD);
	int err = LINDUNG_OK;

	r->passphrase_fd = LD_PASSPHRASE_TERMINAL;
	r->config.tell = tell;
	r->config.user = ld_argument(&r->arguments, ROW_USER);
	r->config.ca_file = ld_argument(&r->arguments, ROW_CA_FILE);
	if (r->arguments.word_count > 1)
		return ld_fail(&r->report, LINDUNG_EINVAL, "expected one directory");
	err = ld_home_find(&r->home, r->arguments.word_count == 1 ? r->arguments.words[0] : NULL,
			   &r->report);
	if (err == LINDUNG_OK && fd != NULL)
		err = ld_passphrase_fd_read(&r->passphrase_fd, fd, &r->report);
	if (err == LINDUNG_OK)
		err = network_read(r);
	if (err == LINDUNG_OK)
		err = log_read(r);
	if (err == LINDUNG_OK)
		err = witness_read(r);
	if (err == LINDUNG_OK)
		err = data_read(r);
	if (err == LINDUNG_OK)
		err = ld_host_run(&r->config, &r->report);
	return err;
}

int
host_main(int argc, char **argv)
{
	struct request r = {.passphrase_fd = LD_PASSPHRASE_TERMINAL};
	int err, status;

	if (!ld_arguments_read(&r.arguments, rows, sizeof rows / sizeof rows[0], head, tail, argc,
			       argv, &status))
		return status;
	ld_arena_init(&r.arena, ARENA_BYTES);
	err = request_run(&r);
	if (err != LINDUNG_OK)
		fprintf(stderr, "lindung host: %s\n", r.report.text);
	ld_signer_free(r.signer);
	ld_signer_free(r.witness);
	ld_psl_close(r.suffixes);
	ld_arena_clear(&r.arena);
	ld_home_free(&r.home);
	return err == LINDUNG_OK ? 0 : 1;
}
