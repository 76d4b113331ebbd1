/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tickets.h"

enum {
	CHAIN_MAX = 10, /* certificates */
	/* After the handshake, in all of a connection's life: a client may change its keys, but
	 * each time costs us work. */
	LATE_HANDSHAKES_MAX = 64,
};

struct ld_tls {
	pthread_mutex_t lock; /* on `ctx` */
	SSL_CTX *ctx;         /* NULL: nothing is shown */
	struct ld_tickets *tickets;
	unsigned ticket_period_s;
};

/* ---- Streams ----------------------------------------------------------------------------- */

struct tls_stream {
	struct ld_stream base;
	SSL *ssl;
	const char *protocol;
	unsigned late_handshakes;
	bool more; /* OpenSSL holds octets that it could read on with */
};

static struct tls_stream *
of_base(struct ld_stream *stream)
{
	return (struct tls_stream *)stream;
}

/* What a call that did not succeed waits for, into `ret_waits`; or what became of the stream. */
static ssize_t
tls_outcome(struct tls_stream *stream, int result, unsigned *ret_waits)
{
	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*ret_waits = LD_READABLE;
		return LD_STREAM_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*ret_waits = LD_WRITABLE;
		return LD_STREAM_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return LD_STREAM_ENDED;
	default:
		return LD_STREAM_FAILED;
	}
}

static ssize_t
tls_read(struct ld_stream *base, void *data, size_t len)
{
	struct tls_stream *stream = of_base(base);
	int n;

	ERR_clear_error();
	n = SSL_read(stream->ssl, data, len < INT_MAX ? (int)len : INT_MAX);
	if (base->greeting && SSL_is_init_finished(stream->ssl)) {
		base->greeting = false;
		base->resumed = SSL_session_reused(stream->ssl) == 1;
	}
	if (stream->late_handshakes > LATE_HANDSHAKES_MAX)
		return LD_STREAM_FAILED;
	base->read_waits = LD_READABLE;
	/* After a read that came to nothing it may hold a part of a record: no use to try again
	 * before the rest is there. */
	stream->more = n > 0 && SSL_has_pending(stream->ssl) == 1;
	return n > 0 ? n : tls_outcome(stream, n, &base->read_waits);
}

static ssize_t
tls_write(struct ld_stream *base, const void *data, size_t len)
{
	struct tls_stream *stream = of_base(base);
	int n;

	ERR_clear_error();
	n = SSL_write(stream->ssl, data, len < INT_MAX ? (int)len : INT_MAX);
	base->write_waits = LD_WRITABLE;
	return n > 0 ? n : tls_outcome(stream, n, &base->write_waits);
}

static bool
tls_pending(const struct ld_stream *base)
{
	return ((const struct tls_stream *)base)->more;
}

static void
tls_leave(struct ld_stream *base)
{
	ERR_clear_error();
	if (!base->greeting)
		(void)SSL_shutdown(of_base(base)->ssl);
}

static void
tls_free(struct ld_stream *base)
{
	SSL_free(of_base(base)->ssl);
	free(base);
}

struct ld_stream *
ld_tls_accept(struct ld_tls *tls, int fd, const char *protocol)
{
	static const struct ld_stream_ops ops = {tls_read, tls_write, tls_pending, tls_leave,
						 tls_free};
	struct tls_stream *stream = calloc(1, sizeof *stream);

	if (stream == NULL)
		return NULL;
	stream->base = (struct ld_stream){.ops = &ops,
					  .fd = fd,
					  .read_waits = LD_READABLE,
					  .write_waits = LD_WRITABLE,
					  .greeting = true};
	stream->protocol = protocol;
	pthread_mutex_lock(&tls->lock);
	if (tls->ctx != NULL)
		stream->ssl = SSL_new(tls->ctx);
	pthread_mutex_unlock(&tls->lock);
	if (stream->ssl == NULL || SSL_set_fd(stream->ssl, fd) != 1) {
		tls_free(&stream->base);
		return NULL;
	}
	SSL_set_app_data(stream->ssl, stream);
	SSL_set_accept_state(stream->ssl);
	return &stream->base;
}

/* ---- What OpenSSL asks us ---------------------------------------------------------------- */

/* RFC 7301 section 3.2: the protocol, or none if the client names none, or an alert. */
static int
protocol_choose(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
		const unsigned char *offered, unsigned len, void *ctx)
{
	const struct tls_stream *stream = SSL_get_app_data(ssl);
	size_t wanted = strlen(stream->protocol);

	(void)ctx;
	for (unsigned at = 0; at < len; at += 1u + offered[at]) {
		if (offered[at] == wanted && at + 1 + wanted <= len &&
		    memcmp(offered + at + 1, stream->protocol, wanted) == 0) {
			*ret = offered + at + 1;
			*ret_len = offered[at];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
ticket_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
	   EVP_MAC_CTX *mac, int seal)
{
	struct ld_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	return ld_tickets_use(tls->tickets, ssl, name, iv, cipher, mac, seal,
			      ld_clock_monotonic_ms());
}

/* Key updates (RFC 8446 section 4.6.3), and attempts to renegotiate. */
static void
message_seen(int sent, int version, int type, const void *data, size_t len, SSL *ssl, void *ctx)
{
	struct tls_stream *stream = SSL_get_app_data(ssl);

	(void)version;
	(void)data;
	(void)len;
	(void)ctx;
	if (!sent && type == SSL3_RT_HANDSHAKE && !stream->base.greeting)
		stream->late_handshakes++;
}

/* ---- The certificate --------------------------------------------------------------------- */

static bool
ctx_configure(SSL_CTX *ctx, struct ld_tls *tls)
{
	static const unsigned char id[] = "lindung";

	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A record's header and body in one system call. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, 2 * (long)tls->ticket_period_s);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_recv_max_early_data(ctx, 0);
	SSL_CTX_set_alpn_select_cb(ctx, protocol_choose, NULL);
	SSL_CTX_set_msg_callback(ctx, message_seen);
	SSL_CTX_set_app_data(ctx, tls);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	       SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
					     "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
	       SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1) == 1 &&
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key) == 1;
}

/* Nobody is there to type a pass phrase. */
static int
no_phrase(char *phrase, int size, int writing, void *ctx)
{
	(void)phrase;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static int
fail_openssl(struct ld_report *report, const char *file, const char *what)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;

	return ld_fail(report, LINDUNG_ECONFIG, "%s: %s%s%s", file, what,
		       reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

static int
certificate_use(SSL_CTX *ctx, BIO *pem, const char *file, struct ld_report *report)
{
	X509 *x509 = PEM_read_bio_X509_AUX(pem, NULL, no_phrase, NULL);
	unsigned count = 1;
	bool taken;

	if (x509 == NULL)
		return fail_openssl(report, file,
				    "no certificate in it (expected PEM, the "
				    "server's own first)");
	taken = SSL_CTX_use_certificate(ctx, x509) == 1;
	X509_free(x509);
	if (!taken)
		return fail_openssl(report, file, "the certificate is not good enough");
	while ((x509 = PEM_read_bio_X509(pem, NULL, no_phrase, NULL)) != NULL) {
		if (++count > CHAIN_MAX || SSL_CTX_add0_chain_cert(ctx, x509) != 1) {
			X509_free(x509);
			return fail_openssl(report, file,
					    "a certificate above the server's own "
					    "cannot be used");
		}
	}
	/* The end of the file is no error; anything else is. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return fail_openssl(report, file, "a certificate in it cannot be read");
	ERR_clear_error();
	return LINDUNG_OK;
}

static int
key_use(SSL_CTX *ctx, BIO *pem, const char *const files[2], struct ld_report *report)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_phrase, NULL);
	bool taken;

	if (key == NULL)
		return fail_openssl(report, files[1],
				    "no private key in it (expected PEM without a pass phrase)");
	taken = SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	if (taken)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_ECONFIG, "%s: it is not the key of the certificate in %s",
		       files[1], files[0]);
}

/* Its names, as many as there is room for. */
static void
names_write(X509 *x509, char *text, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	size_t at = 0;

	text[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && at < size; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS) {
			at += (size_t)snprintf(
				text + at, size - at, "%s%.*s", at > 0 ? ", " : "",
				ASN1_STRING_length(name->d.dNSName),
				(const char *)ASN1_STRING_get0_data(name->d.dNSName));
		} else if (name->type == GEN_IPADD) {
			int family =
				ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
			const unsigned char *octets = ASN1_STRING_get0_data(name->d.iPAddress);
			char address[INET6_ADDRSTRLEN] = "?";

			if (family == AF_INET || ASN1_STRING_length(name->d.iPAddress) == 16)
				(void)inet_ntop(family, octets, address, sizeof address);
			at += (size_t)snprintf(text + at, size - at, "%s%s", at > 0 ? ", " : "",
					       address);
		}
	}
	GENERAL_NAMES_free(names);
}

static void
facts_read(SSL_CTX *ctx, struct ld_tls_facts *ret)
{
	X509 *x509 = SSL_CTX_get0_certificate(ctx);
	struct tm tm;

	*ret = (struct ld_tls_facts){.expires_s = 0};
	names_write(x509, ret->names, sizeof ret->names);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm) == 1)
		ret->expires_s = timegm(&tm);
}

static BIO *
bio_of(struct ld_span pem)
{
	return BIO_new_mem_buf(pem.len != 0 ? (const void *)pem.data : "", (int)pem.len);
}

static int
ctx_fill(SSL_CTX *ctx, struct ld_tls *tls, BIO *certificate, BIO *key, const char *const files[2],
	 struct ld_report *report)
{
	int err;

	if (!ctx_configure(ctx, tls))
		return fail_openssl(report, files[0], "OpenSSL refuses our settings");
	err = certificate_use(ctx, certificate, files[0], report);
	return err == LINDUNG_OK ? key_use(ctx, key, files, report) : err;
}

int
ld_tls_show(struct ld_tls *tls, struct ld_span certificate, struct ld_span key,
	    const char *const files[2], bool even_expired, struct ld_tls_facts *ret_facts,
	    struct ld_report *report)
{
	struct ld_tls_facts facts;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method()), *before = ctx;
	BIO *certificate_bio = bio_of(certificate), *key_bio = bio_of(key);
	int err;

	ERR_clear_error();
	if (ctx == NULL || certificate_bio == NULL || key_bio == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory for %s", files[0]);
	else
		err = ctx_fill(ctx, tls, certificate_bio, key_bio, files, report);
	if (err == LINDUNG_OK) {
		facts_read(ctx, &facts);
		if (!even_expired && facts.expires_s < time(NULL))
			err = ld_fail(report, LINDUNG_ECONFIG,
				      "%s: the certificate has expired; renew it", files[0]);
	}
	if (err == LINDUNG_OK) {
		*ret_facts = facts;
		pthread_mutex_lock(&tls->lock);
		before = tls->ctx;
		tls->ctx = ctx;
		pthread_mutex_unlock(&tls->lock);
	}
	/* Connections hold on to theirs. */
	SSL_CTX_free(before);
	BIO_free(certificate_bio);
	BIO_free(key_bio);
	ERR_clear_error();
	return err;
}

struct ld_tls *
ld_tls_new(unsigned ticket_period_s)
{
	struct ld_tls *tls = calloc(1, sizeof *tls);

	if (tls == NULL)
		return NULL;
	/* Our settings are all that counts: no file is read, which a process behind walls could
	 * not anyway. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	pthread_mutex_init(&tls->lock, NULL);
	tls->ticket_period_s = ticket_period_s;
	tls->tickets = ld_tickets_new(ticket_period_s);
	if (tls->tickets == NULL) {
		ld_tls_free(tls);
		return NULL;
	}
	return tls;
}

void
ld_tls_free(struct ld_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	ld_tickets_free(tls->tickets);
	pthread_mutex_destroy(&tls->lock);
	free(tls);
}
