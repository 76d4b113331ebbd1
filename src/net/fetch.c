/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/fetch.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/clock.h"

enum {
	WAIT_MS = 250,
	STATUS_RANGE = 416,
	IDLE_TALK_MAX_BYTES = 64 * 1024, /* of a page that says that there is no such file */
};

/* A request under way. */
struct job {
	struct ld_fetcher *fetcher;
	struct ld_fetch *fetch;
	CURL *easy; /* NULL: free */
	struct curl_slist *headers, *resolve;
	unsigned redirects;
	size_t header_bytes;
	char tag[LD_FETCH_TAG_MAX];
	bool ranged;       /* a part was asked for */
	bool range_fits;   /* and is what came */
	bool body_begun;   /* something of it came */
	bool is_too_large; /* said by us */
	bool is_enough;    /* what comes is of no use: so is the rest */
	bool was_secure;   /* it came over https */
	size_t talk_bytes;
	int64_t moved_ms; /* when something of it came; 0: nothing yet */
	char error[CURL_ERROR_SIZE];
};

struct ld_fetcher {
	struct ld_fetch_options options;
	uint8_t *ca_pem;
	CURLM *multi;
	int64_t moved_ms; /* when something came */
	struct job jobs[LD_FETCH_AT_ONCE_MAX];
	/* Of a POST. */
	const char *type;
	struct ld_span body;
};

static void
global_init(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- What comes ----------------------------------------------------------------------------- */

/* The value of a header line, if it is this header. */
static bool
header_value(struct ld_span line, const char *name, struct ld_span *ret)
{
	size_t len = strlen(name);

	if (line.len <= len || line.data[len] != ':' ||
	    strncasecmp((const char *)line.data, name, len) != 0)
		return false;
	*ret = ld_span_from(line, len + 1);
	while (ret->len > 0 && strchr(" \t\r\n", ret->data[ret->len - 1]) != NULL)
		ret->len--;
	*ret = ld_span_trim(*ret);
	return true;
}

/* RFC 9110 section 8.8.3; any other is none, as it would break our own request. */
static bool
tag_is_valid(struct ld_span tag)
{
	struct ld_span opaque = ld_span_starts(tag, LD_SPAN("W/")) ? ld_span_from(tag, 2) : tag;

	if (opaque.len < 2 || tag.len >= LD_FETCH_TAG_MAX || opaque.data[0] != '"' ||
	    opaque.data[opaque.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < opaque.len; i++)
		if (opaque.data[i] <= ' ' || opaque.data[i] == '"' || opaque.data[i] == 0x7f)
			return false;
	return true;
}

static bool
range_begins_at(struct ld_span value, size_t start)
{
	char text[48];

	snprintf(text, sizeof text, "bytes %zu-", start);
	return ld_span_starts(value, ld_span_str(text));
}

static void
moved(struct job *job)
{
	job->moved_ms = job->fetcher->moved_ms = ld_clock_monotonic_ms();
}

static size_t
header_came(char *data, size_t size, size_t count, void *ctx)
{
	struct job *job = ctx;
	struct ld_span line = ld_span(data, size * count), value;

	moved(job);
	job->header_bytes += line.len;
	if (job->header_bytes > LD_FETCH_HEADERS_MAX_BYTES) {
		job->is_too_large = true;
		return 0;
	}
	if (ld_span_starts(line, LD_SPAN("HTTP/"))) { /* also behind a 100 */
		job->tag[0] = '\0';
		job->range_fits = false;
	} else if (header_value(line, "ETag", &value) && tag_is_valid(value)) {
		memcpy(job->tag, value.data, value.len);
		job->tag[value.len] = '\0';
	} else if (header_value(line, "Content-Range", &value)) {
		job->range_fits = range_begins_at(value, job->fetch->resume_from);
	}
	return size * count;
}

static long
status_of(const struct job *job)
{
	long status = 0;

	(void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t
body_came(char *data, size_t size, size_t count, void *ctx)
{
	struct job *job = ctx;
	struct ld_buffer *body = &job->fetch->body;
	long status = status_of(job);

	moved(job);
	/* A page about something else than success. */
	if (status != 200 && status != 206 && job->fetcher->type == NULL) {
		job->talk_bytes += size * count;
		job->is_enough = job->talk_bytes > IDLE_TALK_MAX_BYTES;
		return job->is_enough ? 0 : size * count;
	}
	if (!job->body_begun) {
		job->body_begun = true;
		/* The rest of what we have, or something else. */
		if (!(job->ranged && job->range_fits && status == 206))
			body->len = 0;
	}
	if (size * count > body->limit - body->len) {
		job->is_too_large = true;
		return 0;
	}
	ld_buffer_bytes(body, ld_span(data, size * count));
	return body->failed ? 0 : size * count;
}

/* ---- A request ------------------------------------------------------------------------------ */

static void
header_add(struct job *job, const char *name, const char *value)
{
	struct curl_slist *more;
	char *line;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return;
	more = curl_slist_append(job->headers, line);
	if (more != NULL)
		job->headers = more;
	free(line);
}

static void
headers_make(struct job *job)
{
	struct ld_fetch *fetch = job->fetch;
	char range[32];

	job->ranged = fetch->resume_from > 0 && fetch->body.len >= fetch->resume_from;
	if (job->ranged) {
		fetch->body.len = fetch->resume_from;
		snprintf(range, sizeof range, "%zu-", fetch->resume_from);
		curl_easy_setopt(job->easy, CURLOPT_RANGE, range);
		if (fetch->tag[0] == '"')
			header_add(job, "If-Range", fetch->tag);
	} else {
		fetch->body.len = fetch->resume_from = 0;
		if (fetch->tag[0] != '\0' && job->fetcher->type == NULL)
			header_add(job, "If-None-Match", fetch->tag);
	}
	if (job->fetcher->type != NULL) {
		header_add(job, "Content-Type", job->fetcher->type);
		header_add(job, "Expect", "");
		curl_easy_setopt(job->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS, job->fetcher->body.data);
		curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)job->fetcher->body.len);
	}
	curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers);
}

static void
trust_set(struct job *job)
{
	const struct ld_fetch_options *options = &job->fetcher->options;

	curl_easy_setopt(job->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(job->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(job->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (options->ca_pem.len != 0) {
		struct curl_blob blob = {
			.data = job->fetcher->ca_pem,
			.len = options->ca_pem.len,
			.flags = CURL_BLOB_NOCOPY,
		};

		curl_easy_setopt(job->easy, CURLOPT_CAINFO_BLOB, &blob);
		curl_easy_setopt(job->easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(job->easy, CURLOPT_CAPATH, NULL);
	} else if (options->ca_file != NULL) {
		curl_easy_setopt(job->easy, CURLOPT_CAINFO, options->ca_file);
		curl_easy_setopt(job->easy, CURLOPT_CAPATH, NULL);
	}
}

static void
limits_set(struct job *job)
{
	const struct ld_fetch_options *options = &job->fetcher->options;
	struct ld_buffer *body = &job->fetch->body;

	body->limit = job->fetch->limit_bytes;
	body->failed = false;
	curl_easy_setopt(job->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
	curl_easy_setopt(job->easy, CURLOPT_TIMEOUT_MS, (long)options->total_ms);
	curl_easy_setopt(job->easy, CURLOPT_NOSIGNAL, 1L);
	/* Redirects are followed by us: each host is looked up, each URL judged. */
	curl_easy_setopt(job->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(job->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(job->easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	if (!options->environment_proxy)
		curl_easy_setopt(job->easy, CURLOPT_PROXY, "");
}

static void
job_clear(struct job *job)
{
	if (job->easy != NULL) {
		(void)curl_multi_remove_handle(job->fetcher->multi, job->easy);
		curl_easy_cleanup(job->easy);
	}
	curl_slist_free_all(job->headers);
	curl_slist_free_all(job->resolve);
	job->easy = NULL;
	job->headers = job->resolve = NULL;
}

/* Where the host of the URL is, if the system is not to be asked. */
static int
host_find(struct job *job, const char *url)
{
	const struct ld_fetch_options *options = &job->fetcher->options;
	char addresses[LD_FETCH_ADDRESSES_MAX], *host = NULL, *port = NULL, *line = NULL;
	struct ld_report *report = &job->fetch->report;
	CURLU *parts = curl_url();
	uint8_t octets[16];
	int err = LINDUNG_OK;

	if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		err = ld_fail(report, LINDUNG_EINVAL, "%.300s: this is no URL", url);
	else if (options->resolve != NULL && host[0] != '[' &&
		 inet_pton(AF_INET, host, octets) != 1)
		err = options->resolve(options->resolve_ctx, host, addresses, report);
	else
		goto done;
	if (err == LINDUNG_OK && asprintf(&line, "%s:%s:%s", host, port, addresses) >= 0) {
		job->resolve = curl_slist_append(NULL, line);
		free(line);
		curl_easy_setopt(job->easy, CURLOPT_RESOLVE, job->resolve);
	}
done:
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parts);
	return err;
}

static int
job_begin(struct job *job, const char *url)
{
	const char *agent = job->fetcher->options.user_agent;
	int err;

	job->easy = curl_easy_init();
	if (job->easy == NULL)
		return ld_fail(&job->fetch->report, LINDUNG_ENOMEM, "not enough memory");
	job->header_bytes = 0;
	job->talk_bytes = 0;
	job->body_begun = job->is_too_large = job->is_enough = false;
	job->was_secure |= strncasecmp(url, "https:", 6) == 0;
	job->error[0] = job->tag[0] = '\0';
	err = host_find(job, url);
	if (err != LINDUNG_OK)
		return err;
	curl_easy_setopt(job->easy, CURLOPT_URL, url);
	curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
	curl_easy_setopt(job->easy, CURLOPT_ERRORBUFFER, job->error);
	curl_easy_setopt(job->easy, CURLOPT_USERAGENT, agent != NULL ? agent : "lindung");
	curl_easy_setopt(job->easy, CURLOPT_HEADERFUNCTION, header_came);
	curl_easy_setopt(job->easy, CURLOPT_HEADERDATA, job);
	curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, body_came);
	curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, job);
	headers_make(job);
	trust_set(job);
	limits_set(job);
	if (curl_multi_add_handle(job->fetcher->multi, job->easy) != CURLM_OK)
		return ld_fail(&job->fetch->report, LINDUNG_ENOMEM, "not enough memory");
	return LINDUNG_OK;
}

/* ---- Its end -------------------------------------------------------------------------------- */

static int
error_of(const struct job *job, CURLcode code)
{
	long sent = 0;

	if (job->is_too_large)
		return LINDUNG_ELIMIT;
	if (job->is_enough)
		return LINDUNG_OK;
	switch ((unsigned)code) {
	case CURLE_OK:
		return LINDUNG_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return LINDUNG_ETIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return LINDUNG_ENOMEM;
	case CURLE_UNSUPPORTED_PROTOCOL: /* also for an answer that is no HTTP */
		(void)curl_easy_getinfo(job->easy, CURLINFO_REQUEST_SIZE, &sent);
		return sent == 0 ? LINDUNG_EINVAL : LINDUNG_ENET;
	case CURLE_URL_MALFORMAT:
	case CURLE_LOGIN_DENIED:
		return LINDUNG_EINVAL;
	default:
		return LINDUNG_ENET;
	}
}

static void
job_fail(struct job *job, int err, const char *why)
{
	struct ld_fetch *fetch = job->fetch;

	if (err == LINDUNG_ELIMIT)
		fetch->body.len = 0; /* there is nothing to go on with */
	fetch->error = ld_fail(&fetch->report, err, "%.300s: %s", fetch->url, why);
	fetch->resume_from = job->body_begun || job->ranged ? fetch->body.len : 0;
}

/* Go on where the server points to.  False: it points nowhere that we go. */
static bool
job_redirect(struct job *job)
{
	struct ld_fetch *fetch = job->fetch;
	char *url = NULL, *next;
	int err;

	(void)curl_easy_getinfo(job->easy, CURLINFO_REDIRECT_URL, &url);
	if (url == NULL || job->fetcher->type != NULL)
		return false;
	if (++job->redirects > LD_FETCH_REDIRECTS_MAX) {
		job_fail(job, LINDUNG_ELIMIT, "it leads on and on");
		return false;
	}
	if (strncasecmp(url, "https:", 6) != 0 &&
	    (job->was_secure || strncasecmp(url, "http:", 5) != 0)) {
		job_fail(job, LINDUNG_ENET, "it leads away from HTTPS, or to what is no HTTP");
		return false;
	}
	next = strdup(url);
	job_clear(job);
	if (next == NULL) {
		job_fail(job, LINDUNG_ENOMEM, "not enough memory");
		return false;
	}
	err = job_begin(job, next);
	free(next);
	if (err != LINDUNG_OK)
		fetch->error = err;
	return err == LINDUNG_OK;
}

/* True: it goes on. */
static bool
job_end(struct job *job, CURLcode code)
{
	struct ld_fetch *fetch = job->fetch;
	int err = error_of(job, code);
	curl_off_t retry = 0;
	long status = status_of(job);

	fetch->status = (unsigned)status;
	if (err != LINDUNG_OK) {
		const char *why = job->error[0] != '\0' ? job->error : curl_easy_strerror(code);

		/* What came of this answer can be gone on with, if it says which it is. */
		if (status == 200)
			memcpy(fetch->tag, job->tag, sizeof fetch->tag);
		job_fail(job, err, err == LINDUNG_ELIMIT ? "it is larger than it may be" : why);
		return false;
	}
	if (status >= 300 && status < 400 && status != 304) {
		fetch->body.len = 0;
		return job_redirect(job);
	}
	if (status == STATUS_RANGE && job->ranged) {
		/* Nothing lies behind what we have: it is another file, or whole. */
		fetch->resume_from = fetch->body.len = 0;
		fetch->tag[0] = '\0';
		job_clear(job);
		err = job_begin(job, fetch->url);
		fetch->error = err;
		return err == LINDUNG_OK;
	}
	(void)curl_easy_getinfo(job->easy, CURLINFO_RETRY_AFTER, &retry);
	fetch->retry_after_s =
		(uint32_t)(retry < LD_FETCH_RETRY_MAX_S ? retry : LD_FETCH_RETRY_MAX_S);
	if (status == 206 && !(job->ranged && job->range_fits)) {
		job_fail(job, LINDUNG_ENET, "the server sends a part that was not asked for");
		return false;
	}
	if (!job->body_begun && status != 206)
		fetch->body.len = 0;
	if (status == 200 || status == 206)
		memcpy(fetch->tag, job->tag, sizeof fetch->tag);
	fetch->resume_from = 0;
	return false;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static struct job *
job_free_find(struct ld_fetcher *fetcher)
{
	for (unsigned i = 0; i < LD_FETCH_AT_ONCE_MAX; i++)
		if (fetcher->jobs[i].easy == NULL)
			return &fetcher->jobs[i];
	return NULL;
}

/* Handle those that have ended; how many. */
static unsigned
ended_take(struct ld_fetcher *fetcher)
{
	unsigned ended = 0;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
		struct job *job = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
		if (job_end(job, message->data.result))
			continue;
		job_clear(job);
		ended++;
	}
	return ended;
}

/* End those of which nothing has come for too long; how many.  One that waits for a connection
 * waits as long as others move. */
static unsigned
stalled_end(struct ld_fetcher *fetcher)
{
	int64_t limit_ms = ld_clock_monotonic_ms() - fetcher->options.stall_ms;
	unsigned ended = 0;

	for (unsigned i = 0; i < LD_FETCH_AT_ONCE_MAX; i++) {
		struct job *job = &fetcher->jobs[i];
		int64_t moved_ms = job->moved_ms != 0 ? job->moved_ms : fetcher->moved_ms;

		if (job->easy == NULL || moved_ms > limit_ms)
			continue;
		snprintf(job->error, sizeof job->error, "nothing came for %u ms",
			 fetcher->options.stall_ms);
		(void)job_end(job, CURLE_OPERATION_TIMEDOUT);
		job_clear(job);
		ended++;
	}
	return ended;
}

/* Begin with the next; false: it failed at once. */
static bool
next_begin(struct ld_fetcher *fetcher, struct job *job, struct ld_fetch *fetch)
{
	*job = (struct job){.fetcher = fetcher, .fetch = fetch};
	fetch->status = 0;
	fetch->retry_after_s = 0;
	fetch->report.text[0] = '\0';
	fetch->error = job_begin(job, fetch->url);
	if (fetch->error != LINDUNG_OK)
		job_clear(job);
	return fetch->error == LINDUNG_OK;
}

void
ld_fetch_all(struct ld_fetcher *fetcher, struct ld_fetch *fetches, size_t count)
{
	size_t next = 0;
	unsigned running = 0;
	int handles;

	fetcher->moved_ms = ld_clock_monotonic_ms();
	while (next < count || running > 0) {
		struct job *job;

		while (next < count && (job = job_free_find(fetcher)) != NULL)
			running += next_begin(fetcher, job, &fetches[next++]);
		if (running == 0)
			continue;
		(void)curl_multi_perform(fetcher->multi, &handles);
		running -= ended_take(fetcher);
		running -= stalled_end(fetcher);
		if (running > 0 && handles > 0)
			(void)curl_multi_poll(fetcher->multi, NULL, 0, WAIT_MS, NULL);
	}
}

void
ld_fetch_post(struct ld_fetcher *fetcher, struct ld_fetch *fetch, const char *type,
	      struct ld_span body)
{
	fetcher->type = type;
	fetcher->body = body;
	ld_fetch_all(fetcher, fetch, 1);
	fetcher->type = NULL;
}

int
ld_fetcher_new(struct ld_fetcher **ret, const struct ld_fetch_options *options,
	       struct ld_report *report)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ld_fetcher *fetcher = calloc(1, sizeof *fetcher);

	(void)pthread_once(&once, global_init);
	if (fetcher == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	fetcher->options = *options;
	fetcher->multi = curl_multi_init();
	if (options->ca_pem.len != 0) {
		fetcher->ca_pem = malloc(options->ca_pem.len);
		if (fetcher->ca_pem != NULL)
			memcpy(fetcher->ca_pem, options->ca_pem.data, options->ca_pem.len);
	}
	if (fetcher->multi == NULL || (options->ca_pem.len != 0 && fetcher->ca_pem == NULL)) {
		ld_fetcher_free(fetcher);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)LD_FETCH_CONNECTIONS_MAX);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)LD_FETCH_CONNECTIONS_MAX);
	*ret = fetcher;
	return LINDUNG_OK;
}

void
ld_fetcher_free(struct ld_fetcher *fetcher)
{
	if (fetcher == NULL)
		return;
	for (unsigned i = 0; i < LD_FETCH_AT_ONCE_MAX; i++)
		job_clear(&fetcher->jobs[i]);
	if (fetcher->multi != NULL)
		curl_multi_cleanup(fetcher->multi);
	free(fetcher->ca_pem);
	free(fetcher);
}
