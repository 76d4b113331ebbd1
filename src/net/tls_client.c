/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tls_client.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/loop.h"

#define CA_FILE_DEBIAN "/etc/ssl/certs/ca-certificates.crt"

enum {
	SESSION_MAX_S = 3600, /* then the certificate is looked at again */
	WHY_MAX_BYTES = 200,
	PROTOCOL_MAX_BYTES = 16,
};

struct ld_tls_trust {
	SSL_CTX *ctx;
};

struct ld_tls_peer {
	struct ld_tls_trust *trust;
	struct ld_server_address remote;
	uint8_t protocol[1 + PROTOCOL_MAX_BYTES]; /* with its length in front */
	bool required;
	SSL_SESSION *session; /* or NULL */
};

struct ld_connection {
	struct ld_tls_peer *peer; /* NULL: no TLS */
	SSL *ssl;
	struct ld_watch *watch;
	ld_connection_ready *ready;
	void *ctx;
	int fd;
	enum ld_connection_state state;
	bool connected; /* TCP is: TLS is under way */
	bool has_more;  /* to send, when there is room */
	bool read_wants_room;
	char why[WHY_MAX_BYTES];
};

/* ---- Trust -------------------------------------------------------------------------------- */

/* A session to go on with: of TLS 1.3 each is good for one time, and new ones come. */
static int
session_came(SSL *ssl, SSL_SESSION *session)
{
	struct ld_connection *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->peer->session);
	c->peer->session = session;
	return 1;
}

static int
authorities_load(SSL_CTX *ctx, const char *file, struct ld_report *report)
{
	bool named = file != NULL;

	if (!named)
		file = CA_FILE_DEBIAN;
	if (SSL_CTX_load_verify_file(ctx, file) == 1)
		return LINDUNG_OK;
	ERR_clear_error();
	if (named)
		return ld_fail(report, LINDUNG_EIO, "%s: cannot be read as certificates in PEM: %s",
			       file, access(file, R_OK) != 0 ? strerror(errno) : "none in it");
	return ld_fail(
		report, LINDUNG_EIO,
		"%s: no certificates of authorities to check encrypted servers with: install "
		"the package ca-certificates, or name a file in upstream.ca-file",
		file);
}

int
ld_tls_trust_new(struct ld_tls_trust **ret, const char *ca_file, struct ld_report *report)
{
	struct ld_tls_trust *trust = calloc(1, sizeof *trust);
	int err;

	if (trust != NULL)
		trust->ctx = SSL_CTX_new(TLS_client_method());
	if (trust == NULL || trust->ctx == NULL) {
		free(trust);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	SSL_CTX_set_min_proto_version(trust->ctx, TLS1_2_VERSION);
	/* An end without notice is one like any other: what is sent here says how long it is.
	 * (OpenSSL would give up the session for it.) */
	SSL_CTX_set_options(trust->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
						SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(trust->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					     SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(trust->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(trust->ctx,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(trust->ctx, session_came);
	err = authorities_load(trust->ctx, ca_file, report);
	if (err != LINDUNG_OK) {
		ld_tls_trust_free(trust);
		return err;
	}
	*ret = trust;
	return LINDUNG_OK;
}

void
ld_tls_trust_free(struct ld_tls_trust *trust)
{
	if (trust == NULL)
		return;
	SSL_CTX_free(trust->ctx);
	free(trust);
}

struct ld_tls_peer *
ld_tls_peer_new(struct ld_tls_trust *trust, const struct ld_server_address *remote,
		const char *protocol, bool required)
{
	struct ld_tls_peer *peer = calloc(1, sizeof *peer);
	size_t len = strlen(protocol);

	if (peer == NULL)
		return NULL;
	LD_ASSERT(len <= PROTOCOL_MAX_BYTES);
	peer->trust = trust;
	peer->remote = *remote;
	peer->protocol[0] = (uint8_t)len;
	memcpy(peer->protocol + 1, protocol, len);
	peer->required = required;
	return peer;
}

void
ld_tls_peer_free(struct ld_tls_peer *peer)
{
	if (peer == NULL)
		return;
	SSL_SESSION_free(peer->session);
	free(peer);
}

/* ---- The handshake ------------------------------------------------------------------------ */

static void
ended(struct ld_connection *c, enum ld_connection_state state, const char *why, const char *detail)
{
	c->state = state;
	snprintf(c->why, sizeof c->why, "%s%s%s", why, detail != NULL ? ": " : "",
		 detail != NULL ? detail : "");
	/* Level-triggered: an end that nobody takes in would be told for ever. */
	ld_watch_set(c->watch, 0);
}

static void
session_offer(struct ld_connection *c)
{
	SSL_SESSION *session = c->peer->session;

	if (session == NULL)
		return;
	if (time(NULL) - SSL_SESSION_get_time(session) < SESSION_MAX_S)
		SSL_set_session(c->ssl, session);
	else if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
		SSL_SESSION_set_time(session, 0); /* not offered again */
	if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
		SSL_SESSION_free(session);
		c->peer->session = NULL;
	}
}

/* Who it must be. */
static bool
identity_demand(struct ld_connection *c)
{
	const struct ld_server_address *remote = &c->peer->remote;
	X509_VERIFY_PARAM *param = SSL_get0_param(c->ssl);

	if (remote->name[0] != '\0') {
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		return X509_VERIFY_PARAM_set1_host(param, remote->name, 0) == 1 &&
		       SSL_set_tlsext_host_name(c->ssl, remote->name) == 1;
	}
	if (remote->pin_count != 0) { /* the key alone says who it is */
		SSL_set_verify(c->ssl, SSL_VERIFY_NONE, NULL);
		return true;
	}
	return X509_VERIFY_PARAM_set1_ip_asc(param, remote->host) == 1;
}

static bool
key_is_pinned(struct ld_connection *c)
{
	const struct ld_server_address *remote = &c->peer->remote;
	X509 *certificate = SSL_get1_peer_certificate(c->ssl);
	uint8_t digest[SHA256_DIGEST_LENGTH], *key = NULL;
	bool found = false;
	int len;

	if (certificate == NULL)
		return false;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
	if (len > 0) {
		SHA256(key, (size_t)len, digest);
		for (unsigned i = 0; i < remote->pin_count; i++)
			found |= memcmp(digest, remote->pins[i], sizeof digest) == 0;
	}
	OPENSSL_free(key);
	X509_free(certificate);
	return found;
}

/* The handshake is done: what OpenSSL does not check itself. */
static void
tls_opened(struct ld_connection *c)
{
	const uint8_t *protocol;
	unsigned len;

	SSL_get0_alpn_selected(c->ssl, &protocol, &len);
	if (c->peer->required &&
	    (len != c->peer->protocol[0] || memcmp(protocol, c->peer->protocol + 1, len) != 0)) {
		ended(c, LD_CONNECTION_UNTRUSTED, "it does not speak the protocol", NULL);
		return;
	}
	if (c->peer->remote.pin_count != 0 && !key_is_pinned(c)) {
		ended(c, LD_CONNECTION_UNTRUSTED, "its key is not the one that is pinned", NULL);
		return;
	}
	c->state = LD_CONNECTION_OPEN;
	ld_watch_set(c->watch, LD_READABLE);
}

static void
handshake_failed(struct ld_connection *c)
{
	long verified = SSL_get_verify_result(c->ssl);
	unsigned long error = ERR_peek_error();
	char text[120];

	if (SSL_get_verify_mode(c->ssl) != SSL_VERIFY_NONE && verified != X509_V_OK) {
		ended(c, LD_CONNECTION_UNTRUSTED, "its certificate cannot be trusted",
		      X509_verify_cert_error_string(verified));
		return;
	}
	if (error == 0) {
		ended(c, LD_CONNECTION_UNREACHABLE, "it closed the connection before TLS began",
		      NULL);
		return;
	}
	snprintf(text, sizeof text, "%s", ERR_reason_error_string(error));
	ended(c, LD_CONNECTION_UNTRUSTED, "TLS with it fails", text);
}

static void
handshake_go_on(struct ld_connection *c)
{
	int done, error;

	ERR_clear_error();
	done = SSL_connect(c->ssl);
	if (done == 1) {
		tls_opened(c);
		return;
	}
	error = SSL_get_error(c->ssl, done);
	if (error == SSL_ERROR_WANT_READ)
		ld_watch_set(c->watch, LD_READABLE);
	else if (error == SSL_ERROR_WANT_WRITE)
		ld_watch_set(c->watch, LD_WRITABLE);
	else
		handshake_failed(c);
	ERR_clear_error();
}

static void
connect_done(struct ld_connection *c)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		ended(c, LD_CONNECTION_UNREACHABLE, "it cannot be reached", strerror(error));
		return;
	}
	c->connected = true;
	if (c->ssl != NULL) {
		handshake_go_on(c);
		return;
	}
	c->state = LD_CONNECTION_OPEN;
	ld_watch_set(c->watch, LD_READABLE);
}

static void
socket_ready(void *ctx, int fd, unsigned what)
{
	struct ld_connection *c = ctx;

	(void)fd;
	if (what & LD_WRITABLE)
		c->has_more = c->read_wants_room = false;
	if (c->state == LD_CONNECTION_OPENING) {
		if (!c->connected)
			connect_done(c);
		else
			handshake_go_on(c);
		if (c->state == LD_CONNECTION_OPENING)
			return;
	}
	c->ready(c->ctx);
}

/* ---- Connections -------------------------------------------------------------------------- */

static bool
tls_begin(struct ld_connection *c)
{
	c->ssl = SSL_new(c->peer->trust->ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || !identity_demand(c) ||
	    SSL_set_alpn_protos(c->ssl, c->peer->protocol, 1u + c->peer->protocol[0]) != 0)
		return false;
	SSL_set_app_data(c->ssl, c);
	session_offer(c);
	return true;
}

int
ld_connection_open(struct ld_connection **ret, struct event_base *loop,
		   const struct ld_address *address, struct ld_tls_peer *peer,
		   ld_connection_ready *ready, void *ctx)
{
	struct ld_connection *c = calloc(1, sizeof *c);
	int one = 1, err = LINDUNG_ENOMEM, saved;

	if (c == NULL)
		return LINDUNG_ENOMEM;
	*c = (struct ld_connection){.peer = peer, .ready = ready, .ctx = ctx};
	c->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 ||
	    (connect(c->fd, &address->any, address->len) != 0 && errno != EINPROGRESS)) {
		err = LINDUNG_ENET;
		goto fail;
	}
	/* A question must not wait for the acknowledgement of the one before. */
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	c->watch = ld_watch_new(loop, c->fd, socket_ready, c);
	if (c->watch == NULL || (peer != NULL && !tls_begin(c)))
		goto fail;
	ld_watch_set(c->watch, LD_WRITABLE);
	*ret = c;
	return LINDUNG_OK;
fail:
	saved = errno;
	ld_connection_close(c);
	errno = saved;
	return err;
}

void
ld_connection_close(struct ld_connection *c)
{
	if (c == NULL)
		return;
	ERR_clear_error();
	if (c->ssl != NULL && c->state == LD_CONNECTION_OPEN)
		(void)SSL_shutdown(c->ssl);
	if (c->ssl != NULL && SSL_is_init_finished(c->ssl)) /* the session is good all the same */
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	ERR_clear_error();
	ld_watch_free(c->watch);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

enum ld_connection_state
ld_connection_state(const struct ld_connection *c)
{
	return c->state;
}

const char *
ld_connection_why(const struct ld_connection *c)
{
	return c->why;
}

bool
ld_connection_is_resumed(const struct ld_connection *c)
{
	return c->ssl != NULL && SSL_session_reused(c->ssl) == 1;
}

static void
watch_update(struct ld_connection *c)
{
	ld_watch_set(c->watch,
		     LD_READABLE | (c->has_more || c->read_wants_room ? (unsigned)LD_WRITABLE : 0));
}

/* What SSL_read() or SSL_write() did not do. */
static void
tls_stopped(struct ld_connection *c, int done, bool reading)
{
	switch (SSL_get_error(c->ssl, done)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_WANT_WRITE:
		c->read_wants_room |= reading;
		watch_update(c);
		break;
	case SSL_ERROR_ZERO_RETURN:
		ended(c, LD_CONNECTION_CLOSED, "it closed the connection", NULL);
		break;
	default:
		ended(c, LD_CONNECTION_BROKEN, "the connection broke", NULL);
	}
	ERR_clear_error();
}

static size_t
plain_read(struct ld_connection *c, uint8_t *out, size_t size)
{
	ssize_t n;

	do
		n = recv(c->fd, out, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (size_t)n;
	if (n == 0)
		ended(c, LD_CONNECTION_CLOSED, "it closed the connection", NULL);
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		ended(c, LD_CONNECTION_BROKEN, "the connection broke", strerror(errno));
	return 0;
}

size_t
ld_connection_read(struct ld_connection *c, uint8_t *out, size_t size)
{
	int n;

	if (c->state != LD_CONNECTION_OPEN || size == 0)
		return 0;
	if (c->ssl == NULL)
		return plain_read(c, out, size);
	ERR_clear_error();
	n = SSL_read(c->ssl, out, size < INT_MAX ? (int)size : INT_MAX);
	if (n > 0)
		return (size_t)n;
	tls_stopped(c, n, true);
	return 0;
}

static size_t
plain_write(struct ld_connection *c, struct ld_span data)
{
	ssize_t n;

	do
		n = send(c->fd, data.data, data.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		ended(c, LD_CONNECTION_BROKEN, "the connection broke", strerror(errno));
	return 0;
}

static size_t
write_some(struct ld_connection *c, struct ld_span data)
{
	int n;

	if (c->ssl == NULL)
		return plain_write(c, data);
	ERR_clear_error();
	n = SSL_write(c->ssl, data.data, data.len < INT_MAX ? (int)data.len : INT_MAX);
	if (n > 0)
		return (size_t)n;
	tls_stopped(c, n, false);
	return 0;
}

size_t
ld_connection_write(struct ld_connection *c, struct ld_span data)
{
	size_t done = 0, n = 1;

	while (c->state == LD_CONNECTION_OPEN && done < data.len && n != 0) {
		n = write_some(c, ld_span_from(data, done));
		done += n;
	}
	if (c->state == LD_CONNECTION_OPEN) {
		c->has_more = done < data.len;
		watch_update(c);
	}
	return done;
}
